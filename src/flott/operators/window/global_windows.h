// Global windows: all records of a key in one window without an end, which a trigger has to fire; and windows
// of so many records, which are made of them. Values that the user hands to window(…).
//
//   clicks.keyBy(&Click::user).window(GlobalWindows::create()).trigger(CountTrigger::of(100)).reduce(…)
//   clicks.keyBy(&Click::user).countWindow(100, 10).sum(&Click::amount)
#pragma once

#include <string>

#include "flott/operators/timer_service.h"
#include "flott/operators/window/window_assigner.h"

namespace flott {

class GlobalWindows {
 public:
  using Window = GlobalWindow;
  static constexpr TimeDomain kDomain = TimeDomain::kProcessingTime;
  static constexpr const char* kName = "GlobalWindows";

  static GlobalWindows create() { return {}; }
  template <typename T>
  GlobalWindow assignWindows(const T&, Timestamp, AssignerContext&) const {
    return {};
  }
};

/// What countWindow(…) is made of: the last `size` records of a key, at every `slide`-th. With size = slide
/// the windows do not overlap. A trigger or evictor of one's own makes global windows of them.
class CountWindows {
 public:
  using Window = GlobalWindow;
  static constexpr TimeDomain kDomain = TimeDomain::kProcessingTime;
  static constexpr const char* kName = "CountWindows";

  /// Throws Error(kUser) for a size or slide that is not positive.
  static CountWindows of(int64_t size, int64_t slide);

  int64_t size() const { return size_; }
  int64_t slide() const { return slide_; }
  std::string toString() const;
  template <typename T>
  GlobalWindow assignWindows(const T&, Timestamp, AssignerContext&) const {
    return {};
  }

 private:
  CountWindows(int64_t size, int64_t slide) : size_(size), slide_(slide) {}

  int64_t size_;
  int64_t slide_;
};

}  // namespace flott
