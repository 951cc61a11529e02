// Cuts CSV records into their values, without looking at what these are.
//
// One pass over the bytes; values are views of them and only those with an escaped character are copied.
// Belongs to one decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flott/formats/csv_options.h"

namespace flott {

class CsvScanner {
 public:
  explicit CsvScanner(const CsvOptions& options);

  enum class Result : uint8_t {
    kRecord,
    kUnfinished,      // the record goes on behind the bytes
    kUnclosedQuote,   // … of the last value
    kTextBehindQuote  // … of the last value
  };
  /// The record at the beginning of `bytes`, which are not empty. `last`: nothing follows them.
  Result scan(std::string_view bytes, bool last);
  /// Bytes of blank and comment lines at the beginning.
  size_t ignored(std::string_view bytes, bool last) const;

  /// Bytes of the record with its line feed; after kUnfinished undefined.
  size_t used() const { return used_; }
  size_t size() const { return values_.size(); }
  /// Good until the next scan().
  std::string_view value(size_t i);
  bool quoted(size_t i) const { return values_[i].quoted; }

 private:
  struct Value {
    std::string_view text;
    bool quoted = false;
    bool escaped = false;
  };

  Result scanQuoted(Value& value);
  void scanPlain(Value& value);
  /// The first of the bytes from `at` on that is in the set.
  const char* findIn(const bool (&ends)[256], const char* at) const;
  bool atLineEnd() const;
  void skipSpaces();

  const CsvOptions options_;
  bool endsPlain_[256] = {};
  bool endsQuoted_[256] = {};
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool last_ = false;
  size_t used_ = 0;
  std::vector<Value> values_;
  std::vector<std::string> unescaped_;
};

}  // namespace flott
