#include "flott/formats/csv_scanner.h"

#include <algorithm>
#include <cstring>

#include "flott/base/error.h"

namespace flott {
namespace {

bool isSpace(char c) { return c == ' ' || c == '\t'; }
size_t index(char c) { return static_cast<unsigned char>(c); }

}  // namespace

void checkCsvOptions(const CsvOptions& options) {
  std::string special(1, options.delimiter);
  for (const char c : {options.quote, options.escape, options.comment}) {
    if (c != '\0') special += c;
  }
  for (size_t i = 0; i < special.size(); ++i) {
    if (special[i] == '\n' || special[i] == '\r' || special.find(special[i]) < i) {
      throw Error(
          ErrorKind::kUser,
          "CSV options: delimiter, quote, escape and comment must be different characters, and none a "
          "line feed (a doubled quote needs no escape)");
    }
  }
}

CsvScanner::CsvScanner(const CsvOptions& options) : options_(options) {
  endsPlain_[index(options.delimiter)] = endsPlain_[index('\n')] = true;
  endsQuoted_[index(options.quote)] = endsQuoted_[index('\n')] = true;
  if (options.escape != '\0') endsPlain_[index(options.escape)] = endsQuoted_[index(options.escape)] = true;
}

size_t CsvScanner::ignored(std::string_view bytes, bool last) const {
  size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view rest = bytes.substr(at);
    if (options_.skipBlankLines && (rest.starts_with('\n') || rest.starts_with("\r\n"))) {
      at += rest[0] == '\n' ? 1 : 2;
    } else if (options_.comment != '\0' && rest[0] == options_.comment) {
      const size_t lineFeed = rest.find('\n');
      if (lineFeed == std::string_view::npos) return last ? bytes.size() : at;
      at += lineFeed + 1;
    } else {
      break;
    }
  }
  return at;
}

CsvScanner::Result CsvScanner::scan(std::string_view bytes, bool last) {
  at_ = bytes.data();
  end_ = at_ + bytes.size();
  last_ = last;
  values_.clear();
  Result result = Result::kRecord;
  for (;;) {
    if (options_.trim) skipSpaces();
    Value& value = values_.emplace_back();
    if (options_.quote != '\0' && at_ < end_ && *at_ == options_.quote) {
      result = scanQuoted(value);
    } else {
      scanPlain(value);
    }
    if (result != Result::kRecord) break;
    if (at_ == end_ || *at_ != options_.delimiter) break;
    ++at_;
  }
  if (result == Result::kUnfinished || (at_ == end_ && !last)) return Result::kUnfinished;
  if (result != Result::kRecord) {  // the record is the rest of the line
    at_ = std::find(at_, end_, '\n');
    if (at_ == end_ && !last) return Result::kUnfinished;
  }
  if (at_ < end_ && *at_ == '\r') ++at_;
  if (at_ < end_) ++at_;
  used_ = static_cast<size_t>(at_ - bytes.data());
  return result;
}

void CsvScanner::scanPlain(Value& value) {
  const char* const begin = at_;
  const char* end = findIn(endsPlain_, begin);
  while (end < end_ && *end == options_.escape && options_.escape != '\0') {
    value.escaped = true;
    end = findIn(endsPlain_, std::min(end + 2, end_));
  }
  at_ = end;
  if (end < end_ && *end == '\n' && end > begin && end[-1] == '\r') --end;
  if (options_.trim) {
    while (end > begin && isSpace(end[-1])) --end;
  }
  value.text = {begin, static_cast<size_t>(end - begin)};
}

const char* CsvScanner::findIn(const bool (&ends)[256], const char* at) const {
  const char* const end = end_;
  while (at < end && !ends[index(*at)]) ++at;
  return at;
}

CsvScanner::Result CsvScanner::scanQuoted(Value& value) {
  const char* const begin = ++at_;
  value.quoted = true;
  for (;; ++at_) {
    at_ = findIn(endsQuoted_, at_);
    value.text = {begin, static_cast<size_t>(at_ - begin)};
    if (at_ == end_) return last_ ? Result::kUnclosedQuote : Result::kUnfinished;
    if (*at_ == '\n') {
      if (!options_.quotedNewlines) return Result::kUnclosedQuote;
      continue;
    }
    const bool escape = *at_ == options_.escape && options_.escape != '\0';
    if (at_ + 1 == end_ && !last_) return Result::kUnfinished;
    if (at_ + 1 < end_ && (escape || at_[1] == options_.quote)) {
      value.escaped = true;
      ++at_;
      continue;
    }
    break;
  }
  ++at_;
  if (options_.trim) skipSpaces();
  return at_ == end_ || *at_ == options_.delimiter || atLineEnd() ? Result::kRecord
                                                                  : Result::kTextBehindQuote;
}

bool CsvScanner::atLineEnd() const {
  return *at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] == '\n'));
}

void CsvScanner::skipSpaces() {
  while (at_ < end_ && isSpace(*at_) && *at_ != options_.delimiter) ++at_;
}

std::string_view CsvScanner::value(size_t i) {
  const Value& value = values_[i];
  if (!value.escaped) return value.text;
  if (unescaped_.size() <= i) unescaped_.resize(i + 1);
  std::string& out = unescaped_[i];
  out.clear();
  for (size_t at = 0; at < value.text.size(); ++at) {
    const char c = value.text[at];
    const bool escape =
        (c == options_.escape && options_.escape != '\0') || (value.quoted && c == options_.quote);
    if (escape && at + 1 < value.text.size()) ++at;
    out += value.text[at];
  }
  return out;
}

}  // namespace flott
