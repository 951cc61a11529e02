#include "flott/runtime/links/frames.h"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/data/pool.h"

namespace flott {
namespace {

constexpr uint16_t kMagic = 0x4C46;  // "FL"
// In the kind of a frame.
constexpr uint8_t kByLz4 = 0x80;
constexpr uint8_t kByZstd = 0x40;
// As fast as can be: the network is to gain by it.
constexpr int kZstdLevel = 1;
constexpr size_t kRoom = 256 * 1024;      // of a reader's buffer, unless a frame needs more
constexpr size_t kLeastRoom = 32 * 1024;  // worth a read
constexpr size_t kLeastCompressed = 256;  // smaller bodies are sent as they are
constexpr size_t kHashedHeader = kFrameHeaderBytes - sizeof(uint64_t);

enum class Control : uint8_t { kWatermark = 1, kStatus = 2, kBarrier = 3, kMarker = 4, kEnd = 5 };

size_t beginFrame(std::string& out) {
  const size_t begin = out.size();
  out.append(kFrameHeaderBytes, '\0');
  return begin;
}

// The body is what was appended since beginFrame().
void endFrame(std::string& out, size_t begin, uint8_t kind, uint32_t channel, uint32_t value) {
  const char* body = out.data() + begin + kFrameHeaderBytes;
  const auto size = static_cast<uint32_t>(out.size() - begin - kFrameHeaderBytes);
  char* at = out.data() + begin;
  const auto put = [&at](auto field) {
    std::memcpy(at, &field, sizeof field);
    at += sizeof field;
  };
  put(kMagic);
  put(kLinkVersion);
  put(kind);
  put(channel);
  put(size);
  put(value);
  put(hashBytes(body, size));
  put(hashBytes(out.data() + begin, kHashedHeader));
}

void endFrame(std::string& out, size_t begin, FrameKind kind, uint32_t channel = 0, uint32_t value = 0) {
  endFrame(out, begin, static_cast<uint8_t>(kind), channel, value);
}

void encodeBarrier(const Barrier& barrier, ByteWriter& out) {
  out.fixed(barrier.checkpoint.value);
  out.fixed(barrier.triggered.ms);
  out.fixed(barrier.overtakesFrom.ms);
  out.fixed(static_cast<uint8_t>(barrier.properties != nullptr));
  if (barrier.properties == nullptr) return;
  const CheckpointProperties& properties = *barrier.properties;
  out.fixed(static_cast<uint8_t>(properties.kind));
  out.fixed(static_cast<uint8_t>(properties.stop));
  out.string(properties.folder);
  out.fixed(static_cast<uint8_t>(properties.incremental));
  out.fixed(properties.base.value);
}

Barrier decodeBarrier(ByteReader& in) {
  Barrier barrier;
  barrier.checkpoint = CheckpointId(in.fixed<uint64_t>());
  barrier.triggered = Timestamp(in.fixed<int64_t>());
  barrier.overtakesFrom = Timestamp(in.fixed<int64_t>());
  if (in.fixed<uint8_t>() == 0) return barrier;
  CheckpointProperties properties;
  const auto kind = in.fixed<uint8_t>();
  const auto stop = in.fixed<uint8_t>();
  if (kind > static_cast<uint8_t>(CheckpointKind::kSavepoint) ||
      stop > static_cast<uint8_t>(StopMode::kDrain))
    in.fail("holds a barrier of an unknown kind");
  properties.kind = static_cast<CheckpointKind>(kind);
  properties.stop = static_cast<StopMode>(stop);
  properties.folder = in.string();
  properties.incremental = in.fixed<uint8_t>() != 0;
  properties.base = CheckpointId(in.fixed<uint64_t>());
  barrier.properties = std::make_shared<CheckpointProperties>(std::move(properties));
  return barrier;
}

struct EncodeControl {
  ByteWriter& out;

