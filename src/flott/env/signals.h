// Ctrl-C and SIGTERM as an orderly request to stop.
//
// Used by whoever owns the process (the API's execute(), the `flott` command), never deeper. While a watch
// lives, the first signal calls back on a watcher thread, where ordinary code may run; a second one ends the
// process at once with status 130, for people whose first Ctrl-C hangs. When the last watch dies, the former
// handlers are back. Several watches may live at once: each is called.
//
//   auto watch = env.signals.watch([&](int) { job.cancel(); });
#pragma once

#include <memory>

#include "flott/base/function.h"

namespace flott {

/// Watches until destroyed. The destructor waits for a callback that is running, so it must not run inside
/// one.
class SignalWatch {
 public:
  virtual ~SignalWatch() = default;
};

class Signals {
 public:
  virtual ~Signals() = default;
  /// `onSignal` gets SIGINT (2) or SIGTERM (15), at most once; it must not throw. From any thread.
  virtual std::unique_ptr<SignalWatch> watch(MoveFunction<void(int)> onSignal) = 0;
};

}  // namespace flott
