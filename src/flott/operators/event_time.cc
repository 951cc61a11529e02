#include "flott/operators/event_time.h"

#include <algorithm>
#include <cstring>

#include "flott/base/error.h"
#include "flott/operators/function.h"

namespace flott {
namespace {

// Four timestamps at a time: compilers make vector instructions of it where there are any.
using FourTimes = int64_t __attribute__((vector_size(32)));
// Independent ones, since each comparison waits for the one before.
constexpr size_t kChains = 4;

bool within(int64_t timestamp) {
  return timestamp >= kEarliestEventTime.ms && timestamp <= kLatestEventTime.ms;
}

}  // namespace

TimeRange timeRangeOf(std::span<const int64_t> timestamps) {
  const size_t count = timestamps.size();
  FLOTT_CHECK(count > 0);
  TimeRange range{timestamps[0], timestamps[0]};
  const auto load = [&](size_t i) {
    FourTimes four;
    std::memcpy(&four, timestamps.data() + i, sizeof four);
    return four;
  };
  size_t i = 0;
  if (count >= kChains * 4) {
    FourTimes low[kChains], high[kChains];
    for (size_t chain = 0; chain < kChains; ++chain) low[chain] = high[chain] = load(chain * 4);
    for (i = kChains * 4; i + kChains * 4 <= count; i += kChains * 4) {
#pragma GCC unroll 4
      for (size_t chain = 0; chain < kChains; ++chain) {
        const FourTimes next = load(i + chain * 4);
        low[chain] = next < low[chain] ? next : low[chain];
        high[chain] = next > high[chain] ? next : high[chain];
      }
    }
#pragma GCC unroll 4
    for (size_t chain = 1; chain < kChains; ++chain) {
      low[0] = low[chain] < low[0] ? low[chain] : low[0];
      high[0] = high[chain] > high[0] ? high[chain] : high[0];
    }
#pragma GCC unroll 4
    for (size_t lane = 0; lane < 4;
         ++lane) {  // an index that is no constant would keep all of them in memory
      range.min = std::min<int64_t>(range.min, low[0][lane]);
      range.max = std::max<int64_t>(range.max, high[0][lane]);
    }
  }
  for (; i < count; ++i) {
    range.min = std::min(range.min, timestamps[i]);
    range.max = std::max(range.max, timestamps[i]);
  }
  return range;
}

void checkEventTimes(const BatchBody& batch, TimeRange range) {
  if (within(range.min) && within(range.max)) [[likely]]
    return;
  forEachRow(batch, 0, [&](size_t i) {
    const int64_t timestamp = batch.timestamps()[i];
    if (within(timestamp)) return;
    throw Error(ErrorKind::kUser, "timestamp " + std::to_string(timestamp) +
                                      " is out of range: event time is in milliseconds since 1970, from " +
                                      std::to_string(kEarliestEventTime.ms) + " to " +
                                      std::to_string(kLatestEventTime.ms));
  });
}

void requireEventTimes(const BatchBody& batch, const char* who) {
  if (!batch.hasTimestamps()) throwNoTimestamps(who);
  const TimeRange range = timeRangeOf({batch.timestamps(), batch.size()});
  if (range.min == Timestamp::min().ms) throwNoTimestamps(who);
  checkEventTimes(batch, range);
}

void throwNoTimestamps(const char* who) {
  throw Error(ErrorKind::kUser, std::string("records have no timestamp, which ") + who +
                                    " need: assign one with assignTimestampsAndWatermarks(…) before them, or "
                                    "use windows on processing time");
}

}  // namespace flott
