#include <ctime>

#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

int64_t nanosOf(clockid_t id) {
  timespec now;
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class PosixClock final : public Clock {
 public:
  Timestamp wallTime() const override { return Timestamp(nanosOf(CLOCK_REALTIME) / 1'000'000); }
  int64_t monotonicNanos() const override { return nanosOf(CLOCK_MONOTONIC); }
};

}  // namespace

std::unique_ptr<Clock> makeClock() { return std::make_unique<PosixClock>(); }

}  // namespace flott::posix