  void kind(Control control) const { out.fixed(static_cast<uint8_t>(control)); }
  void operator()(const Batch&) const {}
  void operator()(const Watermark& watermark) const {
    kind(Control::kWatermark);
    out.fixed(watermark.time.ms);
  }
  void operator()(const WatermarkStatus& status) const {
    kind(Control::kStatus);
    out.fixed(static_cast<uint8_t>(status.active));
  }
  void operator()(const Barrier& barrier) const {
    kind(Control::kBarrier);
    encodeBarrier(barrier, out);
  }
  void operator()(const LatencyMarker& marker) const {
    kind(Control::kMarker);
    out.fixed(marker.source.value);
    out.fixed(marker.subtask.value);
    out.fixed(marker.emittedNanos);
  }
  void operator()(const EndOfInput&) const { kind(Control::kEnd); }
};

void expectEnd(const ByteReader& in) {
  if (!in.atEnd()) in.fail("has bytes left over");
}

}  // namespace

void FrameWriter::element(uint32_t channel, const Element& element, std::string& out) {
  const size_t begin = beginFrame(out);
  ByteWriter body(out);
  const auto* batch = std::get_if<Batch>(&element);
  if (batch == nullptr) {
    std::visit(EncodeControl{body}, element);
    return endFrame(out, begin, FrameKind::kControl, channel);
  }
  (*batch)->encode(body);
  const size_t size = out.size() - begin - kFrameHeaderBytes;
  if (size > options_.limitBytes) {
    out.resize(begin);
    throw Error(ErrorKind::kUser, "a batch of " + std::to_string(batch->size()) + " records takes " +
                                      std::to_string(size) + " bytes, more than the " +
                                      std::to_string(options_.limitBytes) +
                                      " that may go to another worker at once: make the records smaller, or "
                                      "raise flott.network.max-frame-size");
  }
  auto kind = static_cast<uint8_t>(FrameKind::kBatch);
  kind |= compressBody(out, begin);
  endFrame(out, begin, kind, channel, static_cast<uint32_t>(size));
}

uint8_t FrameWriter::compressBody(std::string& out, size_t begin) {
  const size_t at = begin + kFrameHeaderBytes;
  const size_t size = out.size() - at;
  if (options_.compression == FrameCompression::kNone || size < kLeastCompressed || size > LZ4_MAX_INPUT_SIZE)
    return 0;
  scratch_.resize(size - size / 16);  // a gain of less is not worth the other end's time
  const bool lz4 = options_.compression == FrameCompression::kLz4;
  size_t packed = 0;  // 0: it does not fit
  if (lz4) {
    packed = static_cast<size_t>(
        std::max(0, LZ4_compress_default(out.data() + at, scratch_.data(), static_cast<int>(size),
                                         static_cast<int>(scratch_.size()))));
  } else {
    packed = ZSTD_compress(scratch_.data(), scratch_.size(), out.data() + at, size, kZstdLevel);
    if (ZSTD_isError(packed) != 0) packed = 0;
  }
  if (packed == 0) return 0;
  out.replace(at, size, scratch_.data(), packed);
  return lz4 ? kByLz4 : kByZstd;
}

void FrameWriter::announcement(uint32_t channel, const Channel::Announcement& news, std::string& out) {
  const size_t begin = beginFrame(out);
  ByteWriter body(out);
  body.fixed(static_cast<uint64_t>(news.position));
  encodeBarrier(news.barrier, body);
  endFrame(out, begin, FrameKind::kAnnouncement, channel);
}

void FrameWriter::credit(uint32_t channel, uint32_t count, std::string& out) {
  endFrame(out, beginFrame(out), FrameKind::kCredit, channel, count);
}

void FrameWriter::hello(const Hello& hello, std::string& out) {
  const size_t begin = beginFrame(out);
  ByteWriter body(out);
  body.string(hello.job);
  body.zigzag(hello.attempt);
  body.string(hello.from);
  body.string(hello.to);
  endFrame(out, begin, FrameKind::kHello);
}

void FrameWriter::refusal(std::string_view reason, std::string& out) {
  const size_t begin = beginFrame(out);
  out.append(reason);
  endFrame(out, begin, FrameKind::kRefusal);
}

void FrameWriter::bare(FrameKind kind, std::string& out) { endFrame(out, beginFrame(out), kind); }

struct FrameReader::Header {
  uint16_t magic;
  uint8_t version;
  uint8_t kind;
  uint32_t channel;
  uint32_t size;
  uint32_t value;
  uint64_t bodyHash;
  uint64_t headerHash;
};

FrameReader::FrameReader(size_t limitBytes)
    : limit_(limitBytes), room_(kRoom), buffer_(std::make_unique_for_overwrite<char[]>(kRoom)) {}
FrameReader::~FrameReader() = default;

FrameReader::Header FrameReader::header() const {
  static_assert(sizeof(Header) == kFrameHeaderBytes);
  Header header;
  std::memcpy(&header, buffer_.get() + begin_, sizeof header);
  return header;
}

// What is there of a frame moves to the front. The buffer is larger than usual only while a frame needs it.
std::span<char> FrameReader::room() {
  const size_t have = end_ - begin_;
  const size_t need = std::max(kRoom, wanted_);
  if (need != room_ && (need > room_ || have <= kRoom)) {
    auto other = std::make_unique_for_overwrite<char[]>(need);
    std::memcpy(other.get(), buffer_.get() + begin_, have);
    buffer_ = std::move(other);
    room_ = need;
    begin_ = 0;
    end_ = have;
  } else if (have == 0 || room_ - end_ < kLeastRoom) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, have);
    begin_ = 0;
    end_ = have;
  }
  return {buffer_.get() + end_, room_ - end_};
}

