#include "flott/api/columnar_stream.h"

namespace flott {

ColumnarStream ColumnarStream::then(const char* name, std::shared_ptr<const OperatorFactory> factory) const {
  ColumnarStream next = *this;
  next.stream_ = stream_.transform<Columns>(name, std::move(factory));
  return next;
}

ColumnarStream ColumnarStream::filter(ColumnExpression condition) const {
  return then("Filter", columnarFilter(std::move(condition)));
}

ColumnarStream ColumnarStream::select(std::vector<ProjectedColumn> columns) const {
  return then("Select", columnarProject(std::move(columns)));
}

ColumnarStream ColumnarStream::withColumn(std::string name, ColumnExpression value) const {
  return then("With Column", columnarWith({{std::move(name), std::move(value)}}));
}

ColumnarStream ColumnarStream::eventTime(std::string column, Duration delay) const {
  ColumnarStream next = *this;
  next.timeColumn_ = std::move(column);
  next.delay_ = delay;
  return next;
}

ColumnarStream& ColumnarStream::name(std::string name) {
  stream_.name(std::move(name));
  return *this;
}
ColumnarStream& ColumnarStream::uid(std::string uid) {
  stream_.uid(std::move(uid));
  return *this;
}
ColumnarStream& ColumnarStream::setParallelism(int parallelism) {
  stream_.setParallelism(parallelism);
  return *this;
}

}  // namespace flott
