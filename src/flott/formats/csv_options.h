// How a CSV file is written: shared by reading, writing and the columnar reader.
#pragma once

#include <string>

#include "flott/formats/bad_record.h"

namespace flott {

struct CsvOptions {
  char delimiter = ',';
  /// Around values that hold a delimiter, quote or line feed; doubled inside them. '\0': none.
  char quote = '"';
  /// Makes the next character an ordinary one, also inside quotes. '\0': none.
  char escape = '\0';
  /// Lines that begin with it are no records. '\0': none.
  char comment = '\0';
  /// The first line names the columns: fields are found by name, and further columns are ignored. Without it
  /// the columns are the fields in their order.
  bool header = false;
  /// Values in quotes may hold line feeds. Such a file is read by one subtask, since its records begin
  /// anywhere.
  bool quotedNewlines = false;
  /// Spaces and tabs around values do not count.
  bool trim = false;
  bool skipBlankLines = true;
  /// Without quotes, in an optional field: no value.
  std::string nullText = "";
  /// What becomes of a line that is no record.
  BadRecordPolicy badRecords = BadRecordPolicy::kFail;
};

/// Throws Error(kUser) when two of the characters are the same, or one is a line feed.
void checkCsvOptions(const CsvOptions& options);

}  // namespace flott
