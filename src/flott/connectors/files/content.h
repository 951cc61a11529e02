// The content of a file as bytes from front to back, decompressed where its name says so.
//
// Blocks, so it is used inside off-loaded work only; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "flott/env/files.h"
#include "flott/formats/compression.h"

namespace flott {

class FileContent {
 public:
  /// Throws what Files::open() throws.
  FileContent(Files& files, const std::string& path);
  ~FileContent();

  /// Fills `into`; less only at the end of the file. Throws Error that names the file when it is damaged or
  /// the disk fails.
  size_t read(std::span<char> into);
  /// Passes over `bytes`, or what there is.
  void skip(uint64_t bytes);

 private:
  size_t readCompressed(std::span<char> into);

  const std::string path_;
  std::unique_ptr<FileReader> file_;
  std::unique_ptr<Decompressor> decompressor_;
  uint64_t offset_ = 0;  // in the file
  std::string input_;    // compressed bytes
  size_t inputAt_ = 0;
  size_t inputEnd_ = 0;
};

/// Line feeds in the first `bytes` of the content.
int64_t countLines(Files& files, const std::string& path, uint64_t bytes);

}  // namespace flott
