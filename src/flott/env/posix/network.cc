#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>

#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

int pollMillis(Duration timeout) { return static_cast<int>(std::clamp<int64_t>(timeout.ms, 0, INT_MAX)); }

// Waits for `events`; false when the time is up.
bool waitFor(int socket, short events, Duration timeout) {
  pollfd entry{socket, events, 0};
  return retried([&] { return ::poll(&entry, 1, pollMillis(timeout)); }) > 0;
}

class PosixConnection final : public Connection {
 public:
  PosixConnection(std::string address, Descriptor socket)
      : address_(std::move(address)), socket_(std::move(socket)) {
    const int on = 1;  // small writes go out at once: who writes batches knows when
    setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  size_t read(std::span<char> into) override {
    const ssize_t got = retried([&] { return ::recv(socket_.number(), into.data(), into.size(), 0); });
    if (got < 0) throw connectionBroken(address_, "reading", errno);
    return static_cast<size_t>(got);
  }

  bool waitReadable(Duration timeout) override { return waitFor(socket_.number(), POLLIN, timeout); }

  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t sent =
          retried([&] { return ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
      if (sent < 0) throw connectionBroken(address_, "writing", errno);
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // Leaves the descriptor to the destructor, so that no other thread can be given its number while a read
  // waits on it.
  void close() noexcept override { ::shutdown(socket_.number(), SHUT_RDWR); }

 private:
  const std::string address_;
  const Descriptor socket_;
};

// The addresses of a name, in the order in which to try them.
class Resolved {
 public:
  Resolved(const std::string& host, uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &first_);
    if (failed == 0) return;
    if (failed == EAI_NONAME || failed == EAI_NODATA) {
      throw connectError(addressText(host, port), "the host name is unknown: check its spelling and the DNS");
    }
    const std::string reason = failed == EAI_SYSTEM ? systemReason(errno) : ::gai_strerror(failed);
    throw connectError(addressText(host, port), "the host name cannot be resolved: " + reason);
  }
  Resolved(const Resolved&) = delete;
  Resolved& operator=(const Resolved&) = delete;
  ~Resolved() { ::freeaddrinfo(first_); }
  const addrinfo* first() const { return first_; }

 private:
  addrinfo* first_ = nullptr;
};

Descriptor makeSocket(const addrinfo& address, int flags) {
  return Descriptor(
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | flags, address.ai_protocol));
}

// Connects without waiting for ever; returns 0 or the error number.
int connectWithin(int socket, const addrinfo& address, Duration timeout) {
  if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!waitFor(socket, POLLOUT, timeout)) return ETIMEDOUT;
  int problem = 0;
  socklen_t size = sizeof problem;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &size);
  return problem;
}

std::string connectReason(int problem, Duration timeout) {
  switch (problem) {
    case ECONNREFUSED:
      return systemReason(problem) + ": is a server listening there?";
    case ETIMEDOUT:
      return "no answer within " + toString(timeout) + ": is the address right, and a firewall open?";
    default:
      return systemReason(problem);
  }
}

class PosixListener final : public Listener {
 public:
  PosixListener(std::string address, Descriptor socket, uint16_t port)
      : address_(std::move(address)), socket_(std::move(socket)), port_(port) {}

  uint16_t port() const override { return port_; }

  std::unique_ptr<Connection> accept(Duration timeout) override {
    if (!waitFor(socket_.number(), POLLIN, timeout) || closed_) return nullptr;
    Descriptor peer(retried([&] { return ::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC); }));
    // The peer may have gone between the two calls, or close() come: nobody to talk to, either way.
    if (peer.number() < 0 && (closed_ || errno == ECONNABORTED || errno == EAGAIN)) return nullptr;
    if (peer.number() < 0) throw listenError(address_, errno);
    return std::make_unique<PosixConnection>("a peer of " + address_, std::move(peer));
  }

  void close() noexcept override {
    closed_ = true;
    ::shutdown(socket_.number(), SHUT_RDWR);
  }

 private:
  const std::string address_;
  const Descriptor socket_;
  const uint16_t port_;
  std::atomic<bool> closed_{false};
};

uint16_t boundPort(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

class PosixNetwork final : public Network {
 public:
  std::unique_ptr<Connection> connect(const std::string& host, uint16_t port, Duration timeout) override {
    const Resolved addresses(host, port, 0);
    const int64_t deadline = deadlineAfter(*clock_, timeout);
    int problem = EADDRNOTAVAIL;
    for (const addrinfo* address = addresses.first(); address != nullptr; address = address->ai_next) {
      const Duration left((deadline - clock_->monotonicNanos()) / 1'000'000);
      Descriptor socket = makeSocket(*address, SOCK_NONBLOCK);
      problem = socket.number() < 0 ? errno : connectWithin(socket.number(), *address, left);
      if (problem != 0) continue;
      ::fcntl(socket.number(), F_SETFL, ::fcntl(socket.number(), F_GETFL) & ~O_NONBLOCK);
      return std::make_unique<PosixConnection>(addressText(host, port), std::move(socket));
    }
    throw connectError(addressText(host, port), connectReason(problem, timeout));
  }

  std::unique_ptr<Listener> listen(const std::string& host, uint16_t port) override {
    const Resolved addresses(host, port, AI_PASSIVE);
    const std::string address = addressText(host, port);
    Descriptor socket = makeSocket(*addresses.first(), SOCK_NONBLOCK);
    const int on = 1;  // a restarted server gets its port back at once
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool listens =
        socket.number() >= 0 &&
        ::bind(socket.number(), addresses.first()->ai_addr, addresses.first()->ai_addrlen) == 0 &&
        ::listen(socket.number(), SOMAXCONN) == 0;
    if (!listens) throw listenError(address, errno);
    const uint16_t bound = boundPort(socket.number());
    return std::make_unique<PosixListener>(address, std::move(socket), bound);
  }

 private:
  const std::unique_ptr<Clock> clock_ = makeClock();
};

}  // namespace

std::unique_ptr<Network> makeNetwork() { return std::make_unique<PosixNetwork>(); }

}  // namespace flott::posix
