#include "flott/rest/http_server.h"

#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "flott/rest/documents.h"
#include "flott/rest/refusal.h"
#include "flott/rest/request_body.h"
#include "flott/rest/waiting_room.h"

namespace flott {
namespace {

constexpr Duration kFarewell = Duration::millis(250);
constexpr Duration kLastAnswers = Duration::millis(500);
// More than a request may take, in nanoseconds.
constexpr int64_t kLongAgo = int64_t{1} << 60;
constexpr int kBacklog = 256;
constexpr size_t kFileBlock = 64 << 10;

// Answer one request after the other; those that come in meanwhile wait in a bounded queue.
class RequestThreads {
 public:
  using Answer = std::function<void(const WaitingRoom::Guest&)>;

  RequestThreads(const Env& env, int threads, int waiting, Answer answer)
      : answer_(std::move(answer)), waiting_(static_cast<size_t>(waiting)) {
    try {
      for (int i = 0; i < threads; ++i)
        threads_.push_back(env.threads.start({.name = "rest-" + std::to_string(i)}, [this] { work(); }));
    } catch (...) {
      shutdown();
      throw;
    }
  }
  ~RequestThreads() { shutdown(); }

  // Waits for room.
  void enqueue(WaitingRoom::Guest request) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return requests_.size() < waiting_; });
    requests_.push_back(std::move(request));
    changed_.notify_all();
  }

 private:
  void shutdown() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (const auto& thread : threads_) thread->join();
    threads_.clear();
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || !requests_.empty(); });
      if (requests_.empty()) return;
      const WaitingRoom::Guest request = std::move(requests_.front());
      requests_.pop_front();
      changed_.notify_all();
      lock.unlock();
      answer_(request);
    }
  }

  const Answer answer_;
  const size_t waiting_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WaitingRoom::Guest> requests_;
  bool ended_ = false;
};

// The library has threads of its own to answer in, and reads from a connection there before the request is
// here: it only accepts.
class OnTheSpot final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> accepted) override { accepted(); }
  void shutdown() override {}
};

// A connection that a request may read so many bytes from, and for so long: its head at once, the rest at a
// pace.
class BoundedStream final : public httplib::Stream, public ByteSource {
 public:
  BoundedStream(const WaitingRoom::Guest& guest, const Clock& clock, const HttpServerOptions& options)
      : socket_(guest.socket),
        clock_(clock),
        options_(options),
        ahead_(guest.bytes),
        headLeft_(options.requestBytes),
        readSince_(guest.late ? guest.since - kLongAgo : guest.since) {}

  bool is_readable() const override { return at_ < end_ || !ahead_.empty() || waitFor(POLLIN, readUntil()); }
  bool is_writable() const override { return waitFor(POLLOUT, writeUntil()); }
  ssize_t read(char* into, size_t size) override {
    if (headLeft_ == 0) {
      tooLarge_ = true;
      return -1;
    }
    if (at_ == end_ && !fill()) return ended_ ? 0 : -1;
    const size_t n = std::min({size, headLeft_, end_ - at_});
    std::copy_n(buffer_ + at_, n, into);
    at_ += n;
    headLeft_ -= n;
    return static_cast<ssize_t>(n);
  }
  // Of a request that is refused here the library only knows that it cannot be read.
  ssize_t write(const char* from, size_t size) override {
    return refused() ? static_cast<ssize_t>(size) : send(from, size);
  }
  // The library hands this on with the request: so a handler finds the stream of its request.
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = socket_;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override { get_remote_ip_and_port(ip, port); }
  socket_t socket() const override { return socket_; }

  /// The head is here, and what follows is its body.
  void beginBody() {
    readSince_ = clock_.monotonicNanos();
    bodyBytes_ = 0;
  }
  // ByteSource
  size_t read(std::span<char> into) override {
    if (at_ == end_ && !fill()) {
      if (ended_) return 0;
      throw Refusal{408, "the body does not come: there is time for " + toString(options_.requestTime) +
                             ", and for " + std::to_string(options_.slowestBytesPerSecond) +
                             " bytes a second"};
    }
    const size_t n = std::min(into.size(), end_ - at_);
    std::copy_n(buffer_ + at_, n, into.begin());
    at_ += n;
    bodyBytes_ += n;
    return n;
  }

