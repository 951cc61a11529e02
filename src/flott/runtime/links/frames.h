// What goes over the connection between two workers: frames, each with a header, and checksums of both parts.
//
// The header has a checksum of its own, so that a damaged length is found before it is trusted. It is the
// same in every version of the protocol, so that two versions can tell each other so. All that one end writes
// is numbered by its byte: errors name the place. Used by one thread at a time.
//
//   FrameWriter out({.compression = FrameCompression::kLz4});
//   out.element(channel, element, bytes);         // appends to what is to be sent
//   FrameReader in(limit);
//   in.filled(read(in.room()));
//   while (std::optional<Frame> frame = in.next()) work(*frame);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "flott/data/element.h"
#include "flott/runtime/channel.h"

namespace flott {

/// Of the protocol; in the header of each frame.
inline constexpr uint8_t kLinkVersion = 1;
inline constexpr size_t kFrameHeaderBytes = 32;

/// Part of the protocol: add at the end only.
enum class FrameKind : uint8_t {
  kHello = 1,         // who one is; the first frame in both directions
  kRefusal = 2,       // instead: why not, as text; the last one
  kBatch = 3,         // records
  kControl = 4,       // any other element
  kAnnouncement = 5,  // news of a barrier that comes in band: before all that waits
  kCredit = 6,        // so many elements more may come on the channel
  kAlive = 7,         // nothing to say
  kEnd = 8,           // nothing comes any more
};

struct Frame {
  FrameKind kind = FrameKind::kAlive;
  uint32_t channel = 0;
  uint32_t value = 0;     // number of credits
  std::string_view body;  // until the reader is called again
};

/// The first thing that two workers say to each other.
struct Hello {
  std::string job;
  int attempt = 0;
  std::string from;
  std::string to;
};

enum class FrameCompression : uint8_t { kNone, kLz4, kZstd };

struct FrameOptions {
  /// Of a frame's body. Beyond it a batch is refused by both ends.
  size_t limitBytes = size_t{64} << 20;
  /// Of batches, where it makes them smaller. Whoever reads takes any.
  FrameCompression compression = FrameCompression::kNone;
};

class FrameWriter {
 public:
  explicit FrameWriter(FrameOptions options) : options_(options) {}

  /// Throws Error(kUser) for a batch that is too large.
  void element(uint32_t channel, const Element& element, std::string& out);
  void announcement(uint32_t channel, const Channel::Announcement& news, std::string& out);
  void credit(uint32_t channel, uint32_t count, std::string& out);
  void hello(const Hello& hello, std::string& out);
  void refusal(std::string_view reason, std::string& out);
  /// kAlive or kEnd.
  void bare(FrameKind kind, std::string& out);

 private:
  /// The bits of the kind that say how; 0: it is as it was.
  uint8_t compressBody(std::string& out, size_t begin);

  const FrameOptions options_;
  std::string scratch_;
};

class FrameReader {
 public:
  explicit FrameReader(size_t limitBytes);
  ~FrameReader();
  FrameReader(FrameReader&&) noexcept = default;
  FrameReader& operator=(FrameReader&&) noexcept = default;

  /// Where the next bytes go; then filled() with their number. Ends the life of the last frame's body.
  std::span<char> room();
  void filled(size_t bytes) { end_ += bytes; }
  void setLimit(size_t bytes) { limit_ = bytes; }
  /// The next whole frame. Throws Error(kTransient) for damaged ones and those of other versions; nothing can
  /// be read after that.
  std::optional<Frame> next();

 private:
  struct Header;
  Header header() const;
  std::string_view decompressed(const Header& header, std::string_view body);
  [[noreturn]] void fail(const std::string& what) const;

  size_t limit_;
  size_t room_;
  std::unique_ptr<char[]> buffer_;
  size_t begin_ = 0;     // of what was not given out
  size_t end_ = 0;       // of what has come
  size_t wanted_ = 0;    // bytes of the frame that begins there, as far as is known
  uint64_t passed_ = 0;  // bytes of the connection before begin_
  std::string plain_;
};

/// For kBatch. Throws Error(kCorruption) where it is not such a batch.
Batch decodeBatch(const Frame& frame, BatchPool& pool);
/// For kControl, kAnnouncement, kHello. Throw Error(kCorruption).
Element decodeControl(const Frame& frame);
Channel::Announcement decodeAnnouncement(const Frame& frame);
Hello decodeHello(const Frame& frame);

}  // namespace flott
