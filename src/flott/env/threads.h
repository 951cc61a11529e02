// The only way to a thread. Made for lanes and for the pools of `env` itself; operators never see one.
//
// Absent in the simulation, where everything runs on the test's own thread: asking for a thread there is a
// broken invariant.
//
//   auto thread = env.threads.start({.name = "lane-0", .core = 0}, [&] { lane.run(); });
//   ...
//   thread->join();
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "flott/base/function.h"
#include "flott/env/parker.h"

namespace flott {

struct ThreadOptions {
  /// Shown by top and gdb; the system keeps the first 15 bytes.
  std::string name = {};
  /// Pins the thread to this core; −1 leaves it to the system.
  int core = -1;
};

/// A running thread. join() must have returned before the object dies.
class Thread {
 public:
  virtual ~Thread() = default;
  /// Waits until the body has returned. Not from the thread itself. A second call does nothing.
  virtual void join() = 0;
  /// CPU time the thread has used so far; its final value after join(). From any thread.
  virtual int64_t cpuNanos() const = 0;
};

class Threads {
 public:
  virtual ~Threads() = default;
  /// Starts a thread that runs `body` once. `body` must not throw: that aborts the process with the thread's
  /// name. Throws Error(kUser) for a core that this process may not use, Error(kTransient) when the system
  /// refuses a thread. From any thread.
  virtual std::unique_ptr<Thread> start(ThreadOptions options, MoveFunction<void()> body) = 0;
  /// From any thread; the thread that calls park() on it is its owner.
  virtual std::unique_ptr<Parker> makeParker() = 0;
};

}  // namespace flott
