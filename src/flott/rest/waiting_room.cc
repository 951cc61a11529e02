#include "flott/rest/waiting_room.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <list>
#include <mutex>

#include "flott/base/error.h"
#include "flott/rest/http_text.h"

namespace flott {

std::optional<size_t> bytesWorthWaitingFor(std::string_view bytes, size_t bodyBytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const std::string head = lowerCase(bytes.substr(0, end + 2));
  constexpr std::string_view kName = "\r\ncontent-length:";
  const size_t found = head.find(kName);
  if (found == std::string::npos) return end + 4;
  const char* const from = head.data() + head.find_first_not_of(" \t", found + kName.size());
  size_t length = 0;
  const auto [rest, problem] = std::from_chars(from, head.data() + head.size(), length);
  return problem == std::errc() && length <= bodyBytes ? end + 4 + length : end + 4;
}

class WaitingRoom::Room {
 public:
  Room(const Env& env, WaitingRoomOptions options, MoveFunction<void(Guest)> ready)
      : env_(env), options_(options), ready_(std::move(ready)) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
      throw Error(ErrorKind::kTransient, "no descriptors are left for the server of REST");
    bell_ = ends[0];
    button_ = ends[1];
    try {
      thread_ = env_.threads.start({.name = "rest-wait"}, [this] { run(); });
    } catch (...) {
      closeAll();
      throw;
    }
  }
  ~Room() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    taken_.notify_all();
    ring();
    thread_->join();
    closeAll();
  }

  void admit(int socket) {
    std::unique_lock lock(mutex_);
    // Meanwhile connections stay with the kernel.
    taken_.wait(lock, [this] { return ended_ || arrived_.size() < options_.most; });
    arrived_.push_back({.socket = socket, .since = env_.clock.monotonicNanos()});
    ring();
  }

 private:
  void ring() const {
    const char one = 1;
    [[maybe_unused]] const ssize_t sent = ::send(button_, &one, 1, MSG_NOSIGNAL);  // full: it rings already
  }

  void run() {
    std::vector<pollfd> polled;
    for (;;) {
      polled.assign(1, {.fd = bell_, .events = POLLIN, .revents = 0});
      for (const Guest& guest : guests_)
        polled.push_back({.fd = guest.socket, .events = POLLIN, .revents = 0});
      ::poll(polled.data(), polled.size(), millisToWait());
      char dropped[64];
      while (::recv(bell_, dropped, sizeof dropped, 0) > 0) {
      }
      size_t at = 1;
      const int64_t now = env_.clock.monotonicNanos();
      for (auto guest = guests_.begin(); guest != guests_.end();) {
        const bool readable = polled[at++].revents != 0;
        guest->late = now >= deadlineOf(*guest);
        if ((readable && read(*guest)) || guest->late) {
          ready_(std::move(*guest));
          guest = guests_.erase(guest);
        } else {
          ++guest;
        }
      }
      if (!takeArrived()) return;
    }
  }

  /// False: it is over.
  bool takeArrived() {
    {
      const std::lock_guard lock(mutex_);
      guests_.splice(guests_.end(), arrived_);
      taken_.notify_all();
      if (ended_) return false;
    }
    while (guests_.size() > options_.most) {
      guests_.front().late = true;
      ready_(std::move(guests_.front()));
      guests_.pop_front();
    }
    return true;
  }

  int64_t deadlineOf(const Guest& guest) const { return guest.since + options_.time.ms * 1'000'000; }

  int millisToWait() const {
    if (guests_.empty()) return -1;
    // They all have the same time, so the first ends first.
    const int64_t nanos = deadlineOf(guests_.front()) - env_.clock.monotonicNanos();
    return static_cast<int>(std::clamp<int64_t>(nanos / 1'000'000 + 1, 0, 60'000));
  }

  /// Whether there is nothing more to wait for.
  bool read(Guest& guest) const {
    char block[16 << 10];
    const ssize_t got = ::recv(guest.socket, block, sizeof block, MSG_DONTWAIT);
    if (got < 0) return errno != EAGAIN && errno != EINTR;
    guest.bytes.append(block, static_cast<size_t>(got));
    if (got == 0) return true;
    const std::optional<size_t> wanted = bytesWorthWaitingFor(guest.bytes, options_.bodyBytes);
    return guest.bytes.size() >= wanted.value_or(options_.headBytes);
  }

  void closeAll() {
    for (const Guest& guest : guests_) ::close(guest.socket);
    for (const Guest& guest : arrived_) ::close(guest.socket);
    ::close(bell_);
    ::close(button_);
  }

  const Env env_;
  const WaitingRoomOptions options_;
  MoveFunction<void(Guest)> ready_;
  int bell_ = -1;
  int button_ = -1;
  std::list<Guest> guests_;  // the thread's; oldest first
  std::mutex mutex_;
  std::condition_variable taken_;
  std::list<Guest> arrived_;
  bool ended_ = false;
  std::unique_ptr<Thread> thread_;
};

WaitingRoom::WaitingRoom(const Env& env, WaitingRoomOptions options, MoveFunction<void(Guest)> ready)
    : room_(std::make_unique<Room>(env, options, std::move(ready))) {}

WaitingRoom::~WaitingRoom() = default;

void WaitingRoom::admit(int socket) { room_->admit(socket); }

}  // namespace flott
