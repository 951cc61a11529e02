// Sinks into files: text lines and CSV.
//
// At parallelism 1 the path is the file; above, it is a folder with a file part-0, part-1, … for each
// subtask. Writing is off-loaded: one buffer fills while the one before is written, and while both are full
// the sink takes no more. What is buffered reaches the file at least every flushInterval, before each barrier
// and at the end. After a failure nothing is taken back, so files may hold records twice or end in half a
// record.
//
//   words.sinkTo(textFileSink<std::string>("out/words.txt", {.existing = ExistingFiles::kOverwrite}));
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "flott/base/memory_size.h"
#include "flott/base/time.h"
#include "flott/formats/csv.h"
#include "flott/formats/record_encoder.h"
#include "flott/operators/operator.h"

namespace flott {

/// What to do about files that are there already.
enum class ExistingFiles : uint8_t {
  kRefuse,     // fail; also when the job itself made them before it was restarted
  kOverwrite,  // replace them, and remove parts of an earlier, wider run
};

struct FileSinkOptions {
  ExistingFiles existing = ExistingFiles::kRefuse;
  MemorySize bufferSize = MemorySize::mb(1);
  Duration flushInterval = Duration::seconds(1);
};

std::shared_ptr<const OperatorFactory> fileSink(std::string path,
                                                std::shared_ptr<const RecordEncoder> encoder,
                                                FileSinkOptions options = {});

template <typename T>
std::shared_ptr<const OperatorFactory> textFileSink(std::string path, FileSinkOptions options = {}) {
  return fileSink(std::move(path), std::make_shared<LineEncoder<T>>(), options);
}

template <typename T>
std::shared_ptr<const OperatorFactory> csvFileSink(std::string path, CsvOptions csv = {},
                                                   FileSinkOptions options = {}) {
  return fileSink(std::move(path), csvEncoder<T>(std::move(csv)), options);
}

}  // namespace flott
