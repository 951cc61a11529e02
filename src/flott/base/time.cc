#include "flott/base/time.h"

#include <charconv>
#include <cstdio>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/types.h"

namespace flott {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
};
// Longest first for printing; every spelling that Flink takes for parsing.
constexpr Unit kPrinted[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr Unit kParsed[] = {{"", 1},           {"ms", 1},           {"milli", 1},
                            {"millis", 1},     {"millisecond", 1},  {"milliseconds", 1},
                            {"s", 1'000},      {"sec", 1'000},      {"secs", 1'000},
                            {"second", 1'000}, {"seconds", 1'000},  {"m", 60'000},
                            {"min", 60'000},   {"minute", 60'000},  {"minutes", 60'000},
                            {"h", 3'600'000},  {"hour", 3'600'000}, {"hours", 3'600'000},
                            {"d", 86'400'000}, {"day", 86'400'000}, {"days", 86'400'000}};

int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Days since the epoch to a civil date, by Howard Hinnant's public-domain algorithm "civil_from_days".
void civil(int64_t days, int64_t& year, unsigned& month, unsigned& day) {
  days += 719'468;
  const int64_t era = floorDiv(days, 146'097);
  const auto dayOfEra = static_cast<unsigned>(days - era * 146'097);
  const unsigned yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36'524 - dayOfEra / 146'096) / 365;
  const unsigned dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const unsigned shifted = (5 * dayOfYear + 2) / 153;
  day = dayOfYear - (153 * shifted + 2) / 5 + 1;
  month = shifted < 10 ? shifted + 3 : shifted - 9;
  year = static_cast<int64_t>(yearOfEra) + era * 400 + (month <= 2 ? 1 : 0);
}

}  // namespace

std::string toString(Duration d) {
  for (const Unit& unit : kPrinted) {
    if (d.ms != 0 && d.ms % unit.ms == 0)
      return std::to_string(d.ms / unit.ms) + " " + std::string(unit.name);
  }
  return std::to_string(d.ms) + " ms";
}

std::string toString(Timestamp t) {
  if (t == Timestamp::min()) return "none";
  if (t == Timestamp::max()) return "end";
  int64_t year;
  unsigned month, day;
  const int64_t days = floorDiv(t.ms, 86'400'000);
  civil(days, year, month, day);
  const int64_t rest = t.ms % 86'400'000;  // near the first moment of all the days' start has no number
  const int64_t ms = rest < 0 ? rest + 86'400'000 : rest;
  char text[64];
  std::snprintf(text, sizeof text, "%04lld-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<long long>(year),
                month, day, static_cast<int>(ms / 3'600'000), static_cast<int>(ms / 60'000 % 60),
                static_cast<int>(ms / 1000 % 60), static_cast<int>(ms % 1000));
  return text;
}

Duration parseDuration(std::string_view text) {
  const auto fail = [&](const char* why) {
    return Error(ErrorKind::kUser,
                 "'" + std::string(text) + "' is not a duration: " + why +
                     "; write a whole number and a unit, such as 100 ms, 5 s, 2 min, 1 h, 1 d");
  };
  const auto trim = [](std::string_view s) {
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
    return s;
  };
  const std::string_view trimmed = trim(text);
  int64_t number = 0;
  const auto [rest, problem] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), number);
  if (problem == std::errc::result_out_of_range) throw fail("the number is too large");
  if (problem != std::errc()) throw fail("it does not begin with a number");
  const auto used = static_cast<size_t>(rest - trimmed.data());
  const std::string_view name = trim(trimmed.substr(used));
  for (const Unit& unit : kParsed) {
    if (unit.name != name) continue;
    int64_t ms;
    if (__builtin_mul_overflow(number, unit.ms, &ms)) throw fail("the number is too large");
    return Duration(ms);
  }
  throw fail("the unit is unknown");
}

std::string toString(OperatorId id) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id.value));
  return text;
}

OperatorId parseOperatorId(std::string_view text) {
  OperatorId id;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  if (text.size() != 16 || problem != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorKind::kUser, "'" + std::string(text) +
                                      "' is no operator id: give the 16 hexadecimal digits that plans and "
                                      "errors show");
  }
  return id;
}

}  // namespace flott
