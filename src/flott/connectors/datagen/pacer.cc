#include "flott/connectors/datagen/pacer.h"

#include <algorithm>
#include <cmath>

namespace flott {
namespace {

constexpr int64_t kMostBacklogNanos = 1'000'000'000;

}  // namespace

int64_t Pacer::dueNanos(uint64_t ahead) const {
  return start_ + static_cast<int64_t>(std::ceil(static_cast<double>(released_ + ahead) * period_));
}

uint64_t Pacer::due(int64_t now) {
  const int64_t late = now - dueNanos(0);
  if (late < 0) return 0;
  start_ += std::max<int64_t>(0, late - kMostBacklogNanos);
  // Records fall due at the beginning of their period, so the running one counts.
  const auto due = static_cast<uint64_t>(std::floor(static_cast<double>(now - start_) / period_)) + 1;
  return due > released_ ? due - released_ : 1;
}

int64_t Pacer::nextLook(int64_t now) const { return std::max(dueNanos(0), now + pacingNanos_); }

}  // namespace flott
