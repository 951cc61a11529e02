// The server over a real loopback socket: HTTP, its bounds, and who may ask.
#include "flott/rest/http_server.h"

#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"
#include "flott/rest/built_in.h"
#include "flott/rest/rest_api.h"
#include "flott/rest/tests/listed_job.h"
#include "flott/rest/tests/loopback.h"

namespace flott {
namespace {

class NoJobs final : public JobBoard {
 public:
  ClusterSummary cluster() override { return {}; }
  std::vector<ListedJob> jobs() override { return {}; }
  std::optional<ListedJob> find(const JobId&) override { return {}; }
  std::optional<std::vector<TaskAccumulators>> accumulators(const JobId&) override { return {}; }
  std::optional<WatermarkReport> watermarks(const JobId&) override { return {}; }
  AskOutcome cancel(const JobId&) override {
    ++cancels;
    return AskOutcome::kAccepted;
  }
  AskOutcome triggerSavepoint(const JobId&, SavepointOrder, MoveFunction<void(CheckpointOutcome)>) override {
    return AskOutcome::kUnknown;
  }
  AskOutcome triggerCheckpoint(const JobId&, MoveFunction<void(CheckpointOutcome)>) override {
    return AskOutcome::kUnknown;
  }

  std::atomic<int> cancels{0};
};

// Knows how much CPU time the threads that it started have used.
class WatchedThreads final : public Threads {
 public:
  explicit WatchedThreads(Threads& real) : real_(real) {}
  std::unique_ptr<Thread> start(ThreadOptions options, MoveFunction<void()> body) override {
    auto thread = std::make_unique<Watched>(*this, real_.start(std::move(options), std::move(body)));
    const std::lock_guard lock(mutex_);
    running_.insert(thread.get());
    return thread;
  }
  std::unique_ptr<Parker> makeParker() override { return real_.makeParker(); }
  int64_t cpuNanos() {
    const std::lock_guard lock(mutex_);
    int64_t sum = 0;
    for (const Thread* thread : running_) sum += thread->cpuNanos();
    return sum;
  }

 private:
  class Watched final : public Thread {
   public:
    Watched(WatchedThreads& all, std::unique_ptr<Thread> real) : all_(all), real_(std::move(real)) {}
    ~Watched() override {
      const std::lock_guard lock(all_.mutex_);
      all_.running_.erase(this);
    }
    void join() override { real_->join(); }
    int64_t cpuNanos() const override { return real_->cpuNanos(); }

   private:
    WatchedThreads& all_;
    const std::unique_ptr<Thread> real_;
  };

  Threads& real_;
  std::mutex mutex_;
  std::set<const Thread*> running_;
};

class HttpServerTest : public testing::Test {
 protected:
  void serve(HttpServerOptions changed) {
    changed.ports = {{0, 0}};
    server.reset();
    server = std::make_unique<HttpServer>(world.env, changed, api);
  }
  HttpAnswer ask(const std::string& target, const std::string& method = "GET",
                 const std::string& headers = "Host: localhost\r\n") {
    if (!server) serve({});
    return world.ask(server->port(), target, method, headers);
  }

  Loopback world;
  NoJobs board;
  RestApi api{board, {}, world.env};
  std::unique_ptr<HttpServer> server;
  const std::string job = std::string("/jobs/") + kJobText;
};

TEST_F(HttpServerTest, SendsDocumentsAndThePage) {
  HttpAnswer answer = ask("/jobs");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"jobs":[]})");
  EXPECT_NE(answer.headers.find("Content-Type: application/json; charset=UTF-8"), std::string::npos);
  EXPECT_NE(answer.headers.find("Connection: close"), std::string::npos) << answer.headers;
  EXPECT_NE(answer.headers.find("X-Content-Type-Options: nosniff"), std::string::npos);
  EXPECT_EQ(answer.headers.find("Access-Control"), std::string::npos);
  EXPECT_EQ(ask("/").body, webPage());
  answer = ask("/jobs", "HEAD");
  EXPECT_EQ(std::to_string(answer.status) + answer.body, "200");
  EXPECT_EQ(server->url(), "http://127.0.0.1:" + std::to_string(server->port()));
  EXPECT_EQ(ask("/jobs?get=%2C%zz").status, 200);
}

