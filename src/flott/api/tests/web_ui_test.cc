// Programs that show their jobs in a browser: real threads, a real socket.
#include <nlohmann/json.hpp>

#include "flott/api/environment.h"
#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"
#include "flott/base/options.h"
#include "flott/rest/tests/loopback.h"

namespace flott {
namespace {

Configuration anyPort() {
  Configuration configuration;
  configuration.set(kRestPort, 0);
  configuration.set(kLogLevel, "OFF");
  return configuration;
}

class WebUi : public testing::Test {
 protected:
  HttpAnswer ask(const StreamExecutionEnvironment& env, const std::string& target,
                 const std::string& method = "GET") {
    const std::string url = env.webInterfaceUrl();
    return client.ask(std::stoi(url.substr(url.rfind(':') + 1)), target, method);
  }
  nlohmann::json document(const StreamExecutionEnvironment& env, const std::string& target) {
    const HttpAnswer answer = ask(env, target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return nlohmann::json::parse(answer.body);
  }
  static void endless(StreamExecutionEnvironment& env) {
    env.fromFunction<int64_t>([](SourceOutput<int64_t>& out) {
         out.collect(1);
         return true;
       })
        .name("ones")
        .addSink([](int64_t) {});
  }

  Loopback client;
};

TEST_F(WebUi, ShowsJobsThatRunAndThatHaveEnded) {
  auto env = StreamExecutionEnvironment::createLocalEnvironmentWithWebUI(anyPort());
  EXPECT_EQ(env.webInterfaceUrl(), "") << "before the first job";
  env.fromSequence(1, 1000).rebalance().map([](int64_t x) { return x; }).addSink([](int64_t) {});
  env.execute("first");
  EXPECT_TRUE(env.webInterfaceUrl().starts_with("http://127.0.0.1:"));
  endless(env);
  JobClient second = env.executeAsync("second");
  endless(env);
  std::string third;
  {
    JobClient client = env.executeAsync("third");
    third = client.jobId();
  }
  const nlohmann::json jobs = document(env, "/jobs/overview")["jobs"];
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[0]["jid"], third);
  EXPECT_EQ(jobs[0]["state"], "CANCELED") << "its handle is gone";
  EXPECT_EQ(jobs[1]["name"], "second");
  EXPECT_EQ(jobs[2]["state"], "FINISHED");
  const nlohmann::json first = document(env, "/jobs/" + jobs[2]["jid"].get<std::string>());
  EXPECT_EQ(first["vertices"][1]["metrics"]["read-records"], 1000);
  EXPECT_EQ(first["vertices"][0]["metrics"]["write-records"], 1000);

  EXPECT_EQ(ask(env, "/jobs/" + second.jobId() + "?mode=cancel", "PATCH").status, 202);
  EXPECT_EQ(second.result().status(), JobStatus::kCancelled);
  EXPECT_EQ(document(env, "/jobs/" + second.jobId() + "/status")["status"], "CANCELED");
  EXPECT_NE(ask(env, "/").body.find("<title>Flott</title>"), std::string::npos);
}

TEST_F(WebUi, NamesFailures) {
  auto env = StreamExecutionEnvironment::createLocalEnvironmentWithWebUI(anyPort());
  env.fromSequence(1, 10).map([](int64_t) -> int64_t { throw std::runtime_error("<no>"); }).print();
  EXPECT_NE(failure([&] { env.execute("bad"); }), "");
  const std::string id = document(env, "/jobs")["jobs"][0]["id"];
  const nlohmann::json entry = document(env, "/jobs/" + id + "/exceptions")["exceptionHistory"]["entries"][0];
  EXPECT_NE(entry["stacktrace"].get<std::string>().find("<no>"), std::string::npos);
  EXPECT_TRUE(entry["taskName"].get<std::string>().ends_with("(1/1) - execution #0")) << entry["taskName"];
}

TEST_F(WebUi, IsAnOptionOfAnyEnvironment) {
  Configuration configuration = anyPort();
  configuration.set(kWebUi, true);
  auto env = StreamExecutionEnvironment::getExecutionEnvironment(configuration);
  env.fromSequence(1, 10).addSink([](int64_t) {});
  env.execute();
  EXPECT_EQ(document(env, "/jobs")["jobs"].size(), 1u);

  auto without = StreamExecutionEnvironment::getExecutionEnvironment(anyPort());
  without.fromSequence(1, 10).addSink([](int64_t) {});
  without.execute();
  EXPECT_EQ(without.webInterfaceUrl(), "");
}

TEST_F(WebUi, APortThatIsTakenEndsTheStartOfTheJob) {
  const auto taken = client.env.network.listen("127.0.0.1", 0);
  Configuration configuration = anyPort();
  configuration.set(kRestPort, taken->port());
  auto env = StreamExecutionEnvironment::createLocalEnvironmentWithWebUI(configuration);
  env.fromSequence(1, 10).addSink([](int64_t) {});
  EXPECT_EQ(
      failure([&] { env.execute(); }),
      "REST and the web page cannot be served: cannot listen on 127.0.0.1:" + std::to_string(taken->port()) +
          ": address already in use; another process has the port: give another one, as rest.port; "
          "rest.port: 0 takes any that is free");
  env.configuration().set(kRestPort, 0);
  env.execute("with another port");
  EXPECT_EQ(document(env, "/jobs/overview")["jobs"][0]["name"], "with another port");
}

TEST_F(WebUi, ATestWorldHasNone) {
  TestWorld world;
  Configuration configuration;
  configuration.set(kWebUi, true);
  auto env = world.environment(configuration);
  env.fromSequence(1, 10).addSink([](int64_t) {});
  EXPECT_EQ(env.execute().status(), JobStatus::kFinished);
  EXPECT_EQ(env.webInterfaceUrl(), "");
}

}  // namespace
}  // namespace flott