  bool tooLarge() const { return tooLarge_; }
  /// Something came, and then nothing more.
  bool headBrokeOff() const { return late_ && !headDone_ && headLeft_ < options_.requestBytes; }
  bool refused() const { return tooLarge_ || (late_ && !headDone_); }
  void headDone() { headDone_ = true; }
  /// Any thread.
  bool isHeadDone() const { return headDone_; }
  ssize_t send(const char* from, size_t size) {
    if (sentSince_ == 0) sentSince_ = clock_.monotonicNanos();
    for (;;) {
      if (!is_writable()) return -1;
      const ssize_t n = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n > 0) sent_ += static_cast<uint64_t>(n);
      return n;
    }
  }

  // A peer that is still sending would see a reset instead of the response.
  void bidFarewell() {
    if (sentSince_ == 0) return;
    ::shutdown(socket_, SHUT_WR);
    const int64_t until = deadlineAfter(clock_, kFarewell);
    char dropped[4096];
    while (waitFor(POLLIN, until) && ::recv(socket_, dropped, sizeof dropped, 0) > 0) {
    }
  }

 private:
  int64_t atPace(int64_t since, Duration grace, uint64_t bytes) const {
    return since +
           (grace + Duration::millis(static_cast<int64_t>(bytes * 1000 / options_.slowestBytesPerSecond)))
                   .ms *
               1'000'000;
  }
  int64_t readUntil() const { return atPace(readSince_, options_.requestTime, bodyBytes_); }
  int64_t writeUntil() const { return atPace(sentSince_, options_.responseTime, sent_); }
  bool waitFor(short what, int64_t until) const {
    const int64_t nanos = until - clock_.monotonicNanos();
    if (nanos <= 0) return false;
    pollfd waited{.fd = socket_, .events = what, .revents = 0};
    return ::poll(&waited, 1, static_cast<int>(nanos / 1'000'000 + 1)) > 0;
  }
  bool fill() {
    if (!ahead_.empty()) {
      end_ = std::min(ahead_.size(), sizeof buffer_);
      std::copy_n(ahead_.begin(), end_, buffer_);
      ahead_.remove_prefix(end_);
      at_ = 0;
      return true;
    }
    if (!waitFor(POLLIN, readUntil())) {
      late_ = true;
      return false;
    }
    const ssize_t got = ::recv(socket_, buffer_, sizeof buffer_, 0);
    ended_ = got <= 0;
    at_ = 0;
    end_ = got > 0 ? static_cast<size_t>(got) : 0;
    return got > 0;
  }

  const socket_t socket_;
  const Clock& clock_;
  const HttpServerOptions& options_;
  std::string_view ahead_;  // what was read before
  size_t headLeft_;
  int64_t readSince_;
  int64_t sentSince_ = 0;
  uint64_t bodyBytes_ = 0;
  uint64_t sent_ = 0;
  bool tooLarge_ = false;
  bool late_ = false;
  bool ended_ = false;
  std::atomic<bool> headDone_ = false;
  char buffer_[16 << 10];
  size_t at_ = 0;
  size_t end_ = 0;
};

// As browsers say; others say nothing.
bool isFromOtherSite(const httplib::Request& request) {
  const std::string site = request.get_header_value("Sec-Fetch-Site");
  return site == "cross-site" || site == "same-site";
}

std::vector<std::string> headersOf(const httplib::Request& request, const std::string& name) {
  std::vector<std::string> values;
  const auto [begin, end] = request.headers.equal_range(name);
  for (auto header = begin; header != end; ++header) values.push_back(header->second);
  return values;
}

void setHeaders(httplib::Response& response) {
  if (response.has_header("Cache-Control")) return;  // the library calls the error handler for ours, too
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Content-Security-Policy",
                      "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; "
                      "script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'");
}

}  // namespace

