// The parts of the real environment, each hidden in its own file. For real_env.cc and the files beside it
// only.
#pragma once

#include <memory>
#include <string>

#include "flott/base/function.h"
#include "flott/env/env.h"
#include "flott/env/posix/real_env.h"

namespace flott::posix {

std::unique_ptr<Clock> makeClock();
std::unique_ptr<Files> makeFiles();
std::unique_ptr<Network> makeNetwork();
std::unique_ptr<Threads> makeThreads();
std::unique_ptr<Offload> makeOffload(int threads, int queue);
std::unique_ptr<Signals> makeSignals();
std::unique_ptr<Console> makeConsole();
/// Throws Error(kUser) when the log file cannot be opened. The clock must outlive the logger.
std::unique_ptr<Logger> makeLogger(const LogOptions& options, const Clock& clock);
std::unique_ptr<System> makeSystem();
std::unique_ptr<ObjectStores> makeObjectStores();
/// From the system's own source of chance.
uint64_t randomSeed();

/// Names the calling thread for top and gdb, cut to the 15 bytes that the system keeps.
void nameThisThread(const std::string& name);
/// Runs `body`; aborts with `what` and the message when it throws, because nobody could take that exception.
void runOrAbort(const std::string& what, MoveFunction<void()>& body);

/// A file descriptor that is closed when it dies.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int number() const { return number_; }
  /// Gives up the duty to close it.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// Whether the last system call of this thread failed because a signal came.
bool wasInterrupted();
/// Repeats a system call that a signal interrupted.
template <typename Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && wasInterrupted()) result = call();
  return result;
}

}  // namespace flott::posix
