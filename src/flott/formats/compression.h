// Reading of compressed files: gzip and zstd, as a stream, also several members one behind another.
//
// A decompressor takes what bytes there are and gives what it can; it belongs to one reader, on any one
// thread.
//
//   auto decompressor = makeDecompressor(compressionOf("in/a.csv.gz"));
//   auto [read, written] = decompressor->decompress(input, output);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace flott {

enum class Compression : uint8_t { kNone, kGzip, kZstd };

/// By the end of the name: .gz and .gzip, .zst and .zstd.
Compression compressionOf(std::string_view path);

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  struct Progress {
    size_t read = 0;
    size_t written = 0;
  };
  /// Reads from `in` and writes to `out` until one of them is used up. Throws Error(kUser) with the offset in
  /// the compressed bytes when they are damaged.
  virtual Progress decompress(std::string_view in, std::span<char> out) = 0;
  /// The compressed bytes end here. Throws Error(kUser) when a part is missing.
  virtual void finish() const = 0;
};

/// Null for kNone.
std::unique_ptr<Decompressor> makeDecompressor(Compression compression);

}  // namespace flott
