#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "flott/data/arrow_status.h"
#include "flott/operators/columnar/columnar.h"

namespace flott {

std::vector<int64_t> eventTimesOf(const Columns& columns, const std::string& column, uint64_t rowsBefore) {
  const arrow::RecordBatch& records = *columns.records();
  std::shared_ptr<arrow::Array> times = records.column(columnIndex(*records.schema(), column));
  const arrow::Type::type type = times->type_id();
  if (type != arrow::Type::INT64 && type != arrow::Type::TIMESTAMP) {
    throw Error(ErrorKind::kUser, "column '" + column + "' cannot be the event time, since it is " +
                                      times->type()->ToString() +
                                      ": it must be a timestamp, or int64 milliseconds since 1970");
  }
  if (times->null_count() > 0) {
    int64_t row = 0;
    while (times->IsValid(row)) ++row;
    throw Error(ErrorKind::kUser, "column '" + column + "' has no event time in row " +
                                      std::to_string(rowsBefore + static_cast<uint64_t>(row) + 1) +
                                      ": filter such rows out, !isNull(col(\"" + column + "\"))");
  }
  if (type == arrow::Type::TIMESTAMP) {
    arrow::compute::CastOptions options =
        arrow::compute::CastOptions::Safe(arrow::timestamp(arrow::TimeUnit::MILLI));
    options.allow_time_truncate = true;
    times = valueOf(arrow::compute::Cast(*times, options.to_type, options), "column '" + column + "'");
  }
  const int64_t* values = times->data()->GetValues<int64_t>(1);
  return {values, values + times->length()};
}

}  // namespace flott
