#include "flott/connectors/files/parquet_reading.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <optional>

#include "flott/connectors/files/arrow_file.h"
#include "flott/data/columns.h"
#include "flott/env/env.h"
#include "flott/formats/parquet.h"

namespace flott {
namespace {

// Decoded columns that one off-loaded work leaves behind.
constexpr int64_t kAheadBytes = int64_t{1} << 20;

class ParquetReading final : public SplitReading {
 public:
  ParquetReading(SourceReaderContext& context, FileSplit split, const std::vector<std::string>& columns,
                 std::unique_ptr<ColumnsConsumer> consumer)
      : context_(context), split_(std::move(split)), consumer_(std::move(consumer)) {
    startWork([ahead = ahead_, &files = context_.env().files, split = split_, columns] {
      ahead->part.emplace(arrowFile(files.open(split.path)), split.path, ByteRange{split.begin, split.end},
                          columns);
      ahead->part->skip(split.position);
      ahead->rowsBefore = ahead->part->rowsBefore();
      fill(*ahead);
    });
  }

  Poll poll(Output& output) override {
    for (;;) {
      if (Batch batch = consumer_->give()) {
        split_.position += batch.size();
        output.emit(std::move(batch));
        return Poll::kMore;
      }
      if (next_ == current_.size()) {
        if (last_) return Poll::kEnd;
        if (ahead_->underWay) return Poll::kIdle;
        takeAhead();
      } else {
        consumer_->take(std::move(current_[next_++]), rowsBefore_ + split_.position);
      }
    }
  }

  FileSplit split() const override { return split_; }

 private:
  using Records = std::vector<std::shared_ptr<arrow::RecordBatch>>;
  struct Ahead {
    std::optional<ParquetPart> part;
    uint64_t rowsBefore = 0;
    Records records;
    bool last = false;
    bool underWay = false;  // set and read by the task
  };

  static void fill(Ahead& ahead) {
    for (int64_t bytes = 0; bytes < kAheadBytes;) {
      std::shared_ptr<arrow::RecordBatch> records = ahead.part->next();
      if (records == nullptr) {
        ahead.last = true;
        return;
      }
      bytes += arrow::util::TotalBufferSize(*records);
      ahead.records.push_back(std::move(records));
    }
  }

  void startWork(MoveFunction<void()> work) {
    ahead_->underWay = true;
    context_.offload("read file '" + split_.path + "'", std::move(work),
                     [ahead = ahead_] { ahead->underWay = false; });
  }

  void takeAhead() {
    rowsBefore_ = ahead_->rowsBefore;
    current_ = std::exchange(ahead_->records, {});
    next_ = 0;
    last_ = ahead_->last;
    if (!last_) startWork([ahead = ahead_] { fill(*ahead); });
  }

  SourceReaderContext& context_;
  FileSplit split_;
  const std::unique_ptr<ColumnsConsumer> consumer_;
  /// Shared with work under way, which may outlive this object.
  std::shared_ptr<Ahead> ahead_ = std::make_shared<Ahead>();
  uint64_t rowsBefore_ = 0;
  Records current_;
  size_t next_ = 0;
  bool last_ = false;
};

class ParquetFormat final : public FileFormat {
 public:
  ParquetFormat(std::vector<std::string> columns, MakeConsumer consumer)
      : columns_(std::move(columns)), consumer_(consumer) {}

  bool splittable(const std::string&) const override { return true; }
  std::unique_ptr<SplitReading> read(SourceReaderContext& context, FileSplit split,
                                     const FileSourceOptions&) const override {
    std::unique_ptr<ColumnsConsumer> consumer = consumer_(split.path, context.pools());
    return std::make_unique<ParquetReading>(context, std::move(split), columns_, std::move(consumer));
  }

 private:
  const std::vector<std::string> columns_;
  const MakeConsumer consumer_;
};

class BatchConsumer final : public ColumnsConsumer {
 public:
  explicit BatchConsumer(BatchPool& pool) : pool_(pool) {}

  void take(std::shared_ptr<arrow::RecordBatch> records, uint64_t) override { records_ = std::move(records); }
  Batch give() override {
    if (records_ == nullptr) return {};
    Batch batch = pool_.acquire();
    columnsOf(batch).assign(std::exchange(records_, nullptr));
    return batch;
  }

 private:
  BatchPool& pool_;
  std::shared_ptr<arrow::RecordBatch> records_;
};

}  // namespace

std::shared_ptr<const FileFormat> parquetFormat(std::vector<std::string> columns, MakeConsumer consumer) {
  return std::make_shared<ParquetFormat>(std::move(columns), consumer);
}

std::shared_ptr<const FileFormat> columnarParquetFormat(std::vector<std::string> columns) {
  return parquetFormat(std::move(columns),
                       [](const std::string&, BatchPools& pools) -> std::unique_ptr<ColumnsConsumer> {
                         return std::make_unique<BatchConsumer>(columnsPool(pools));
                       });
}

}  // namespace flott
