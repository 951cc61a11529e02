#include "flott/formats/csv.h"

#include <algorithm>

#include "flott/data/columns.h"
#include "flott/formats/text_value.h"

namespace flott {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view withoutMark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

std::string_view withoutLineFeed(std::string_view record) {
  if (record.ends_with('\n')) record.remove_suffix(1);
  if (record.ends_with('\r')) record.remove_suffix(1);
  return record;
}

void appendQuotedCsv(std::string_view text, const CsvOptions& options, std::string& out) {
  out += options.quote;
  for (const char c : text) {
    if (c == options.quote || (c == options.escape && options.escape != '\0')) {
      out += options.escape != '\0' ? options.escape : options.quote;
    }
    out += c;
  }
  out += options.quote;
}

// Text that a reader with the same options would take for something else.
bool needsQuotes(std::string_view text, bool optional, const CsvOptions& options) {
  const char special[] = {options.delimiter, options.quote, '\n', '\r', options.escape, options.comment};
  if (text.find_first_of(std::string_view(special, sizeof special)) != std::string_view::npos) return true;
  if (optional && text == options.nullText) return true;
  return !text.empty() && (text.front() == ' ' || text.back() == ' ');
}

void appendValueText(std::string_view text, bool optional, const CsvOptions& options, std::string& out) {
  if (options.quote != '\0' && needsQuotes(text, optional, options)) {
    appendQuotedCsv(text, options, out);
  } else {
    out += text;
  }
}

}  // namespace

size_t csvHeaderSize(const CsvOptions& options, std::string_view start, bool last) {
  CsvScanner scanner(options);
  const std::string_view text = withoutMark(start);
  const size_t mark = start.size() - text.size();
  const size_t ignored = scanner.ignored(text, last);
  if (ignored == text.size()) return last ? start.size() : 0;
  if (scanner.scan(text.substr(ignored), last) == CsvScanner::Result::kUnfinished) return 0;
  return mark + ignored + scanner.used();
}

CsvRecordReader::CsvRecordReader(const CsvOptions& options, std::vector<FlatField> fields)
    : options_(options), fields_(std::move(fields)), scanner_(options) {
  if (options_.header) return;
  for (const FlatField& field : fields_) columns_.push_back({field.name, &field});
}

void CsvRecordReader::begin(const std::string& file, std::string_view header) {
  file_ = file;
  nextLine_ = 1;
  if (options_.header && !header.empty()) takeHeader(header);
}

void CsvRecordReader::takeHeader(std::string_view header) {
  const std::string_view text = withoutMark(header);
  const std::string_view line = text.substr(scanner_.ignored(text, true));
  columns_.clear();
  if (!line.empty()) scanner_.scan(line, true);
  for (size_t i = 0; !line.empty() && i < scanner_.size(); ++i) {
    columns_.push_back({std::string(scanner_.value(i)), nullptr});
  }
  for (const FlatField& field : fields_) {
    const auto named = [&](const Column& column) { return column.name == field.name; };
    const auto found = std::find_if(columns_.begin(), columns_.end(), named);
    if (found == columns_.end()) {
      std::vector<std::string_view> known;
      for (const Column& column : columns_) known.push_back(column.name);
      throw unknownColumn(field.name, known).at(file_ + ", header");
    }
    if (std::any_of(found + 1, columns_.end(), named)) {
      throw Error(ErrorKind::kUser, "two columns are named '" + field.name + "': rename one of them")
          .at(file_ + ", header");
    }
    found->field = &field;
  }
}

bool CsvRecordReader::next(const BlockInput& in, Decoded& done) {
  std::string_view rest = in.bytes.substr(done.bytes);
  if (size_t skipped = scanner_.ignored(rest, in.last); skipped > 0) {
    nextLine_ += std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(skipped), '\n');
    done.bytes += skipped;
    rest.remove_prefix(skipped);
  }
  if (done.bytes >= in.owned || rest.empty()) return false;
  result_ = scanner_.scan(rest, in.last);
  if (result_ == CsvScanner::Result::kUnfinished) return false;
  const std::string_view whole = rest.substr(0, scanner_.used());
  done.bytes += whole.size();
  record_ = withoutLineFeed(whole);
  line_ = nextLine_;
  nextLine_ += options_.quotedNewlines ? std::count(whole.begin(), whole.end(), '\n') : 1;
  return true;
}

bool CsvRecordReader::read(void* record) {
  if (result_ == CsvScanner::Result::kUnclosedQuote) {
    return reject(scanner_.size(), record_,
                  options_.quotedNewlines
                      ? "opens a quote that is never closed"
                      : "opens a quote that is not closed on its line; where values hold line "
                        "feeds, set quotedNewlines");
  }
  if (result_ == CsvScanner::Result::kTextBehindQuote) {
    return reject(scanner_.size(), record_, "has text behind a closing quote");
  }
  if (scanner_.size() != columns_.size()) {
    return reject(0, record_,
                  "has " + std::to_string(scanner_.size()) + (scanner_.size() == 1 ? " column" : " columns") +
                      " instead of " + std::to_string(columns_.size()));
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].field != nullptr && !readValue(i, record)) return false;
  }
  return true;
}

bool CsvRecordReader::readValue(size_t column, void* record) {
  const FlatField& field = *columns_[column].field;
  const std::string_view text = scanner_.value(column);
  if (field.optional && !scanner_.quoted(column) && text == options_.nullText) {
    field.clearIn(record);
    return true;
  }
  const char* problem = parseValue(text, field.kind, field.valueIn(record));
  return problem == nullptr ? true : reject(column + 1, text, problem);
}

bool CsvRecordReader::reject(size_t column, std::string_view text, std::string reason) {
  badColumn_ = column;
  badText_ = excerpt(text);
  badReason_ = std::move(reason);
  return false;
}

BadRecord CsvRecordReader::bad() const {
  const bool named = badColumn_ > 0 && badColumn_ <= columns_.size();
  return {.file = file_,
          .line = line_,
          .column = static_cast<int32_t>(badColumn_),
          .columnName = named ? columns_[badColumn_ - 1].name : "",
          .text = badText_,
          .reason = badReason_};
}

void appendCsv(const std::vector<FlatField>& fields, const void* record, const CsvOptions& options,
               std::string& out) {
  const size_t begin = out.size();
  bool first = true;
  for (const FlatField& field : fields) {
    if (!first) out += options.delimiter;
    first = false;
    const void* value = field.valueOf(record);
    if (value == nullptr) {
      out += options.nullText;
    } else if (field.kind == TypeKind::kString) {
      appendValueText(*static_cast<const std::string*>(value), field.optional, options, out);
    } else {
      appendValue(field.kind, value, out);
    }
  }
  const bool blank = out.size() == begin;  // a reader would skip it
  if (blank && options.quote != '\0') out.append(2, options.quote);
  out += '\n';
}

void appendCsvHeader(const std::vector<FlatField>& fields, const CsvOptions& options, std::string& out) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += options.delimiter;
    appendValueText(fields[i].name, false, options, out);
  }
  out += '\n';
}

}  // namespace flott
