#include "flott/connectors/postgres/postgres_rows.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "flott/base/error.h"
#include "flott/formats/bad_record.h"

namespace flott {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

int64_t floorDivide(int64_t number, int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

struct Day {
  int64_t year;
  int month;
  int day;
};

// Days since 1970 in the Gregorian calendar, counted in eras of 400 years that begin with March.
Day dayOf(int64_t days) {
  const int64_t fromMarch0 = days + 719'468;
  const int64_t era = floorDivide(fromMarch0, 146'097);
  const int64_t dayOfEra = fromMarch0 - era * 146'097;
  const int64_t yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36'524 - dayOfEra / 146'096) / 365;
  const int64_t dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const int64_t month = (5 * dayOfYear + 2) / 153;
  const int day = static_cast<int>(dayOfYear - (153 * month + 2) / 5 + 1);
  const int number = static_cast<int>(month < 10 ? month + 3 : month - 9);
  return {.year = yearOfEra + era * 400 + (number <= 2 ? 1 : 0), .month = number, .day = day};
}

void appendDigits(int64_t number, size_t digits, std::string& out) {
  const std::string text = std::to_string(number);
  out.append(digits - std::min(digits, text.size()), '0');
  out += text;
}

// "2026-01-31 12:00:00.000000+00", with " BC" behind it for years before 1.
void appendTime(int64_t micros, std::string& out) {
  const int64_t days = floorDivide(micros, kMicrosPerDay);
  const int64_t ofDay = micros - days * kMicrosPerDay;
  const Day day = dayOf(days);
  appendDigits(day.year > 0 ? day.year : 1 - day.year, 4, out);
  out += '-';
  appendDigits(day.month, 2, out);
  out += '-';
  appendDigits(day.day, 2, out);
  out += ' ';
  const int64_t seconds = ofDay / kMicrosPerSecond;
  appendDigits(seconds / 3600, 2, out);
  out += ':';
  appendDigits(seconds / 60 % 60, 2, out);
  out += ':';
  appendDigits(seconds % 60, 2, out);
  out += '.';
  appendDigits(ofDay % kMicrosPerSecond, 6, out);
  out += day.year > 0 ? "+00" : "+00 BC";
}

template <typename N>
void appendNumber(N value, std::string& out) {
  if constexpr (std::is_floating_point_v<N>) {
    if (value != value || value - value != 0) {
      out += value != value ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
      return;
    }
  }
  char text[64];
  const auto [end, problem] = std::to_chars(text, text + sizeof text, value);
  FLOTT_CHECK(problem == std::errc());
  out.append(text, end);
}

}  // namespace

int64_t postgres::microsOf(int64_t count, int64_t numerator, int64_t denominator) {
  const __int128 scaled = static_cast<__int128>(count) * numerator * kMicrosPerSecond;
  __int128 micros = scaled / denominator;
  if (scaled % denominator < 0) --micros;
  return static_cast<int64_t>(
      std::clamp<__int128>(micros, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
}

PostgresRow& PostgresRow::end() {
  rows_->cells_.push_back(rows_->text_.size());
  return *this;
}

PostgresRow& PostgresRow::addNull() {
  rows_->cells_.push_back(rows_->text_.size() | PostgresRows::kNull);
  return *this;
}

PostgresRow& PostgresRow::addText(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    const size_t column = rows_->cells_.size() - rows_->rows_ * rows_->columns_;
    throw Error(ErrorKind::kUser,
                "the value of column '" + (column < rows_->columns_ ? (*rows_->names_)[column] : "?") +
                    "' has a zero byte, which no text in PostgreSQL can hold: remove it, or write bytes "
                    "(std::vector<uint8_t>) into a column of type bytea");
  }
  rows_->text_ += text;
  return end();
}

PostgresRow& PostgresRow::addSigned(int64_t value) {
  appendNumber(value, rows_->text_);
  return end();
}

PostgresRow& PostgresRow::addUnsigned(uint64_t value) {
  appendNumber(value, rows_->text_);
  return end();
}

PostgresRow& PostgresRow::addFloat(float value) {
  appendNumber(value, rows_->text_);
  return end();
}

PostgresRow& PostgresRow::addFloat(double value) {
  appendNumber(value, rows_->text_);
  return end();
}

PostgresRow& PostgresRow::addBytes(const uint8_t* bytes, size_t size) {
  rows_->text_ += "\\x";
  for (size_t i = 0; i < size; ++i) {
    rows_->text_ += "0123456789abcdef"[bytes[i] >> 4];
    rows_->text_ += "0123456789abcdef"[bytes[i] & 15];
  }
  return end();
}

PostgresRow& PostgresRow::addTimestamp(Timestamp time) {
  if (time == Timestamp::min()) return addText("-infinity");
  if (time == Timestamp::max()) return addText("infinity");
  return addMicros(postgres::microsOf(time.ms, 1, 1000));
}

PostgresRow& PostgresRow::addMicros(int64_t micros) {
  appendTime(micros, rows_->text_);
  return end();
}

void PostgresRows::endRow() {
  ++rows_;
  if (cells_.size() == rows_ * columns_) return;
  std::string names;
  for (const std::string& name : *names_) names += (names.empty() ? "" : ", ") + name;
  throw Error(ErrorKind::kUser, "the row has " + std::to_string(cells_.size() - (rows_ - 1) * columns_) +
                                    " values, and the sink has " + std::to_string(columns_) + " columns (" +
                                    names + "): add() one for each, addNull() where there is none");
}

std::optional<std::string_view> PostgresRows::value(size_t row, size_t column) const {
  const size_t cell = row * columns_ + column;
  if ((cells_[cell] & kNull) != 0) return std::nullopt;
  const uint64_t begin = cell == 0 ? 0 : cells_[cell - 1] & ~kNull;
  return std::string_view(text_).substr(begin, cells_[cell] - begin);
}

std::string PostgresRows::array(size_t column, const std::vector<size_t>& rows) const {
  std::string out = "{";
  for (const size_t row : rows) {
    if (out.size() > 1) out += ',';
    const std::optional<std::string_view> text = value(row, column);
    if (!text) {
      out += "NULL";
      continue;
    }
    out += '"';
    for (const char c : *text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  out += '}';
  return out;
}

std::vector<size_t> PostgresRows::allRows() const {
  std::vector<size_t> all(rows_);
  for (size_t i = 0; i < rows_; ++i) all[i] = i;
  return all;
}

std::vector<size_t> PostgresRows::lastOfEach(const std::vector<size_t>& keys) const {
  std::unordered_set<std::string> seen;
  std::vector<size_t> last;
  for (size_t row = rows_; row-- > 0;) {
    std::string key;
    for (const size_t column : keys) {
      const std::string_view text = value(row, column).value_or("");
      key += std::to_string(text.size()) + ':';
      key += text;
    }
    if (seen.insert(std::move(key)).second) last.push_back(row);
  }
  std::reverse(last.begin(), last.end());
  return last;
}

std::string PostgresRows::describe(size_t row) const {
  std::string text;
  for (size_t column = 0; column < columns_; ++column) {
    if (column > 0) text += ", ";
    text += (*names_)[column] + "=";
    const std::optional<std::string_view> shown = value(row, column);
    if (shown) {
      appendQuoted(excerpt(*shown), text);
    } else {
      text += "NULL";
    }
  }
  return text;
}

}  // namespace flott
