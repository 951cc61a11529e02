// Points and spans of time, in milliseconds as in Flink's public API.
//
// Timestamp is event or processing time since 1970-01-01T00:00Z; Duration is a span. Both are plain int64
// values with a type. Duration converts from any std::chrono duration, so users write 5s, 10min. Neither
// reads a clock: that is the task of `env`.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace flott {

template <typename D>
concept ChronoDuration = requires(D d) {
  typename D::rep;
  typename D::period;
  {d.count()};
};

inline constexpr int64_t kNanosPerMilli = 1'000'000;

/// A span of milliseconds; may be negative.
struct Duration {
  int64_t ms = 0;

  constexpr Duration() = default;
  constexpr explicit Duration(int64_t milliseconds) : ms(milliseconds) {}
  /// From std::chrono (rounds towards zero), so that `5s` is a Duration.
  template <ChronoDuration D>
  constexpr Duration(D d)
      : ms(static_cast<int64_t>(d.count() * (D::period::num * 1000.0L) / D::period::den)) {}

  static constexpr Duration millis(int64_t n) { return Duration(n); }
  static constexpr Duration seconds(int64_t n) { return Duration(n * 1000); }
  static constexpr Duration max() { return Duration(std::numeric_limits<int64_t>::max()); }

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration o) const { return Duration(ms + o.ms); }
  constexpr Duration operator-(Duration o) const { return Duration(ms - o.ms); }
  constexpr Duration operator*(int64_t n) const { return Duration(ms * n); }
};

/// Milliseconds since the epoch. min() means "no timestamp"; max() is the watermark after the last record.
struct Timestamp {
  int64_t ms = std::numeric_limits<int64_t>::min();

  constexpr Timestamp() = default;
  constexpr explicit Timestamp(int64_t milliseconds) : ms(milliseconds) {}

  static constexpr Timestamp min() { return Timestamp(std::numeric_limits<int64_t>::min()); }
  static constexpr Timestamp max() { return Timestamp(std::numeric_limits<int64_t>::max()); }

  constexpr auto operator<=>(const Timestamp&) const = default;
  constexpr Timestamp operator+(Duration d) const { return Timestamp(ms + d.ms); }
  constexpr Timestamp operator-(Duration d) const { return Timestamp(ms - d.ms); }
  constexpr Duration operator-(Timestamp o) const { return Duration(ms - o.ms); }
};

/// "250 ms", "5 s", "2 min", "1 h": the largest unit that divides it.
std::string toString(Duration d);
/// "2026-01-31T12:00:00.000Z"; "none" for min(), "end" for max().
std::string toString(Timestamp t);
/// Flink's spelling: "100", "100 ms", "1 s", "5min", "1 h", "1 d". Throws Error(kUser) that names the text.
Duration parseDuration(std::string_view text);

}  // namespace flott
