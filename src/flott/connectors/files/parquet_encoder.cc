#include "flott/connectors/files/parquet_encoder.h"

#include "flott/env/files.h"

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

class ParquetBulkFormat final : public BulkFormat {
 public:
  ParquetBulkFormat(const TypeDescription& type, const ParquetOptions& options)
      : row_(parquetRow(type)), options_(options) {
    checkParquetOptions(options_);
  }

  std::unique_ptr<BulkFile> begin(FileWriter& file) const override {
    return std::make_unique<ParquetBulkFile>(row_, options_, file);
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
