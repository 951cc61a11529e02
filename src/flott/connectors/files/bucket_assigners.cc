#include "flott/connectors/files/bucket_assigners.h"

#include <limits>

#include "flott/base/error.h"

namespace flott {
namespace {

struct Civil {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
};

/// Of days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin on
/// the first of March.
Civil civilOf(int64_t days) {
  const int64_t shifted = days + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const int64_t dayOfEra = shifted - era * 146'097;
  const int64_t yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36'524 - dayOfEra / 146'096) / 365;
  const int64_t dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const int64_t monthFromMarch = (5 * dayOfYear + 2) / 153;
  const int64_t month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {.year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1};
}

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void append(std::string& out, int64_t value, size_t digits) {
  const std::string text = std::to_string(value);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out += text;
}

/// Calls letters(letter, count) and text(part) for the parts of a pattern.
template <typename Letters, typename Text>
void eachPart(const std::string& pattern, Letters&& letters, Text&& text) {
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] == '\'') {
      const size_t end = std::min(pattern.find('\'', at + 1), pattern.size());
      text(end == at + 1 ? std::string("'") : pattern.substr(at + 1, end - at - 1));
      at = end + 1;
    } else if (isLetter(pattern[at])) {
      const size_t end = std::min(pattern.find_first_not_of(pattern[at], at), pattern.size());
      letters(pattern[at], end - at);
      at = end;
    } else {
      text(std::string(1, pattern[at++]));
    }
  }
}

}  // namespace

DateTimeBuckets::DateTimeBuckets(std::string pattern, UtcOffset zone)
    : pattern_(std::move(pattern)), ahead_(zone.ahead), second_(std::numeric_limits<int64_t>::min()) {
  const auto check = [this](char letter, size_t count) {
    const bool year = letter == 'y' && count == 4;
    if (year || (std::string_view("MdHms").find(letter) != std::string_view::npos && count == 2)) return;
    throw Error(ErrorKind::kUser, "the pattern '" + pattern_ + "' of date-time buckets has '" +
                                      std::string(count, letter) +
                                      "': use yyyy, MM, dd, HH, mm and ss, and put other text into '…'");
  };
  eachPart(pattern_, check, [](const std::string&) {});
}

std::string_view DateTimeBuckets::at(Timestamp time) {
  const int64_t millis = time.ms + ahead_.ms;
  const int64_t second = millis >= 0 ? millis / 1000 : (millis - 999) / 1000;
  if (second != second_) {
    text_ = format(second);
    second_ = second;
  }
  return text_;
}

std::string DateTimeBuckets::format(int64_t second) const {
  const int64_t days = second >= 0 ? second / 86'400 : (second - 86'399) / 86'400;
  const int64_t ofDay = second - days * 86'400;
  const Civil date = civilOf(days);
  std::string out;
  const auto letters = [&](char letter, size_t count) {
    switch (letter) {
      case 'y':
        return append(out, date.year, count);
      case 'M':
        return append(out, date.month, count);
      case 'd':
        return append(out, date.day, count);
      case 'H':
        return append(out, ofDay / 3600, count);
      case 'm':
        return append(out, ofDay / 60 % 60, count);
      default:
        return append(out, ofDay % 60, count);
    }
  };
  eachPart(pattern_, letters, [&out](const std::string& text) { out += text; });
  return out;
}

}  // namespace flott