TEST_F(HttpServerTest, RefusesWithErrors) {
  EXPECT_EQ(ask("/nothing").body, R"({"errors":["there is nothing at /nothing"]})");
  EXPECT_EQ(ask("/nothing").status, 404);
  EXPECT_EQ(ask("/jobs/%00").status, 400);
  const HttpAnswer answer = ask("/jobs", "POST", "Host: localhost\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(answer.status, 405);
  EXPECT_NE(answer.headers.find("Allow: GET"), std::string::npos) << answer.headers;
  const size_t sniff = answer.headers.find("nosniff");
  EXPECT_NE(sniff, std::string::npos);
  EXPECT_EQ(answer.headers.find("nosniff", sniff + 1), std::string::npos) << "each header once";
  EXPECT_EQ(ask("/jobs", "BREW").status, 400) << "no method of HTTP";
  EXPECT_EQ(world.send(server->port(), "nonsense\r\n\r\n").status, 400);
}

TEST_F(HttpServerTest, CancelsOnlyForItsOwnPages) {
  EXPECT_EQ(ask(job + "?mode=cancel", "PATCH").status, 202);
  EXPECT_EQ(ask(job, "PATCH", "Host: localhost:8081\r\nOrigin: http://localhost:8081\r\n").status, 202);
  EXPECT_EQ(board.cancels, 2);
  const HttpAnswer answer = ask(job, "PATCH", "Host: localhost\r\nOrigin: https://example.org\r\n");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, R"({"errors":["a page of 'https://example.org' may not do this"]})");
  EXPECT_EQ(ask(job, "PATCH", "Host: localhost\r\nOrigin: null\r\n").status, 403);
  EXPECT_EQ(board.cancels, 2);
  EXPECT_EQ(ask("/jobs", "GET", "Host: localhost\r\nOrigin: https://example.org\r\n").status, 200)
      << "whose browser does not show it without Access-Control-Allow-Origin";
}

TEST_F(HttpServerTest, AnswersOnlyRequestsForThisMachine) {
  for (const char* host : {"localhost", "LOCALHOST:8081", "127.0.0.1:9", "127.1.2.3", "[::1]:8081", "[::1]"})
    EXPECT_EQ(ask("/jobs", "GET", "Host: " + std::string(host) + "\r\n").status, 200) << host;
  for (const char* host : {"example.org", "localhost.example.org", "127.0.0.1.example.org", "", "[::2]",
                           "localhos", "127.evil", "[", "x@localhost"}) {
    const HttpAnswer answer = ask("/jobs", "GET", "Host: " + std::string(host) + "\r\n");
    EXPECT_EQ(answer.status, 403) << host;
    EXPECT_EQ(answer.body, R"({"errors":["this server is for its own machine, and the request is for ')" +
                               std::string(host) + R"(': ask for localhost"]})");
  }
  EXPECT_EQ(ask("/jobs", "GET", "").status, 403);
  serve({.address = "0.0.0.0"});
  EXPECT_EQ(ask("/jobs", "GET", "Host: example.org\r\n").status, 200) << "asked for: flott.rest.insecure";
}

