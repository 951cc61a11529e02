#include "flott/connectors/files/parquet_encoder.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include <optional>

#include "flott/connectors/files/arrow_file.h"
#include "flott/connectors/files/part_store.h"
#include "flott/data/arrow_status.h"
#include "flott/env/files.h"
#include "flott/formats/parquet.h"

namespace flott {
namespace {

// Row groups that the open files of a subtask may have in memory.
constexpr uint64_t kRowGroups = 4;

class ParquetBulkFile final : public BulkFile {
 public:
  ParquetBulkFile(const TypeDescription& row, const ParquetOptions& options, FileWriter& file)
      : records_(row, options, [&file](std::string_view bytes) { file.write(bytes); }) {}

  void write(std::string_view records) override { records_.write(records); }
  uint64_t held() const override { return records_.file().held(); }
  void end() override { records_.file().close(); }

 private:
  ParquetRecordWriter records_;
};

/// The schema is that of the first file; a file with another one does not fit.
class ParquetJoin final : public FileJoin {
 public:
  ParquetJoin(const ParquetOptions& options, FileWriter& file) : options_(options), file_(file) {}

  bool add(PartStore& store, const std::string& path, uint64_t length) override {
    ParquetPart part(arrowFile(store.open(path)), path, {.begin = 0, .end = length}, {});
    if (schema_ == nullptr) {
      schema_ = part.schema();
      writer_.emplace(schema_, options_, [this](std::string_view bytes) { file_.write(bytes); });
    } else if (!part.schema()->Equals(*schema_)) {
      return false;
    }
    while (const std::shared_ptr<arrow::RecordBatch> records = part.next()) {
      writer_->write(*records, static_cast<uint64_t>(arrow::util::TotalBufferSize(*records)));
    }
    return true;
  }
  void end() override {
    if (writer_) writer_->close();
  }

 private:
  const ParquetOptions options_;
  FileWriter& file_;
  std::shared_ptr<arrow::Schema> schema_;
  std::optional<ParquetWriter> writer_;
};

class ParquetBulkFormat final : public BulkFormat {
 public:
  ParquetBulkFormat(const TypeDescription& type, const ParquetOptions& options)
      : row_(parquetRow(type)), options_(options) {
    checkParquetOptions(options_);
  }

  std::unique_ptr<BulkFile> begin(FileWriter& file) const override {
    return std::make_unique<ParquetBulkFile>(row_, options_, file);
  }
  std::unique_ptr<FileJoin> join(FileWriter& file) const override {
    return std::make_unique<ParquetJoin>(options_, file);
  }
  uint64_t mayHold() const override { return kRowGroups * options_.rowGroupSize.bytes; }

 private:
  const TypeDescription row_;
  const ParquetOptions options_;
};

}  // namespace

std::shared_ptr<const BulkFormat> parquetBulkFormat(const TypeDescription& type,
                                                    const ParquetOptions& options) {
  return std::make_shared<ParquetBulkFormat>(type, options);
}

}  // namespace flott
