#include "flott/env/posix/async_network.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <vector>

#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"
#include "flott/env/posix/sockets.h"

namespace flott {
namespace posix {
namespace {

// What epoll points to. Closing the descriptor ends that, so poll() meets none that is gone.
struct Watched {
  bool ready = false;
  bool answered = false;  // something has come from epoll
};

bool wouldWait() { return errno == EAGAIN || errno == EWOULDBLOCK; }

class PosixAsyncConnection final : public AsyncConnection {
 public:
  PosixAsyncConnection(std::string address, Descriptor socket)
      : address_(std::move(address)), socket_(std::move(socket)) {
    sendAtOnce(socket_);
  }
  ~PosixAsyncConnection() override { endConnecting(); }

  /// Stands in the list until it is connected or has failed, and has until the deadline.
  void beginConnecting(std::vector<PosixAsyncConnection*>& connecting, int64_t deadline, Duration timeout) {
    connecting_ = &connecting;
    deadline_ = deadline;
    timeout_ = timeout;
    connecting.push_back(this);
  }
  void fail(int problem) {
    endConnecting();
    problem_ = problem;
    watched_.ready = true;
  }
  void setReady() { watched_.ready = true; }
  int64_t deadline() const { return deadline_; }
  int number() const { return socket_.number(); }
  Watched& watched() { return watched_; }

  Io read(std::span<char> into) override {
    if (!connected()) return {Io::State::kWaits};
    const ssize_t got = retried([&] { return ::recv(number(), into.data(), into.size(), 0); });
    if (got > 0) return {Io::State::kDone, static_cast<size_t>(got)};
    if (got == 0) return {Io::State::kEnded};
    if (wouldWait()) return {Io::State::kWaits};
    throwBroken("reading");
  }

  Io write(std::span<const std::string_view> parts) override {
    if (!connected()) return {Io::State::kWaits};
    iovec pieces[kMostParts];
    const size_t count = std::min(parts.size(), kMostParts);
    for (size_t i = 0; i < count; ++i) pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    const ssize_t sent = retried([&] { return ::sendmsg(number(), &message, MSG_NOSIGNAL); });
    if (sent >= 0) return {Io::State::kDone, static_cast<size_t>(sent)};
    if (wouldWait()) return {Io::State::kWaits};
    throwBroken("writing");
  }

  bool ready() override { return std::exchange(watched_.ready, false); }
  const std::string& address() const override { return address_; }

 private:
  // False: not yet. Throws what is wrong, each time.
  bool connected() {
    if (connecting_ != nullptr) {
      if (!watched_.answered) return false;
      endConnecting();
      socklen_t size = sizeof problem_;
      ::getsockopt(number(), SOL_SOCKET, SO_ERROR, &problem_, &size);
    }
    if (problem_ == 0) return true;
    if (doing_ != nullptr) throw connectionBroken(address_, doing_, problem_);
    throw connectError(address_, problem_, timeout_);
  }

  void endConnecting() {
    if (connecting_ != nullptr) std::erase(*std::exchange(connecting_, nullptr), this);
  }

  [[noreturn]] void throwBroken(const char* doing) {
    problem_ = errno;
    doing_ = doing;
    throw connectionBroken(address_, doing, problem_);
  }

  const std::string address_;
  const Descriptor socket_;
  Watched watched_;
  std::vector<PosixAsyncConnection*>* connecting_ = nullptr;  // null: it is connected, or has failed
  int64_t deadline_ = kNoDeadline;
  Duration timeout_;
  int problem_ = 0;
  const char* doing_ = nullptr;  // when it broke; null: it was never connected
};

// Tells of what is new only, and once: nothing is asked of the kernel again for each read and write.
class Epoll {
 public:
  Epoll() : descriptor_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (descriptor_.number() < 0) throw noDescriptor(errno);
  }
  static Error noDescriptor(int problem) {
    return Error(ErrorKind::kTransient, "the system gives no descriptor for the network: " +
                                            systemReason(problem) + "; raise the limit (ulimit -n)");
  }

  void watch(int number, uint32_t events, Watched* watched) {
    epoll_event event{};
    event.events = events | EPOLLET;
    event.data.ptr = watched;
    if (::epoll_ctl(descriptor_.number(), EPOLL_CTL_ADD, number, &event) != 0) throw noDescriptor(errno);
  }

  void wait(int millis) {
    epoll_event events[64];
    const int count = ::epoll_wait(descriptor_.number(), events, 64, millis);
    for (int i = 0; i < count; ++i) {
      auto* watched = static_cast<Watched*>(events[i].data.ptr);
      watched->ready = watched->answered = true;
    }
  }

