#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

#include "flott/base/error.h"
#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

constexpr int kWatched[] = {SIGINT, SIGTERM};
constexpr char kStop = 0;  // in the pipe, where signals have their own numbers

// Signal handlers belong to the process, and a handler reaches nothing but globals.
std::atomic<int> pipeEnd{-1};
std::atomic<int> arrived{0};

void onSignal(int number) {
  if (arrived.fetch_add(1) > 0) _exit(130);
  const int saved = errno;
  const char byte = static_cast<char>(number);
  [[maybe_unused]] const ssize_t written = ::write(pipeEnd.load(), &byte, 1);
  errno = saved;
}

struct Watcher {
  explicit Watcher(MoveFunction<void(int)> onSignal) : callback(std::move(onSignal)) {}
  MoveFunction<void(int)> callback;
  bool called = false;
};

// Handlers, pipe and thread while at least one watch lives.
class SignalHub {
 public:
  void add(Watcher* watcher) {
    std::lock_guard life(life_);
    {
      std::lock_guard lock(mutex_);
      watchers_.push_back(watcher);
      if (watchers_.size() > 1) return;
    }
    install();
  }

  void remove(Watcher* watcher) {
    std::lock_guard life(life_);
    {
      std::lock_guard lock(mutex_);
      watchers_.erase(std::find(watchers_.begin(), watchers_.end(), watcher));
      if (!watchers_.empty()) return;
    }
    uninstall();
  }

 private:
  void install() {
    int ends[2];
    FLOTT_CHECK(pipe2(ends, O_CLOEXEC) == 0, systemReason(errno));
    readEnd_ = Descriptor(ends[0]);
    writeEnd_ = Descriptor(ends[1]);
    pipeEnd = ends[1];
    arrived = 0;
    thread_ = std::thread([this] { deliver(); });
    for (size_t i = 0; i < std::size(kWatched); ++i) {
      struct sigaction action {};
      action.sa_handler = onSignal;
      action.sa_flags = SA_RESTART;
      sigaction(kWatched[i], &action, &former_[i]);
      // Whoever starts a program in the background or under nohup has said that Ctrl-C is not meant for it.
      if (former_[i].sa_handler == SIG_IGN) sigaction(kWatched[i], &former_[i], nullptr);
    }
  }

  void uninstall() {
    for (size_t i = 0; i < std::size(kWatched); ++i) sigaction(kWatched[i], &former_[i], nullptr);
    FLOTT_CHECK(retried([&] { return ::write(writeEnd_.number(), &kStop, 1); }) == 1, systemReason(errno));
    thread_.join();
  }

  void deliver() {
    nameThisThread("signals");
    char byte = kStop;
    while (retried([&] { return ::read(readEnd_.number(), &byte, 1); }) == 1 && byte != kStop) {
      std::lock_guard lock(mutex_);
      for (Watcher* watcher : watchers_) {
        if (!std::exchange(watcher->called, true)) watcher->callback(byte);
      }
    }
  }

  std::mutex life_;   // one installation or removal at a time
  std::mutex mutex_;  // watchers_; held while they are called, so that remove() waits for a callback
  std::vector<Watcher*> watchers_;
  struct sigaction former_[std::size(kWatched)];
  Descriptor readEnd_{-1};
  Descriptor writeEnd_{-1};
  std::thread thread_;
};

SignalHub& hub() {
  static SignalHub hub;
  return hub;
}

class PosixWatch final : public SignalWatch {
 public:
  explicit PosixWatch(MoveFunction<void(int)> onSignal) : watcher_(std::move(onSignal)) {
    hub().add(&watcher_);
  }
  ~PosixWatch() override { hub().remove(&watcher_); }

 private:
  Watcher watcher_;
};

class PosixSignals final : public Signals {
 public:
  std::unique_ptr<SignalWatch> watch(MoveFunction<void(int)> onSignal) override {
    return std::make_unique<PosixWatch>(std::move(onSignal));
  }
};

}  // namespace

std::unique_ptr<Signals> makeSignals() { return std::make_unique<PosixSignals>(); }

}  // namespace flott::posix
