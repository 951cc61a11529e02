#include "flott/connectors/files/file_source.h"

#include <deque>

#include "flott/connectors/files/file_enumerator.h"
#include "flott/formats/columnar_csv.h"
#include "flott/formats/lines.h"

namespace flott {
namespace {

// The split that is read and the one whose first bytes are fetched meanwhile.
constexpr size_t kSplitsAtHand = 2;

class FileSourceReader final : public SourceReader {
 public:
  FileSourceReader(std::shared_ptr<const FileFormat> format, const FileSourceOptions& options)
      : format_(std::move(format)), options_(options) {}

  void open(SourceReaderContext& context) override { context_ = &context; }

  Poll poll(Output& output) override {
    if (readings_.size() < kSplitsAtHand && !noMore_ && !std::exchange(asked_, true))
      context_->requestSplit();
    if (readings_.empty()) return noMore_ ? Poll::kEnd : Poll::kIdle;
    if (!std::exchange(entered_, true)) context_->enterSplit(readings_.front()->split().splitId());
    const Poll result = readings_.front()->poll(output);
    if (result != Poll::kEnd) return result;
    entered_ = false;
    context_->finishSplit(readings_.front()->split().splitId());
    readings_.pop_front();
    return Poll::kMore;
  }

  void addSplits(std::vector<SourceSplit> splits) override {
    asked_ = false;
    for (FileSplit& split : decodeSplits<FileSplit>(splits)) {
      readings_.push_back(format_->read(*context_, std::move(split), options_));
    }
  }
  void onNoMoreSplits() override { noMore_ = true; }
  bool oneSplitAtATime() const override { return true; }

  std::vector<SourceSplit> snapshot() override {
    std::vector<SourceSplit> splits;
    for (const auto& reading : readings_) splits.push_back(encodeSplit(reading->split()));
    return splits;
  }

 private:
  const std::shared_ptr<const FileFormat> format_;
  const FileSourceOptions options_;
  SourceReaderContext* context_ = nullptr;
  std::deque<std::unique_ptr<SplitReading>> readings_;
  bool entered_ = false;  // the first of readings_ is the one it is at
  bool asked_ = false;
  bool noMore_ = false;
};

class FileSourceFactory final : public SourceFactory {
 public:
  FileSourceFactory(std::vector<std::string> paths, std::shared_ptr<const FileFormat> format,
                    const FileSourceOptions& options)
      : paths_(std::move(paths)), format_(std::move(format)), options_(options) {}

  Boundedness boundedness() const override {
    return options_.discoveryInterval.ms > 0 ? Boundedness::kContinuousUnbounded : Boundedness::kBounded;
  }

  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string& restored) const override {
    FileEnumeratorState state;
    if (!restored.empty()) {
      state = decodeWhole<FileEnumeratorState>(restored, "state of the file source's split enumerator");
    }
    return std::make_unique<internal::ErasedEnumerator<FileSplit, FileEnumeratorState>>(
        std::make_unique<FileEnumerator>(paths_, format_, options_, std::move(state)));
  }

  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<FileSourceReader>(format_, options_);
  }

 private:
  const std::vector<std::string> paths_;
  const std::shared_ptr<const FileFormat> format_;
  const FileSourceOptions options_;
};

}  // namespace

std::shared_ptr<const SourceFactory> fileSource(FilePaths paths, std::shared_ptr<const FileFormat> format,
                                                FileSourceOptions options) {
  if (paths.paths.empty())
    throw Error(ErrorKind::kUser, "a file source has no path: give a file, folder or pattern");
  return std::make_shared<FileSourceFactory>(std::move(paths.paths), std::move(format), options);
}

SourceOf<std::string> textFiles(FilePaths paths, FileSourceOptions options) {
  return {.factory = fileSource(std::move(paths), blockFiles(lineFormat()), options), .name = "Text files"};
}

SourceOf<Columns> columnarParquet(FilePaths paths, std::vector<std::string> columns,
                                  FileSourceOptions options) {
  return {.factory = fileSource(std::move(paths), columnarParquetFormat(std::move(columns)), options),
          .name = "Parquet files"};
}

SourceOf<Columns> columnarCsv(FilePaths paths, std::shared_ptr<arrow::Schema> schema, CsvOptions csv,
                              FileSourceOptions options) {
  return {.factory = fileSource(std::move(paths),
                                blockFiles(columnarCsvFormat(std::move(schema), std::move(csv))), options),
          .name = "CSV files"};
}

}  // namespace flott
