#include "flott/formats/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <string>

#include "flott/base/error.h"

namespace flott {
namespace {

Error damaged(const char* kind, uint64_t offset, const std::string& why) {
  return Error(ErrorKind::kUser, std::string(kind) + " data is damaged at byte " + std::to_string(offset) +
                                     ": " + why + "; make the file again, or take it out of the input");
}

Error endsEarly(const char* kind, uint64_t offset) {
  return Error(ErrorKind::kUser, std::string(kind) + " data ends too early, at byte " +
                                     std::to_string(offset) +
                                     ": wait until the file is complete, or make it again");
}

class GzipDecompressor final : public Decompressor {
 public:
  GzipDecompressor() {
    constexpr int kGzipHeader = 16;
    FLOTT_CHECK(inflateInit2(&stream_, MAX_WBITS + kGzipHeader) == Z_OK, "zlib cannot be started");
  }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  Progress decompress(std::string_view in, std::span<char> out) override {
    Progress done;
    // Output may still be held inside when all input was read.
    while (done.written < out.size() && (done.read < in.size() || insideMember_)) {
      const uInt room = atMost(out.size() - done.written);
      const uInt there = atMost(in.size() - done.read);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data())) + done.read;
      stream_.avail_in = there;
      stream_.next_out = reinterpret_cast<Bytef*>(out.data()) + done.written;
      stream_.avail_out = room;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      done.read += there - stream_.avail_in;
      offset_ += there - stream_.avail_in;
      done.written += room - stream_.avail_out;
      if (result == Z_BUF_ERROR) break;  // needs more input
      insideMember_ = result != Z_STREAM_END;
      if (result == Z_STREAM_END) {
        inflateReset(&stream_);
      } else if (result != Z_OK) {
        throw damaged("gzip", offset_, stream_.msg != nullptr ? stream_.msg : zError(result));
      }
    }
    return done;
  }

  void finish() const override {
    if (insideMember_) throw endsEarly("gzip", offset_);
  }

 private:
  static uInt atMost(size_t size) {
    return static_cast<uInt>(std::min<size_t>(size, std::numeric_limits<uInt>::max()));
  }

  z_stream stream_{};
  uint64_t offset_ = 0;
  bool insideMember_ = false;
};

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : stream_(ZSTD_createDStream()) {
    FLOTT_CHECK(stream_ != nullptr, "zstd cannot be started");
  }
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }

  Progress decompress(std::string_view in, std::span<char> out) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos < output.size && (input.pos < input.size || insideFrame_)) {
      const size_t before = input.pos + output.pos;
      const size_t result = ZSTD_decompressStream(stream_, &output, &input);
      if (ZSTD_isError(result) != 0) throw damaged("zstd", offset_ + input.pos, ZSTD_getErrorName(result));
      insideFrame_ = result != 0;
      if (input.pos + output.pos == before) break;
    }
    offset_ += input.pos;
    return {input.pos, output.pos};
  }

  void finish() const override {
    if (insideFrame_) throw endsEarly("zstd", offset_);
  }

 private:
  ZSTD_DStream* stream_;
  uint64_t offset_ = 0;
  bool insideFrame_ = false;
};

}  // namespace

Compression compressionOf(std::string_view path) {
  if (path.ends_with(".gz") || path.ends_with(".gzip")) return Compression::kGzip;
  if (path.ends_with(".zst") || path.ends_with(".zstd")) return Compression::kZstd;
  return Compression::kNone;
}

std::unique_ptr<Decompressor> makeDecompressor(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return nullptr;
    case Compression::kGzip:
      return std::make_unique<GzipDecompressor>();
    case Compression::kZstd:
      return std::make_unique<ZstdDecompressor>();
  }
  return nullptr;
}

}  // namespace flott
