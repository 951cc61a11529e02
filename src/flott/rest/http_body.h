// The body of an HTTP message as its headers frame it: by length, in chunks, or until the peer closes.
//
// Both ends use it: the server for requests, HttpClient for responses. One thread. Every byte comes from
// outside: sizes are bounded, and what cannot be read is refused.
//
//   HttpBody body(source, framing, 1 << 20);
//   char block[4096];
//   while (const size_t n = body.read(block)) file.write({block, n});
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flott {

/// Where the bytes of a connection come from.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// At least one byte; 0 when the peer has ended. Throws when none comes in time.
  virtual size_t read(std::span<char> into) = 0;
};

struct BodyFraming {
  enum class Kind : uint8_t {
    kNone,      // there is no body
    kLength,    // `length` bytes
    kChunked,   // in chunks that tell their length
    kUntilEnd,  // until the peer closes; responses only
  };
  Kind kind = Kind::kNone;
  uint64_t length = 0;
};

/// From all headers Content-Length and Transfer-Encoding of a message. Throws Refusal for what is ambiguous
/// or unknown: two readers could see two different messages.
BodyFraming bodyFraming(const std::vector<std::string>& contentLengths,
                        const std::vector<std::string>& transferEncodings);

class HttpBody {
 public:
  /// The source outlives it. Throws Refusal{413} when the body is known to have more than `limit` bytes.
  HttpBody(ByteSource& source, BodyFraming framing, uint64_t limit);

  /// The next bytes; 0 after the last. Throws Refusal{413} beyond the limit, and Refusal{400} when the body
  /// breaks off or is not framed as promised.
  size_t read(std::span<char> into);

 private:
  size_t readChunked(std::span<char> into);
  size_t readPlain(std::span<char> into);
  void count(size_t more);
  bool fill();
  char nextByte();
  std::string line();

  ByteSource& source_;
  const BodyFraming framing_;
  const uint64_t limit_;
  uint64_t taken_ = 0;      // of the body
  uint64_t chunkLeft_ = 0;  // of the chunk that is being read
  bool firstChunk_ = true;
  bool ended_ = false;
  std::string buffer_;  // read ahead, to find the ends of chunks
  size_t at_ = 0;
};

}  // namespace flott
