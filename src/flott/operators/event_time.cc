#include "flott/operators/event_time.h"

#include <algorithm>
#include <cstring>

#include "flott/base/error.h"
#include "flott/operators/function.h"

namespace flott {
namespace {

// Four timestamps at a time: compilers make vector instructions of it where there are any.
using FourTimes = int64_t __attribute__((vector_size(32)));

bool within(int64_t timestamp) {
  return timestamp >= kEarliestEventTime.ms && timestamp <= kLatestEventTime.ms;
}

}  // namespace

TimeRange timeRangeOf(std::span<const int64_t> timestamps) {
  const size_t count = timestamps.size();
  FLOTT_CHECK(count > 0);
  TimeRange range{timestamps[0], timestamps[0]};
  size_t i = 0;
  if (count >= 4) {
    FourTimes low, high;
    std::memcpy(&low, timestamps.data(), sizeof low);
    high = low;
    for (i = 4; i + 4 <= count; i += 4) {
      FourTimes next;
      std::memcpy(&next, timestamps.data() + i, sizeof next);
      low = next < low ? next : low;
      high = next > high ? next : high;
    }
    for (int lane = 0; lane < 4; ++lane) {
      range.min = std::min<int64_t>(range.min, low[lane]);
      range.max = std::max<int64_t>(range.max, high[lane]);
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

void throwNoTimestamps(const char* who) {
  throw Error(ErrorKind::kUser, std::string("records have no timestamp, which ") + who +
                                    " need: assign one with assignTimestampsAndWatermarks(…) before them, or "
                                    "use windows on processing time");
}

}  // namespace flott
