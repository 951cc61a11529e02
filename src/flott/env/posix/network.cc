#include <fcntl.h>
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
#include "flott/env/posix/sockets.h"

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
    sendAtOnce(socket_);
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
    throw connectError(addressText(host, port), problem, timeout);
  }

  std::unique_ptr<Listener> listen(const std::string& host, uint16_t port) override {
    const std::string address = addressText(host, port);
    Descriptor socket = listeningSocket(Resolved(host, port, AI_PASSIVE), address);
    const uint16_t bound = boundPort(socket);
    return std::make_unique<PosixListener>(address, std::move(socket), bound);
  }

 private:
  const std::unique_ptr<Clock> clock_ = makeClock();
};

}  // namespace

std::unique_ptr<Network> makeNetwork() { return std::make_unique<PosixNetwork>(); }

}  // namespace flott::posix
