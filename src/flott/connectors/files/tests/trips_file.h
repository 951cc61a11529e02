// A small Parquet file for tests of whole jobs.
#pragma once

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>

#include <string>

#include "flott/data/arrow_status.h"

namespace flott {

/// Row i: id i, city "c<i % 4>", price i / 2 (none where divisible by 10), at i seconds, in microseconds.
inline std::string tripsFile(int rows) {
  arrow::Int32Builder id;
  arrow::StringBuilder city;
  arrow::DoubleBuilder price;
  arrow::TimestampBuilder at(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  for (int i = 0; i < rows; ++i) {
    check(id.Append(i), "test");
    check(city.Append("c" + std::to_string(i % 4)), "test");
    check(i % 10 == 0 ? price.AppendNull() : price.Append(i / 2.0), "test");
    check(at.Append(int64_t{i} * 1'000'000), "test");
  }
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("id", arrow::int32()), arrow::field("city", arrow::utf8()),
                     arrow::field("price", arrow::float64()), arrow::field("at", at.type())}),
      {valueOf(id.Finish(), "test"), valueOf(city.Finish(), "test"), valueOf(price.Finish(), "test"),
       valueOf(at.Finish(), "test")});
  const auto sink = valueOf(arrow::io::BufferOutputStream::Create(), "test");
  check(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 300), "test");
  return valueOf(sink->Finish(), "test")->ToString();
}

}  // namespace flott
