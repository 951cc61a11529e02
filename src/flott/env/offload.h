// Where blocking work goes: reading files, connecting, calling blocking clients. Lanes must never block, so
// they hand such work to a bounded pool of threads and get the result through a mailbox.
//
// The pool starts a thread only when there is work and none is idle. Its queue is bounded: a full queue
// answers `false`, and the caller tries again later, which is the back-pressure. Work is told apart by name,
// so that work that never returns can be named. In the simulation work waits until the test's scheduler runs
// it.
//
//   if (!env.offload.submit("read part-7.csv", std::move(readBlock))) tryAgainLater();
#pragma once

#include <string>
#include <vector>

#include "flott/base/function.h"
#include "flott/base/time.h"

namespace flott {

class Offload {
 public:
  virtual ~Offload() = default;
  /// Queues `work`; from any thread, never blocks. False when the queue is full or stop() was called: `work`
  /// is then untouched and still the caller's. `work` must not throw: in the real environment that aborts the
  /// process.
  [[nodiscard]] virtual bool submit(std::string name, MoveFunction<void()>&& work) = 0;
  /// Takes no more work, drops what has not begun, and waits up to `timeout` for what runs. Returns the names
  /// of the works that still run: their threads are left behind, and whatever these works refer to must stay
  /// alive. From any thread but the pool's own; a second call waits again.
  virtual std::vector<std::string> stop(Duration timeout) = 0;
};

}  // namespace flott
