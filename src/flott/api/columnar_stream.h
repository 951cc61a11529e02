// A stream of columns: rows of files that are filtered and computed on before they become records, a column
// at a time and without a copy of what is left out.
//
// Columns have names and types at run time only, so a name that is wrong is an error of the first batch. A
// light handle, as every stream.
//
//   env.readParquetColumns("trips")
//       .filter(col("price") > lit(10))
//       .withColumn("total", col("price") * col("amount"))
//       .eventTime("at", 5s)
//       .toRows<Trip>()
//       .keyBy(&Trip::city) …
#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/api/data_stream.h"
#include "flott/api/watermarks.h"
#include "flott/operators/columnar/columnar.h"
#include "flott/operators/columnar/columns_sink.h"

namespace flott {

class ColumnarStream {
 public:
  explicit ColumnarStream(SingleOutputStreamOperator<Columns> stream) : stream_(std::move(stream)) {}
  /// For all that does not look into the columns: partitioning, unions, operators of your own.
  const SingleOutputStreamOperator<Columns>& stream() const { return stream_; }

  /// Rows for which the condition is true go on; those for which it is false or null do not.
  ColumnarStream filter(ColumnExpression condition) const;
  /// These columns and no others, in this order: select("city", "price").
  template <std::convertible_to<std::string>... Names>
  requires(sizeof...(Names) > 0) ColumnarStream select(const Names&... names)
  const { return select(std::vector<ProjectedColumn>{{names, col(names)}...}); }
  /// The same, with names for what is computed: select({{"city", col("city")}, {"total", col("a") +
  /// col("b")}}).
  ColumnarStream select(std::vector<ProjectedColumn> columns) const;
  /// All columns and this one, which takes the place of one of that name.
  ColumnarStream withColumn(std::string name, ColumnExpression value) const;

  /// Rows of toRows() have the time of this column, a timestamp or int64 milliseconds, and watermarks for
  /// rows that come at most `delay` after later ones.
  ColumnarStream eventTime(std::string column, Duration delay = {}) const;

  /// A T of each row, by the names of its fields. A field that is not optional must have a value.
  template <typename T>
  SingleOutputStreamOperator<T> toRows() const {
    auto rows = stream_.template transform<T>("Columns to Rows", columnsToRows<T>(timeColumn_));
    if (timeColumn_.empty()) return rows;
    return rows.assignTimestampsAndWatermarks(WatermarkStrategy<T>::forBoundedOutOfOrderness(delay_));
  }
  /// f(const arrow::RecordBatch&), called with each batch of rows; must not block.
  template <typename F>
  DataStreamSink addSink(F function) const {
    static_assert(std::is_invocable_v<F&, const arrow::RecordBatch&>,
                  "addSink: a sink of columns must be callable as f(const arrow::RecordBatch&)");
    return stream_.transformToSink("Columns", operatorFactory<ColumnsSink<F>>(std::move(function)));
  }

  ColumnarStream& name(std::string name);
  ColumnarStream& uid(std::string uid);
  ColumnarStream& setParallelism(int parallelism);

 private:
  ColumnarStream then(const char* name, std::shared_ptr<const OperatorFactory> factory) const;

  SingleOutputStreamOperator<Columns> stream_;
  std::string timeColumn_;
  Duration delay_;
};

}  // namespace flott
