// Tells when a stream, or a split of one, is idle: it had no record for a time during which one could have
// come.
//
// Its time is OperatorContext::availableNanos(), which stands still while back-pressure holds the task up.
// Asked at ticks; used by whoever makes watermarks, on the task's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "flott/base/time.h"

namespace flott {

class IdlenessClock {
 public:
  explicit IdlenessClock(std::optional<Duration> limit) : limit_(limit) {}

  bool enabled() const { return limit_.has_value(); }
  Duration limit() const { return *limit_; }
  bool idle() const { return idle_; }
  /// Quiet from here on; also while nobody wants its records.
  void start(int64_t availableNanos) {
    seen_ = false;
    quietSince_ = availableNanos;
  }
  /// A record has come.
  void onRecord() {
    seen_ = true;
    idle_ = false;
  }
  void onTick(int64_t availableNanos) {
    if (seen_) {
      start(availableNanos);
    } else if (limit_ && (availableNanos - quietSince_) / 1'000'000 >= limit_->ms) {
      idle_ = true;
    }
  }

 private:
  std::optional<Duration> limit_;
  int64_t quietSince_ = 0;
  bool seen_ = false;
  bool idle_ = false;
};

}  // namespace flott
