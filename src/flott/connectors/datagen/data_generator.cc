#include "flott/connectors/datagen/data_generator.h"

namespace flott {

// Record i belongs to split i modulo the parallelism, so that time goes on evenly in all of them where
// records have an event time.
std::vector<GeneratorSplit> generatorSplits(int64_t count, int parallelism) {
  std::vector<GeneratorSplit> splits;
  for (int i = 0; i < parallelism && i < count; ++i) {
    const int64_t size = count / parallelism + (i < count % parallelism ? 1 : 0);
    splits.push_back({.index = i, .next = i, .step = parallelism, .left = size});
  }
  return splits;
}

void checkGeneratorOptions(const GeneratorOptions& options) {
  if (options.count < 0) {
    throw Error(ErrorKind::kUser,
                "data generator: count is " + std::to_string(options.count) +
                    ": give the number of records, or leave it out for a stream without end");
  }
  if (!(options.recordsPerSecond >= 0)) {
    throw Error(ErrorKind::kUser, "data generator: recordsPerSecond is " +
                                      std::to_string(options.recordsPerSecond) +
                                      ": give a rate greater than 0, or leave it out for no limit");
  }
}

void throwAtIndex(int64_t index) { throw currentError().at("generating record " + std::to_string(index)); }

}  // namespace flott
