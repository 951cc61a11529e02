// For tests of whole jobs: what a stream puts out, and the error that a job ends with.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "flott/api/keyed_stream.h"
#include "flott/api/test_world.h"
#include "flott/connectors/collect/collect_buffer.h"

namespace flott {

/// Runs the job that the stream ends and returns its records: in order where the stream has one subtask.
template <typename T>
std::vector<T> collected(StreamExecutionEnvironment& env, const DataStream<T>& stream) {
  CollectBuffer<T> results(size_t{1} << 30);
  stream.transformToSink("Collect", results.sink());
  env.execute("test");
  return results.takeAll();
}

/// The same in ascending order, for results whose order is left open.
template <typename T>
std::vector<T> sorted(std::vector<T> records) {
  std::sort(records.begin(), records.end());
  return records;
}

/// What a user reads when the deed fails; "nothing was thrown" otherwise.
template <typename F>
std::string failure(F&& deed) {
  try {
    deed();
  } catch (const Error& error) {
    EXPECT_EQ(toString(error.kind()), toString(ErrorKind::kUser)) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

inline constexpr uint64_t kSeeds = 10;

}  // namespace flott
