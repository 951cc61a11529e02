// A record that a format could not read, as a value: where it is and why.
//
// What becomes of it is the user's choice: the job fails, it is counted, or it goes to a side output, from
// which it can be repaired or stored.
//
//   orders.csv, line 17, column 3 ('price'): 'abc' is not a number
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flott {

struct BadRecord {
  std::string file;
  int64_t line = 0;        // from 1
  int32_t column = 0;      // from 1; 0: the record as a whole
  std::string columnName;  // empty when the column has none
  std::string text;        // the value, or the record; long ones are cut
  std::string reason;      // "is not a number"
};

std::string toString(const BadRecord& record);

/// At most 80 bytes, with … where it was cut, and no part of a UTF-8 character.
std::string excerpt(std::string_view text);

enum class BadRecordPolicy : uint8_t {
  kFail,        // the first one fails the job
  kCount,       // dropped, and counted in the metric numRecordsInErrors
  kSideOutput,  // counted, and given to a side output
};

}  // namespace flott
