#include "flott/formats/text_value.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>

#include "flott/base/time.h"

namespace flott {
namespace {

template <typename N>
const char* rangeReason() {
  if constexpr (std::is_same_v<N, int8_t>) return "is out of range: int8 goes from -128 to 127";
  if constexpr (std::is_same_v<N, int16_t>) return "is out of range: int16 goes from -32768 to 32767";
  if constexpr (std::is_same_v<N, int32_t>)
    return "is out of range: int32 goes from -2147483648 to 2147483647";
  if constexpr (std::is_same_v<N, int64_t>) return "is out of range for int64";
  if constexpr (std::is_same_v<N, uint8_t>) return "is out of range: uint8 goes from 0 to 255";
  if constexpr (std::is_same_v<N, uint16_t>) return "is out of range: uint16 goes from 0 to 65535";
  if constexpr (std::is_same_v<N, uint32_t>) return "is out of range: uint32 goes from 0 to 4294967295";
  if constexpr (std::is_same_v<N, uint64_t>) return "is out of range for uint64";
  return "is out of range for a number of this size";
}

template <typename N>
const char* notOne(std::string_view text) {
  if (text.empty()) return "is empty, where a number is needed";
  if constexpr (std::is_integral_v<N>) {
    double number;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc::invalid_argument && end == text.data() + text.size()) {
      return std::is_unsigned_v<N> && text.front() == '-' ? rangeReason<N>() : "is not a whole number";
    }
  }
  return "is not a number";
}

template <typename N>
const char* parseNumber(std::string_view text, void* value) {
  N number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end == text.data() + text.size();
  if (whole && problem == std::errc()) [[likely]] {
    std::memcpy(value, &number, sizeof number);
    return nullptr;
  }
  return whole && problem == std::errc::result_out_of_range ? rangeReason<N>() : notOne<N>(text);
}

template <typename N>
void appendNumber(const void* value, std::string& out) {
  N number;
  std::memcpy(&number, value, sizeof number);
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

bool equalsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

const char* parseBool(std::string_view text, void* value) {
  const bool yes = equalsIgnoringCase(text, "true");
  if (!yes && !equalsIgnoringCase(text, "false")) return "is neither true nor false";
  std::memcpy(value, &yes, sizeof yes);
  return nullptr;
}

// Reads the parts of a time one after another; turns false at the first that does not fit.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : text_(text) {}

  int64_t digits(size_t count, int64_t least, int64_t most) {
    int64_t number = 0;
    for (size_t i = 0; i < count; ++i) {
      const char c = i < text_.size() ? text_[i] : 'x';
      good_ &= c >= '0' && c <= '9';
      number = number * 10 + (c - '0');
    }
    text_.remove_prefix(std::min(count, text_.size()));
    good_ &= number >= least && number <= most;
    return number;
  }
  bool skip(char c) {
    const bool there = !text_.empty() && text_.front() == c;
    if (there) text_.remove_prefix(1);
    return there;
  }
  void need(char c) { good_ &= skip(c); }
  // What follows a decimal point, as milliseconds; finer digits are dropped.
  int64_t fraction() {
    int64_t ms = 0;
    int digits = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; ++digits) {
      if (digits < 3) ms = ms * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    good_ &= digits >= 1 && digits <= 9;
    for (; digits < 3; ++digits) ms *= 10;
    return ms;
  }
  bool atEnd() const { return text_.empty(); }
  bool good() const { return good_; }

 private:
  std::string_view text_;
  bool good_ = true;
};

// Days since 1970 of a date of the Gregorian calendar, by Howard Hinnant's public-domain algorithm
// "days_from_civil".
int64_t daysFromCivil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t yearOfEra = year - era * 400;
  const int64_t dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719'468;
}

int64_t daysInMonth(int64_t year, int64_t month) {
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month == 2) return leap ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

int64_t timeOfDay(TimeText& text) {
  const int64_t hour = text.digits(2, 0, 23);
  text.need(':');
  const int64_t minute = text.digits(2, 0, 59);
  int64_t ms = (hour * 60 + minute) * 60'000;
  if (text.skip(':')) {
    ms += text.digits(2, 0, 59) * 1000;
    if (text.skip('.')) ms += text.fraction();
  }
  return ms;
}

