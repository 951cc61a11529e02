#include "flott/connectors/files/arrow_file.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include <utility>

#include "flott/base/error.h"
#include "flott/env/files.h"

namespace flott {
namespace {

class ArrowFile final : public arrow::io::RandomAccessFile {
 public:
  explicit ArrowFile(std::unique_ptr<FileReader> reader) : reader_(std::move(reader)) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return at_; }
  arrow::Status Seek(int64_t position) override {
    at_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> GetSize() override { return static_cast<int64_t>(reader_->size()); }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t count, void* out) override {
    const std::span<char> into(static_cast<char*>(out), static_cast<size_t>(count));
    size_t filled = 0;
    try {
      while (filled < into.size()) {
        const size_t got = reader_->read(static_cast<uint64_t>(position) + filled, into.subspan(filled));
        if (got == 0) break;
        filled += got;
      }
    } catch (const Error& error) {
      return arrow::Status::IOError(error.what());
    }
    return static_cast<int64_t>(filled);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(count));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position, count, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> Read(int64_t count, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(at_, count, out));
    at_ += got;
    return got;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(at_, count));
    at_ += buffer->size();
    return buffer;
  }

 private:
  const std::unique_ptr<FileReader> reader_;
  int64_t at_ = 0;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<arrow::io::RandomAccessFile> arrowFile(std::unique_ptr<FileReader> reader) {
  return std::make_shared<ArrowFile>(std::move(reader));
}

}  // namespace flott
