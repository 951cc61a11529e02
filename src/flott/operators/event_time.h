// The timestamps of a batch as a whole: what operators on event time look at before they look at records.
//
// Event time is int64 milliseconds since 1970 and must leave room for what is computed around it: windows,
// delays, time zones. Hence the limits below, checked where timestamps are assigned and where windows are
// found. Plain functions, any thread.
#pragma once

#include <cstdint>
#include <span>

#include "flott/base/time.h"
#include "flott/data/batch.h"

namespace flott {

inline constexpr Timestamp kEarliestEventTime{-(int64_t{1} << 62)};
inline constexpr Timestamp kLatestEventTime{int64_t{1} << 62};

/// Least and greatest timestamp, both included.
struct TimeRange {
  int64_t min;
  int64_t max;
};

/// Of at least one timestamp.
TimeRange timeRangeOf(std::span<const int64_t> timestamps);

/// `range` is that of the batch. Throws Error(kUser) that names the first record whose timestamp is beyond
/// the limits, with its value.
void checkEventTimes(const BatchBody& batch, TimeRange range);

/// Every record has a timestamp within the limits; else throws Error(kUser), saying that `who` needs them.
void requireEventTimes(const BatchBody& batch, const char* who);

/// The batch has no timestamps where `who` needs them: throws Error(kUser).
[[noreturn]] void throwNoTimestamps(const char* who);

}  // namespace flott
