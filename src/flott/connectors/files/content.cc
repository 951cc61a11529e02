#include "flott/connectors/files/content.h"

#include <algorithm>

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kInput = 256 * 1024;

}  // namespace

FileContent::FileContent(Files& files, const std::string& path)
    : path_(path), file_(files.open(path)), decompressor_(makeDecompressor(compressionOf(path))) {
  if (decompressor_ != nullptr) input_.resize(kInput);
}

FileContent::~FileContent() = default;

size_t FileContent::read(std::span<char> into) {
  if (decompressor_ != nullptr) return readCompressed(into);
  size_t filled = 0;
  while (filled < into.size()) {
    const size_t got = file_->read(offset_, into.subspan(filled));
    if (got == 0) break;
    filled += got;
    offset_ += got;
  }
  return filled;
}

size_t FileContent::readCompressed(std::span<char> into) {
  size_t filled = 0;
  try {
    while (filled < into.size()) {
      const std::string_view input = std::string_view(input_).substr(inputAt_, inputEnd_ - inputAt_);
      const Decompressor::Progress done = decompressor_->decompress(input, into.subspan(filled));
      inputAt_ += done.read;
      filled += done.written;
      if (done.written > 0 || done.read > 0) continue;
      inputAt_ = 0;
      inputEnd_ = file_->read(offset_, input_);
      offset_ += inputEnd_;
      if (inputEnd_ == 0) {
        decompressor_->finish();
        break;
      }
    }
  } catch (Error& error) {
    throw std::move(error).at("file '" + path_ + "'");
  }
  return filled;
}

void FileContent::skip(uint64_t bytes) {
  if (decompressor_ == nullptr) {
    offset_ += bytes;
    return;
  }
  std::string scratch(kInput, '\0');
  while (bytes > 0) {
    const size_t got = read(std::span(scratch).first(std::min<uint64_t>(bytes, kInput)));
    if (got == 0) return;
    bytes -= got;
  }
}

int64_t countLines(Files& files, const std::string& path, uint64_t bytes) {
  FileContent content(files, path);
  std::string block(4 * kInput, '\0');
  int64_t lines = 0;
  while (bytes > 0) {
    const size_t got = content.read(std::span(block).first(std::min<uint64_t>(bytes, block.size())));
    if (got == 0) break;
    lines += std::count(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got), '\n');
    bytes -= got;
  }
  return lines;
}

}  // namespace flott
