// How long mail to a task waits: until the step under way ends, and the other tasks of the lane had their
// turn.
//
// Not measured by mail, which would wake tasks that have nothing to do: once a second the beginning of a step
// stands for mail that comes right then. Called by the task, read by any thread; costs a comparison or two a
// step.
#pragma once

#include <cstdint>

#include "flott/operators/metrics.h"

namespace flott {

class MailboxLatency {
 public:
  static constexpr int64_t kEveryNanos = 1'000'000'000;

  void beginStep(int64_t nowNanos) {
    if (since_ != 0) note(nowNanos);
    if (nowNanos < next_) return;
    since_ = nowNanos;
    next_ = nowNanos + kEveryNanos;
  }
  /// The task has nothing more to do: mail would have a step at once.
  void rest(int64_t nowNanos) {
    if (since_ != 0) note(nowNanos);
  }
  const Histogram& millis() const { return millis_; }

 private:
  void note(int64_t nowNanos) {
    millis_.update((nowNanos - since_) / 1'000'000);
    since_ = 0;
  }

  Histogram millis_;
  int64_t since_ = 0;  // of the mail that is thought of; 0: none is
  int64_t next_ = 0;
};

}  // namespace flott