class HttpServer::Listening final : public httplib::Server {
 public:
  Listening(const Env& env, HttpServerOptions options, RestHandler& handler)
      : env_(env), options_(std::move(options)), handler_(handler), bodies_(env) {
    new_task_queue = [this]() -> httplib::TaskQueue* {
      tellAccepting();
      return new OnTheSpot;
    };
    set_tcp_nodelay(true);
    // The library's own options let two servers share a port.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    });
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      setHeaders(response);
      if (response.body.empty())
        response.set_content(errorDocument("the request cannot be read"), "application/json; charset=UTF-8");
    });
    bindToSomePort();
    ::listen(svr_sock_,
             kBacklog);  // the library lets five connections wait, and others try again in a second
    threads_.emplace(env_, options_.threads, options_.waiting,
                     [this](const WaitingRoom::Guest& guest) { serve(guest); });
    room_.emplace(env_,
                  WaitingRoomOptions{.most = static_cast<size_t>(options_.connections),
                                     .headBytes = options_.requestBytes,
                                     .time = options_.requestTime},
                  [this](WaitingRoom::Guest guest) { threads_->enqueue(std::move(guest)); });
    acceptor_ = env_.threads.start({.name = "rest"}, [this] {
      listen_after_bind();
      tellAccepting();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return accepting_; });
  }

  ~Listening() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    letAnswersEnd();
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [socket, stream] : active_) ::shutdown(socket, SHUT_RDWR);
    }
    stop();
    acceptor_->join();
    room_.reset();
    threads_.reset();
  }

  int port() const { return port_; }
  const std::string& address() const { return options_.address; }

 private:
  // What is being sent gets a moment for it.
  void letAnswersEnd() {
    const auto parker = env_.threads.makeParker();
    const int64_t until = deadlineAfter(env_.clock, kLastAnswers);
    const auto answers = [this] {
      const std::lock_guard lock(mutex_);
      return std::any_of(active_.begin(), active_.end(),
                         [](const auto& each) { return each.second->isHeadDone(); });
    };
    while (env_.clock.monotonicNanos() < until && answers())
      parker->park(deadlineAfter(env_.clock, Duration::millis(2)));
  }

  void bindToSomePort() {
    for (const PortRange& range : options_.ports) {
      for (int port = range.first; port <= range.last; ++port) {
        port_ = port == 0                              ? bind_to_any_port(options_.address)
                : bind_to_port(options_.address, port) ? port
                                                       : -1;
        if (port_ > 0) return;
      }
    }
    failToBind();
  }

  // The library does not say why: the same once more does, unless the port is free by then.
  [[noreturn]] void failToBind() const {
    const int last = options_.ports.back().last;
    std::string reason =
        "cannot listen on " + options_.address + ":" + std::to_string(last) + ": it was taken";
    try {
      env_.network.listen(options_.address, static_cast<uint16_t>(last));
    } catch (const Error& error) {
      reason = error.message();
    }
    const bool one = options_.ports.size() == 1 && options_.ports.front().first == last;
    throw Error(ErrorKind::kUser, "REST and the web page cannot be served: " + reason +
                                      (one ? ", as rest.port; rest.port: 0 takes any that is free"
                                           : ". No port of rest.bind-port can be had: this was the last"));
  }

  void tellAccepting() {
    const std::lock_guard lock(mutex_);
    accepting_ = true;
    changed_.notify_all();
  }

  // Instead of the library's, which would read at once.
  bool process_and_close_socket(socket_t socket) override {
    room_->admit(socket);
    return true;
  }

  // One request, within its bounds.
  void serve(const WaitingRoom::Guest& guest) {
    BoundedStream stream(guest, env_.clock, options_);
    bool serves;
    {
      const std::lock_guard lock(mutex_);
      serves = !stopping_;
      if (serves) active_.emplace(guest.socket, &stream);
    }
    if (serves) {
      bool closed = false;
      process_request(stream, true, closed, nullptr);
      if (stream.tooLarge())
        refuse(stream, "431 Request Header Fields Too Large",
               "the request has more than " + std::to_string(options_.requestBytes) + " bytes");
      else if (stream.headBrokeOff())
        refuse(stream, "408 Request Timeout",
               "the request does not come to an end: there is time for " + toString(options_.requestTime));
      stream.bidFarewell();
      const std::lock_guard lock(mutex_);
      active_.erase(guest.socket);
    }
    ::close(guest.socket);
  }

  static void refuse(BoundedStream& stream, const std::string& status, const std::string& why) {
    const std::string body = errorDocument(why);
    const std::string text = "HTTP/1.1 " + status +
                             "\r\nConnection: close\r\nContent-Type: application/json; charset=UTF-8\r\n"
                             "Content-Length: " +
                             std::to_string(body.size()) + "\r\n\r\n" + body;
    stream.send(text.data(), text.size());
  }

  // Why it is not answered; nothing when it is.
  std::optional<std::string> refuses(const httplib::Request& request) const {
    const std::string host = request.get_header_value("Host");
    if (isLoopback(options_.address) && !isLoopback(hostOf(host)))
      return "this server is for its own machine, and the request is for '" + host.substr(0, 256) +
             "': ask for localhost";
    const std::string origin = request.get_header_value("Origin");
    const bool changes = request.method != "GET" && request.method != "HEAD";
    if (changes && !origin.empty() && !origin.ends_with("://" + host))
      return "a page of '" + origin.substr(0, 256) + "' may not do this";
    return {};
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    // Else the library would cut documents into the ranges that a request names, in any number.
    const_cast<httplib::Request&>(request).ranges.clear();
    setHeaders(response);
    RestResponse answered = answerTo(request);
    if (answered.file) answered = sendFile(response, std::move(answered));
    response.status = answered.status;
    if (!answered.allow.empty()) response.set_header("Allow", answered.allow);
    for (const auto& [name, value] : answered.headers) response.set_header(name, value);
    if (!answered.file) response.set_content(answered.body, answered.contentType);
  }

  RestResponse answerTo(const httplib::Request& request) {
    try {
      streamOf(request).headDone();
      if (const std::optional<std::string> why = refuses(request)) return RestResponse::error(403, *why);
      if (!request.path.starts_with('/')) throw Refusal{400, "the path does not begin with '/'"};
      RestRequest asked{.method = request.method,
                        .path = request.path,
                        .query = {request.params.begin(), request.params.end()},
                        .contentType = request.get_header_value("Content-Type"),
                        .fromOtherSite = isFromOtherSite(request)};
      readBody(request, asked);
      return handler_.answer(asked);
    } catch (...) {
      return responseToCurrentError();
    }
  }

  void readBody(const httplib::Request& request, RestRequest& asked) {
    const BodyFraming framing =
        bodyFraming(headersOf(request, "Content-Length"), headersOf(request, "Transfer-Encoding"));
    if (framing.kind == BodyFraming::Kind::kNone) return;
    const BodyPlan plan = handler_.bodyPlan(asked);
    BoundedStream& stream = streamOf(request);
    stream.beginBody();
    HttpBody body(stream, framing, std::min(plan.limit, options_.bodyBytes));
    bodies_.read(body, plan, asked);
  }

  BoundedStream& streamOf(const httplib::Request& request) {
    const std::lock_guard lock(mutex_);
    return *active_.at(request.remote_port);
  }

  // What the peer gets, which has a file only when that can be read.
  RestResponse sendFile(httplib::Response& response, RestResponse answered) const {
    try {
      const std::shared_ptr<FileReader> reader = env_.files.open(answered.file->path);
      const uint64_t size = reader->size();
      const uint64_t offset = std::min(answered.file->offset, size);
      const uint64_t length = std::min(answered.file->length, size - offset);
      if (length == 0) {
        answered.file.reset();
        answered.body.clear();
        return answered;
      }
      response.set_content_provider(
          length, answered.contentType, [reader, offset](size_t at, size_t left, httplib::DataSink& sink) {
            char block[kFileBlock];
            try {
              const size_t n = reader->read(offset + at, {block, std::min(left, sizeof block)});
              return n > 0 && sink.write(block, n);
            } catch (const Error&) {  // the peer sees that the connection ends too early
              return false;
            }
          });
      return answered;
    } catch (const Error& error) {
      return RestResponse::error(error.kind() == ErrorKind::kUser ? 404 : 503, error.what());
    }
  }

  const Env env_;
  const HttpServerOptions options_;
  RestHandler& handler_;
  BodyReader bodies_;
  int port_ = -1;
  std::optional<RequestThreads> threads_;
  std::optional<WaitingRoom> room_;
  std::unique_ptr<Thread> acceptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool accepting_ = false;
  bool stopping_ = false;
  std::map<socket_t, BoundedStream*> active_;
};

HttpServer::HttpServer(const Env& env, HttpServerOptions options, RestHandler& handler)
    : listening_(std::make_unique<Listening>(env, std::move(options), handler)) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const { return listening_->port(); }

std::string HttpServer::url() const {
  const std::string& address = listening_->address();
  const bool six = address.find(':') != std::string::npos;
  return "http://" + (six ? "[" + address + "]" : address) + ":" + std::to_string(port());
}

}  // namespace flott