int64_t zone(TimeText& text) {
  if (text.skip('Z') || text.atEnd()) return 0;
  const bool minus = text.skip('-');
  if (!minus) text.need('+');
  const int64_t hours = text.digits(2, 0, 18);
  text.skip(':');
  const int64_t ms = (hours * 60 + text.digits(2, 0, 59)) * 60'000;
  return minus ? -ms : ms;
}

const char* parseTimestamp(std::string_view text, void* value) {
  Timestamp time;
  if (parseNumber<int64_t>(text, &time.ms) != nullptr) {
    TimeText rest(text);
    const int64_t year = rest.digits(4, 0, 9999);
    rest.need('-');
    const int64_t month = rest.digits(2, 1, 12);
    rest.need('-');
    const int64_t day = rest.digits(2, 1, daysInMonth(year, month));
    time.ms = daysFromCivil(year, month, day) * 86'400'000;
    if (rest.skip('T') || rest.skip(' ')) {
      time.ms += timeOfDay(rest);
      time.ms -= zone(rest);
    }
    if (!rest.good() || !rest.atEnd())
      return "is not a time: write 2026-01-31T12:00:00.000Z, or milliseconds since 1970";
  }
  std::memcpy(value, &time, sizeof time);
  return nullptr;
}

// toString() writes only years of four digits in a way that parseValue() reads.
void appendTimestamp(const void* value, std::string& out) {
  constexpr int64_t kYear0 = -62'167'219'200'000;
  constexpr int64_t kYear10000 = 253'402'300'800'000;
  const auto& time = *static_cast<const Timestamp*>(value);
  if (time.ms >= kYear0 && time.ms < kYear10000) {
    out += toString(time);
  } else {
    appendNumber<int64_t>(&time.ms, out);
  }
}

}  // namespace

const char* parseValue(std::string_view text, TypeKind kind, void* value) {
  switch (kind) {
    case TypeKind::kBool:
      return parseBool(text, value);
    case TypeKind::kInt8:
      return parseNumber<int8_t>(text, value);
    case TypeKind::kInt16:
      return parseNumber<int16_t>(text, value);
    case TypeKind::kInt32:
      return parseNumber<int32_t>(text, value);
    case TypeKind::kInt64:
      return parseNumber<int64_t>(text, value);
    case TypeKind::kUint8:
      return parseNumber<uint8_t>(text, value);
    case TypeKind::kUint16:
      return parseNumber<uint16_t>(text, value);
    case TypeKind::kUint32:
      return parseNumber<uint32_t>(text, value);
    case TypeKind::kUint64:
      return parseNumber<uint64_t>(text, value);
    case TypeKind::kFloat:
      return parseNumber<float>(text, value);
    case TypeKind::kDouble:
      return parseNumber<double>(text, value);
    case TypeKind::kString:
      static_cast<std::string*>(value)->assign(text);
      return nullptr;
    case TypeKind::kTimestamp:
      return parseTimestamp(text, value);
    default:
      return "is of a kind that text cannot hold";
  }
}

void appendValue(TypeKind kind, const void* value, std::string& out) {
  switch (kind) {
    case TypeKind::kBool:
      out += *static_cast<const bool*>(value) ? "true" : "false";
      return;
    case TypeKind::kInt8:
      return appendNumber<int8_t>(value, out);
    case TypeKind::kInt16:
      return appendNumber<int16_t>(value, out);
    case TypeKind::kInt32:
      return appendNumber<int32_t>(value, out);
    case TypeKind::kInt64:
      return appendNumber<int64_t>(value, out);
    case TypeKind::kUint8:
      return appendNumber<uint8_t>(value, out);
    case TypeKind::kUint16:
      return appendNumber<uint16_t>(value, out);
    case TypeKind::kUint32:
      return appendNumber<uint32_t>(value, out);
    case TypeKind::kUint64:
      return appendNumber<uint64_t>(value, out);
    case TypeKind::kFloat:
      return appendNumber<float>(value, out);
    case TypeKind::kDouble:
      return appendNumber<double>(value, out);
    case TypeKind::kTimestamp:
      return appendTimestamp(value, out);
    default:
      out += *static_cast<const std::string*>(value);
  }
}

}  // namespace flott
