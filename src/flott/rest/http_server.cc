#include "flott/rest/http_server.h"

#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>

#include "flott/rest/documents.h"

namespace flott {
namespace {

constexpr Duration kFarewell = Duration::millis(250);

// The threads of the library's own pool come from elsewhere, and what waits for them is not bounded.
class RequestThreads final : public httplib::TaskQueue {
 public:
  RequestThreads(const Env& env, int threads, int waiting) : waiting_(static_cast<size_t>(waiting)) {
    for (int i = 0; i < threads; ++i)
      threads_.push_back(env.threads.start({.name = "rest-" + std::to_string(i)}, [this] { work(); }));
  }

  // Waits for room: meanwhile connections stay with the kernel.
  void enqueue(std::function<void()> request) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return requests_.size() < waiting_; });
    requests_.push_back(std::move(request));
    changed_.notify_all();
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (const auto& thread : threads_) thread->join();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || !requests_.empty(); });
      if (requests_.empty()) return;
      std::function<void()> request = std::move(requests_.front());
      requests_.pop_front();
      changed_.notify_all();
      lock.unlock();
      request();
    }
  }

  const size_t waiting_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> requests_;
  bool ended_ = false;
};

// A connection that a request may read so many bytes from, and for so long.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(socket_t socket, const Clock& clock, const HttpServerOptions& options)
      : socket_(socket),
        clock_(clock),
        left_(options.requestBytes),
        readUntil_(deadlineAfter(clock, options.requestTime)),
        writeUntil_(deadlineAfter(clock, options.requestTime + options.responseTime)) {}

  bool is_readable() const override { return waitFor(POLLIN, readUntil_); }
  bool is_writable() const override { return waitFor(POLLOUT, writeUntil_); }
  ssize_t read(char* into, size_t size) override {
    if (left_ == 0) {
      tooLarge_ = true;
      return -1;
    }
    if (!is_readable()) return -1;
    const ssize_t got = ::recv(socket_, into, std::min(size, left_), 0);
    if (got > 0) left_ -= static_cast<size_t>(got);
    return got;
  }
  // Of a request that is too large the library only knows that it cannot be read.
  ssize_t write(const char* from, size_t size) override {
    return tooLarge_ ? static_cast<ssize_t>(size) : send(from, size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override { get_remote_ip_and_port(ip, port); }
  socket_t socket() const override { return socket_; }

  bool tooLarge() const { return tooLarge_; }
  ssize_t send(const char* from, size_t size) {
    written_ = true;
    return is_writable() ? ::send(socket_, from, size, MSG_NOSIGNAL) : -1;
  }

  // A peer that is still sending would see a reset instead of the response.
  void bidFarewell() {
    if (!written_) return;
    ::shutdown(socket_, SHUT_WR);
    const int64_t until = deadlineAfter(clock_, kFarewell);
    char dropped[4096];
    while (waitFor(POLLIN, until) && ::recv(socket_, dropped, sizeof dropped, 0) > 0) {
    }
  }

 private:
  bool waitFor(short what, int64_t until) const {
    const int64_t nanos = until - clock_.monotonicNanos();
    if (nanos <= 0) return false;
    pollfd waited{.fd = socket_, .events = what, .revents = 0};
    return ::poll(&waited, 1, static_cast<int>(nanos / 1'000'000 + 1)) > 0;
  }

  const socket_t socket_;
  const Clock& clock_;
  size_t left_;
  const int64_t readUntil_;
  const int64_t writeUntil_;
  bool tooLarge_ = false;
  bool written_ = false;
};

void setHeaders(httplib::Response& response) {
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Content-Security-Policy",
                      "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; "
                      "script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'");
}

}  // namespace

class HttpServer::Listening final : public httplib::Server {
 public:
  Listening(const Env& env, HttpServerOptions options, const RestApi& api)
      : env_(env), options_(std::move(options)), api_(api) {
    new_task_queue = [this]() -> httplib::TaskQueue* {
      auto threads = std::make_unique<RequestThreads>(env_, options_.threads, options_.waiting);
      tellAccepting();
      return threads.release();
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
      for (const socket_t socket : active_) ::shutdown(socket, SHUT_RDWR);
    }
    stop();
    acceptor_->join();
  }

  int port() const { return port_; }
  const std::string& address() const { return options_.address; }

 private:
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

  // Instead of the library's: one request, within its bounds.
  bool process_and_close_socket(socket_t socket) override {
    bool serves;
    {
      const std::lock_guard lock(mutex_);
      serves = !stopping_;
      if (serves) active_.insert(socket);
    }
    if (serves) {
      BoundedStream stream(socket, env_.clock, options_);
      bool closed = false;
      process_request(stream, true, closed, nullptr);
      if (stream.tooLarge()) refuseTooLarge(stream);
      stream.bidFarewell();
      const std::lock_guard lock(mutex_);
      active_.erase(socket);
    }
    ::close(socket);
    return serves;
  }

  void refuseTooLarge(BoundedStream& stream) const {
    const std::string body =
        errorDocument("the request has more than " + std::to_string(options_.requestBytes) + " bytes");
    const std::string text =
        "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
        "Content-Type: application/json; charset=UTF-8\r\nContent-Length: " +
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

  void answer(const httplib::Request& request, httplib::Response& response) const {
    // Else the library would cut documents into the ranges that a request names, in any number.
    const_cast<httplib::Request&>(request).ranges.clear();
    setHeaders(response);
    if (const std::optional<std::string> why = refuses(request)) {
      response.status = 403;
      response.set_content(errorDocument(*why), "application/json; charset=UTF-8");
      return;
    }
    const RestResponse answered = api_.answer({.method = request.method,
                                               .path = request.path,
                                               .query = {request.params.begin(), request.params.end()}});
    response.status = answered.status;
    if (!answered.allow.empty()) response.set_header("Allow", answered.allow);
    response.set_content(answered.body, answered.contentType);
  }

  const Env env_;
  const HttpServerOptions options_;
  const RestApi& api_;
  int port_ = -1;
  std::unique_ptr<Thread> acceptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool accepting_ = false;
  bool stopping_ = false;
  std::set<socket_t> active_;
};

HttpServer::HttpServer(const Env& env, HttpServerOptions options, const RestApi& api)
    : listening_(std::make_unique<Listening>(env, std::move(options), api)) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const { return listening_->port(); }

std::string HttpServer::url() const {
  const std::string& address = listening_->address();
  const bool six = address.find(':') != std::string::npos;
  return "http://" + (six ? "[" + address + "]" : address) + ":" + std::to_string(port());
}

}  // namespace flott