void FrameReader::fail(const std::string& what) const {
  throw Error(ErrorKind::kTransient, "byte " + std::to_string(passed_) + " of the connection: " + what);
}

std::optional<Frame> FrameReader::next() {
  const size_t have = end_ - begin_;
  wanted_ = kFrameHeaderBytes;
  if (have < kFrameHeaderBytes) return std::nullopt;
  const Header head = header();
  if (head.magic != kMagic)
    fail("no frame begins here: the other end is no worker of Flott, or it is damaged");
  if (head.headerHash != hashBytes(buffer_.get() + begin_, kHashedHeader)) fail("a damaged frame header");
  if (head.version != kLinkVersion) {
    fail("the other worker speaks version " + std::to_string(head.version) +
         " of the protocol between workers, this one version " + std::to_string(kLinkVersion) +
         ": build both from the same version of Flott");
  }
  if (head.size > limit_) {
    fail("a frame of " + std::to_string(head.size) + " bytes, more than the " + std::to_string(limit_) +
         " of flott.network.max-frame-size here");
  }
  wanted_ += head.size;
  if (have < wanted_) return std::nullopt;
  std::string_view body(buffer_.get() + begin_ + kFrameHeaderBytes, head.size);
  if (head.bodyHash != hashBytes(body)) fail("a damaged frame of " + std::to_string(head.size) + " bytes");
  const auto kind = static_cast<uint8_t>(head.kind & ~(kByLz4 | kByZstd));
  if (kind == 0 || kind > static_cast<uint8_t>(FrameKind::kEnd))
    fail("a frame of the unknown kind " + std::to_string(kind));
  if ((head.kind & (kByLz4 | kByZstd)) != 0) body = decompressed(head, body);
  begin_ += wanted_;
  passed_ += wanted_;
  return Frame{static_cast<FrameKind>(kind), head.channel, head.value, body};
}

std::string_view FrameReader::decompressed(const Header& header, std::string_view body) {
  if (header.value > limit_) fail("a compressed frame of " + std::to_string(header.value) + " bytes");
  plain_.resize(header.value);
  int64_t size = -1;
  if ((header.kind & kByLz4) != 0) {
    size = LZ4_decompress_safe(body.data(), plain_.data(), static_cast<int>(body.size()),
                               static_cast<int>(plain_.size()));
  } else {
    const size_t bytes = ZSTD_decompress(plain_.data(), plain_.size(), body.data(), body.size());
    if (ZSTD_isError(bytes) == 0) size = static_cast<int64_t>(bytes);
  }
  if (size != static_cast<int64_t>(header.value)) fail("a frame that cannot be decompressed");
  return plain_;
}

Batch decodeBatch(const Frame& frame, BatchPool& pool) {
  ByteReader in(frame.body);
  Batch batch = pool.acquire();
  batch->decode(in);
  expectEnd(in);
  return batch;
}

Element decodeControl(const Frame& frame) {
  ByteReader in(frame.body);
  Element element;
  switch (static_cast<Control>(in.fixed<uint8_t>())) {
    case Control::kWatermark:
      element = Watermark{Timestamp(in.fixed<int64_t>())};
      break;
    case Control::kStatus:
      element = WatermarkStatus{in.fixed<uint8_t>() != 0};
      break;
    case Control::kBarrier:
      element = decodeBarrier(in);
      break;
    case Control::kMarker: {
      LatencyMarker marker;
      marker.source = OperatorId(in.fixed<uint64_t>());
      marker.subtask = SubtaskIndex(in.fixed<int32_t>());
      marker.emittedNanos = in.fixed<int64_t>();
      element = marker;
      break;
    }
    case Control::kEnd:
      element = EndOfInput{};
      break;
    default:
      in.fail("holds an element of an unknown kind");
  }
  expectEnd(in);
  return element;
}

Channel::Announcement decodeAnnouncement(const Frame& frame) {
  ByteReader in(frame.body);
  Channel::Announcement news;
  news.position = in.fixed<uint64_t>();
  news.barrier = decodeBarrier(in);
  expectEnd(in);
  return news;
}

Hello decodeHello(const Frame& frame) {
  ByteReader in(frame.body);
  Hello hello;
  hello.job = in.string();
  hello.attempt = static_cast<int>(in.zigzag());
  hello.from = in.string();
  hello.to = in.string();
  expectEnd(in);
  return hello;
}

}  // namespace flott