 private:
  const Descriptor descriptor_;
};

constexpr uint32_t kBothWays = EPOLLIN | EPOLLOUT | EPOLLRDHUP;

class PosixAsyncListener final : public AsyncListener {
 public:
  PosixAsyncListener(std::string address, Descriptor socket, Epoll& epoll)
      : address_(std::move(address)), socket_(std::move(socket)), port_(boundPort(socket_)), epoll_(epoll) {
    epoll_.watch(socket_.number(), EPOLLIN, &watched_);
  }

  uint16_t port() const override { return port_; }

  std::unique_ptr<AsyncConnection> accept() override {
    for (;;) {
      Descriptor peer(retried(
          [&] { return ::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }));
      if (peer.number() < 0 && errno == ECONNABORTED) continue;
      if (peer.number() < 0 && wouldWait()) return nullptr;
      if (peer.number() < 0) throw listenError(address_, errno);
      auto connection = std::make_unique<PosixAsyncConnection>("a peer of " + address_, std::move(peer));
      connection->setReady();
      epoll_.watch(connection->number(), kBothWays, &connection->watched());
      return connection;
    }
  }

 private:
  const std::string address_;
  const Descriptor socket_;
  const uint16_t port_;
  Epoll& epoll_;
  Watched watched_;
};

class PosixAsyncNetwork final : public AsyncNetwork {
 public:
  explicit PosixAsyncNetwork(const Clock& clock) : clock_(clock) {
    if (alarm_.number() < 0) throw Epoll::noDescriptor(errno);
    epoll_.watch(alarm_.number(), EPOLLIN, &alarmed_);
  }

  std::unique_ptr<AsyncConnection> connect(const std::string& address, uint16_t port,
                                           Duration timeout) override {
    const Resolved addresses(address, port, AI_NUMERICHOST);
    const addrinfo& to = *addresses.first();
    Descriptor socket = makeSocket(to, SOCK_NONBLOCK);
    if (socket.number() < 0) throw Epoll::noDescriptor(errno);
    const int failed = ::connect(socket.number(), to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
    auto connection = std::make_unique<PosixAsyncConnection>(addressText(address, port), std::move(socket));
    if (failed != 0 && failed != EINPROGRESS) {
      connection->fail(failed);
      return connection;
    }
    connection->beginConnecting(connecting_, deadlineAfter(clock_, timeout), timeout);
    epoll_.watch(connection->number(), kBothWays, &connection->watched());
    return connection;
  }

  std::unique_ptr<AsyncListener> listen(const std::string& address, uint16_t port) override {
    const std::string text = addressText(address, port);
    Descriptor socket = listeningSocket(Resolved(address, port, AI_NUMERICHOST | AI_PASSIVE), text);
    return std::make_unique<PosixAsyncListener>(text, std::move(socket), epoll_);
  }

  void poll(int64_t deadlineNanos) override {
    for (PosixAsyncConnection* connection : connecting_)
      deadlineNanos = std::min(deadlineNanos, connection->deadline());
    int millis = millisUntil(deadlineNanos);
    uint32_t awake = kAwake;
    if (millis != 0 && !state_.compare_exchange_strong(awake, kPolls)) millis = 0;
    epoll_.wait(millis);
    state_.store(kAwake);
    failLate();
  }

  void wake() noexcept override {
    if (state_.exchange(kNotified) != kPolls) return;
    const uint64_t one = 1;
    retried([&] { return ::write(alarm_.number(), &one, sizeof one); });
  }

 private:
  static constexpr uint32_t kAwake = 0;
  static constexpr uint32_t kPolls = 1;     // in poll(), or about to be
  static constexpr uint32_t kNotified = 2;  // the next poll() does not wait

  // Rounded up, so that the time has come when the wait is over.
  int millisUntil(int64_t deadlineNanos) const {
    if (deadlineNanos == kNoDeadline) return -1;
    const int64_t wait = deadlineNanos - clock_.monotonicNanos();
    return wait <= 0 ? 0 : static_cast<int>(std::min<int64_t>((wait - 1) / 1'000'000 + 1, INT_MAX));
  }

  void failLate() {
    if (connecting_.empty()) return;
    const int64_t now = clock_.monotonicNanos();
    const std::vector<PosixAsyncConnection*> all = connecting_;
    for (PosixAsyncConnection* connection : all) {
      if (!connection->watched().answered && connection->deadline() <= now) connection->fail(ETIMEDOUT);
    }
  }

  const Clock& clock_;
  Epoll epoll_;
  const Descriptor alarm_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Watched alarmed_;
  std::atomic<uint32_t> state_{kAwake};
  std::vector<PosixAsyncConnection*> connecting_;
};

}  // namespace
}  // namespace posix

std::unique_ptr<AsyncNetwork> makeAsyncNetwork(const Clock& clock) {
  return std::make_unique<posix::PosixAsyncNetwork>(clock);
}

}  // namespace flott
