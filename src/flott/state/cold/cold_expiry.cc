#include "flott/state/cold/cold_expiry.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "flott/base/bytes.h"
#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kTimeBytes = sizeof(int64_t);

int64_t timeAt(std::string_view value, size_t offset) {
  int64_t time;
  std::memcpy(&time, value.data() + offset, sizeof time);
  return time;
}

/// When the part that was touched last was, by expiring.h; nothing where the bytes are no such value.
std::optional<int64_t> lastTouched(TimesPlace times, std::string_view value) {
  if (value.size() < kTimeBytes) return std::nullopt;
  if (times == TimesPlace::kBefore) return timeAt(value, 0);
  // Times of a list do not decrease.
  if (times == TimesPlace::kBehindList) return timeAt(value, value.size() - kTimeBytes);
  if (times != TimesPlace::kBehindMap) return std::nullopt;
  ByteReader in(value);
  const uint64_t entries = in.varint();
  if (entries == 0 || entries > in.remaining() / kTimeBytes) return std::nullopt;
  int64_t last = std::numeric_limits<int64_t>::min();
  for (uint64_t i = 1; i <= entries; ++i)
    last = std::max(last, timeAt(value, value.size() - static_cast<size_t>(i) * kTimeBytes));
  return last;
}

}  // namespace

bool ColdExpiry::drops(std::string_view key, std::string_view value) const {
  if (key.size() < sizeof(uint16_t)) return false;
  const auto state = static_cast<uint16_t>(static_cast<uint8_t>(key[0]) << 8 | static_cast<uint8_t>(key[1]));
  const auto rule = rules_.find(state);
  if (rule == rules_.end()) return false;
  int64_t expired;
  const int64_t now = clock_->load(std::memory_order_relaxed);
  if (__builtin_sub_overflow(now, rule->second.timeToLive.ms, &expired)) return false;
  try {
    const std::optional<int64_t> touched = lastTouched(rule->second.times, value);
    return touched && *touched <= expired;
  } catch (const Error&) {
    return false;  // whoever reads it says what is wrong
  }
}

}  // namespace flott