TEST_F(HttpServerTest, BoundsWhatARequestMayTake) {
  const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
  std::string headers = "Host: localhost\r\n";
  for (int i = 0; i < 15; ++i) headers += line;
  EXPECT_EQ(ask("/jobs", "GET", headers).status, 200);
  for (int i = 0; i < 1000; ++i) headers += line;
  HttpAnswer answer = ask("/jobs", "GET", headers);
  EXPECT_EQ(answer.status, 431);
  EXPECT_EQ(answer.body, R"({"errors":["the request has more than 16384 bytes"]})");
  EXPECT_EQ(ask("/jobs", "GET", "Host: localhost\r\nX: " + std::string(1'000'000, 'x') + "\r\n").status, 431);
  EXPECT_EQ(ask("/" + std::string(1'000'000, 'x')).status, 431);
  answer = ask("/" + std::string(10'000, 'x'));
  EXPECT_EQ(answer.status, 414);
  EXPECT_EQ(answer.body, R"({"errors":["the request cannot be read"]})");
  EXPECT_EQ(ask("/jobs").status, 200) << "it goes on";
}

TEST_F(HttpServerTest, DoesNotCutDocumentsIntoRanges) {
  std::string ranges = "Range: bytes=0-0";
  for (int i = 1; i < 500; ++i) ranges += ",0-0";
  const HttpAnswer answer = ask("/jobs", "GET", "Host: localhost\r\n" + ranges + "\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"jobs":[]})");
}

TEST_F(HttpServerTest, GivesUpOnRequestsThatDoNotComeToAnEnd) {
  serve({.requestTime = Duration::millis(50)});
  EXPECT_EQ(world.send(server->port(), "").status, 0) << "nobody would ever end this";
  const HttpAnswer answer = world.send(server->port(), "GET /jobs HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.body, R"({"errors":["the request does not come to an end: there is time for 50 ms"]})");
  EXPECT_EQ(ask("/jobs").status, 200);
}

TEST_F(HttpServerTest, ConnectionsThatSayNothingDoNotKeepOthersWaiting) {
  serve({.threads = 1, .waiting = 2, .requestTime = Duration::millis(50)});
  std::vector<std::unique_ptr<Connection>> silent;
  for (int i = 0; i < 6; ++i)
    silent.push_back(
        world.env.network.connect("127.0.0.1", static_cast<uint16_t>(server->port()), Duration::seconds(10)));
  EXPECT_EQ(ask("/jobs").status, 200);
}

TEST_F(HttpServerTest, EndsWhileConnectionsAreOpen) {
  serve({.requestTime = Duration::seconds(1000)});
  const auto port = static_cast<uint16_t>(server->port());
  std::vector<std::unique_ptr<Connection>> silent;
  for (int i = 0; i < 30; ++i)
    silent.push_back(world.env.network.connect("127.0.0.1", port, Duration::seconds(10)));
  server.reset();  // does not wait for the time of a request
  EXPECT_NE(errorText([&] { world.env.network.connect("127.0.0.1", port, Duration::seconds(10)); },
                      ErrorKind::kTransient),
            "nothing was thrown");
}

TEST_F(HttpServerTest, SaysThatAPortIsTaken) {
  serve({});
  const int port = server->port();
  const std::string text = std::to_string(port);
  EXPECT_EQ(errorText([&] {
              HttpServer(world.env, {.ports = {{port, port}}}, api);
            }),
            "REST and the web page cannot be served: cannot listen on 127.0.0.1:" + text +
                ": address already in use; another process has the port: give another one, as rest.port; "
                "rest.port: 0 takes any that is free");
  EXPECT_EQ(errorText([&] {
              HttpServer(world.env, {.ports = {{port, port}, {port, port}}}, api);
            }),
            "REST and the web page cannot be served: cannot listen on 127.0.0.1:" + text +
                ": address already in use; another process has the port: give another one. No port of "
                "rest.bind-port can be had: this was the last");
  const HttpServer other(world.env, {.ports = {{port, port}, {0, 0}}}, api);
  EXPECT_NE(other.port(), port) << "the next that is free";
  EXPECT_EQ(world.ask(other.port(), "/jobs").status, 200);
  server.reset();
  const HttpServer again(world.env, {.ports = {{port, port}}}, api);
  EXPECT_EQ(again.port(), port) << "at once";
}

TEST_F(HttpServerTest, UsesNoTimeWhenNobodyAsks) {
  WatchedThreads watched(world.env.threads);
  const Env env{world.env.clock, world.env.random,  world.env.files,   world.env.network,
                watched,         world.env.offload, world.env.signals, world.env.console,
                world.env.log,   world.env.system,  world.env.stores};
  server = std::make_unique<HttpServer>(env, HttpServerOptions{.ports = {{0, 0}}}, api);
  ask("/jobs");
  const int64_t before = watched.cpuNanos();
  EXPECT_EQ(world.env.network.listen("127.0.0.1", 0)->accept(Duration::millis(200)), nullptr);
  EXPECT_LT(watched.cpuNanos() - before, 1'000'000) << "one wake-up in 10 ms would take more";
  EXPECT_GT(before, 0);
  server.reset();
}

TEST(HttpServerOptions, ComeFromTheConfiguration) {
  Configuration configuration;
  EXPECT_EQ(httpServerOptions(configuration).ports, (std::vector<PortRange>{{8081, 8081}}));
  EXPECT_EQ(httpServerOptions(configuration).address, "127.0.0.1");
  configuration.set(kRestPort, 0);
  EXPECT_EQ(httpServerOptions(configuration).ports, (std::vector<PortRange>{{0, 0}}));
  configuration.set(kRestBindPort, "50100-50200, 8081");
  EXPECT_EQ(httpServerOptions(configuration).ports, (std::vector<PortRange>{{50100, 50200}, {8081, 8081}}));
  for (const char* wrong : {"", "x", "8081,", "70000", "-1", "0-5", "9-8", "8081 8082"})
    EXPECT_NE(errorText([&] { parsePorts(wrong); }), "nothing was thrown") << wrong;
  EXPECT_EQ(errorText([&] { parsePorts("8081,x"); }),
            "rest.bind-port = 8081,x: 'x' is no port: give numbers from 0 to 65535, as 8081, 8081,8082 or "
            "50100-50200");
  EXPECT_EQ(errorText([&] { parsePorts("9-8"); }),
            "rest.bind-port = 9-8: the range '9-8' is empty or begins with 0");
}

TEST(HttpServerOptions, ListenForOtherMachinesOnlyWhenToldTwice) {
  Configuration configuration;
  for (const char* own : {"localhost", "127.0.0.1", "127.8.8.8", "::1"}) {
    configuration.set(kRestBindAddress, own);
    EXPECT_EQ(httpServerOptions(configuration).address, own);
  }
  configuration.set(kRestBindAddress, "0.0.0.0");
  EXPECT_EQ(
      errorText([&] { httpServerOptions(configuration); }),
      "rest.bind-address = 0.0.0.0 may be reached from other machines, and whoever reaches it may cancel "
      "jobs: leave it out and come by a tunnel (ssh -L 8081:localhost:8081), or set flott.rest.insecure: "
      "true");
  configuration.set(kRestInsecure, true);
  EXPECT_EQ(httpServerOptions(configuration).address, "0.0.0.0");
}

}  // namespace
}  // namespace flott
