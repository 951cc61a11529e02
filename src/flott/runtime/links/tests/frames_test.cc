// Frames between workers: everything there and back, and nothing that was not written so.
#include "flott/runtime/links/frames.h"

#include <gtest/gtest.h>

#include <cstring>

#include "flott/base/hash.h"
#include "flott/base/tests/error_text.h"
#include "flott/data/rows.h"
#include "flott/env/random.h"

namespace flott {
namespace {

constexpr size_t kLimit = 1 << 20;

Batch words(BatchPools& pools, size_t count) {
  Batch batch = rowsPool<std::string>(pools).acquire();
  for (size_t i = 0; i < count; ++i) batch.rows<std::string>().emplace("word " + std::to_string(i % 7));
  for (size_t i = 0; i < count; ++i) batch->enableTimestamps()[i] = static_cast<int64_t>(i) - 5;
  for (size_t i = 0; i < count; ++i) batch->enableHashes()[i] = hashBytes(batch.rows<std::string>()[i]);
  return batch;
}

std::string encoded(const Element& element, FrameOptions options = {}) {
  std::string bytes;
  FrameWriter(options).element(7, element, bytes);
  return bytes;
}

/// Puts `bytes` into the reader, at most `step` at once, and calls f for each frame.
template <typename F>
void feed(FrameReader& reader, std::string_view bytes, size_t step, F&& f) {
  while (!bytes.empty()) {
    const std::span<char> room = reader.room();
    const size_t size = std::min({room.size(), step, bytes.size()});
    ASSERT_GT(size, 0u);
    std::memcpy(room.data(), bytes.data(), size);
    reader.filled(size);
    bytes.remove_prefix(size);
    while (const std::optional<Frame> frame = reader.next()) f(*frame);
  }
}

Frame only(FrameReader& reader, std::string_view bytes) {
  std::optional<Frame> found;
  feed(reader, bytes, bytes.size(), [&](const Frame& frame) { found = frame; });
  EXPECT_TRUE(found.has_value());
  return found.value_or(Frame());
}

TEST(Frames, CarryBatchesWithAllThatIsBesideTheRecords) {
  for (const auto by : {FrameCompression::kNone, FrameCompression::kLz4, FrameCompression::kZstd}) {
    for (const size_t step : {size_t{1}, size_t{1000}, kLimit}) {
      BatchPools pools;
      const Batch sent = words(pools, 900);
      std::string bytes = encoded(Element(sent->clone(pools)), {.limitBytes = kLimit, .compression = by});
      const size_t once = bytes.size();
      EXPECT_EQ(once < 4000, by != FrameCompression::kNone) << once;
      bytes += encoded(Element(words(pools, 0)));
      std::vector<Batch> got;
      FrameReader reader(kLimit);
      feed(reader, bytes, step, [&](const Frame& frame) {
        EXPECT_EQ(frame.kind, FrameKind::kBatch);
        EXPECT_EQ(frame.channel, 7u);
        got.push_back(decodeBatch(frame, rowsPool<std::string>(pools)));
      });
      ASSERT_EQ(got.size(), 2u);
      EXPECT_EQ(got[1].size(), 0u);
      ASSERT_EQ(got[0].size(), sent.size());
      for (size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(got[0].rows<std::string>()[i], sent.rows<std::string>()[i]);
        EXPECT_EQ(got[0]->timestamps()[i], sent->timestamps()[i]);
        EXPECT_EQ(got[0]->hashes()[i], sent->hashes()[i]);
      }
    }
  }
}

Element thereAndBack(const Element& element) {
  FrameReader reader(kLimit);
  const Frame frame = only(reader, encoded(element));
  EXPECT_EQ(frame.kind, FrameKind::kControl);
  return decodeControl(frame);
}

void expectSame(const Barrier& a, const Barrier& b) {
  EXPECT_EQ(a.checkpoint, b.checkpoint);
  EXPECT_EQ(a.triggered, b.triggered);
  EXPECT_EQ(a.overtakesFrom, b.overtakesFrom);
  ASSERT_EQ(a.properties != nullptr, b.properties != nullptr);
  if (a.properties == nullptr) return;
  EXPECT_EQ(a.properties->kind, b.properties->kind);
  EXPECT_EQ(a.properties->folder, b.properties->folder);
  EXPECT_EQ(a.properties->stop, b.properties->stop);
  EXPECT_EQ(a.properties->incremental, b.properties->incremental);
  EXPECT_EQ(a.properties->base, b.properties->base);
}

TEST(Frames, CarryEachControlElement) {
  EXPECT_EQ(std::get<Watermark>(thereAndBack(Watermark{Timestamp(-17)})).time, Timestamp(-17));
  EXPECT_EQ(std::get<Watermark>(thereAndBack(Watermark{Timestamp::max()})).time, Timestamp::max());
  EXPECT_FALSE(std::get<WatermarkStatus>(thereAndBack(WatermarkStatus{false})).active);
  EXPECT_TRUE(std::holds_alternative<EndOfInput>(thereAndBack(EndOfInput{})));
  const LatencyMarker marker{OperatorId(99), SubtaskIndex(3), 123'456'789'012};
  const auto other = std::get<LatencyMarker>(thereAndBack(marker));
  EXPECT_EQ(other.source, marker.source);
  EXPECT_EQ(other.subtask, marker.subtask);
  EXPECT_EQ(other.emittedNanos, marker.emittedNanos);
}

TEST(Frames, CarryBarriersAndNewsOfThem) {
  Barrier plain{.checkpoint = CheckpointId(5), .triggered = Timestamp(1000)};
  expectSame(std::get<Barrier>(thereAndBack(plain)), plain);
  Barrier full{.checkpoint = CheckpointId(6),
               .triggered = Timestamp(1001),
               .properties = std::make_shared<CheckpointProperties>(
                   CheckpointProperties{.kind = CheckpointKind::kSavepoint,
                                        .folder = "s3://bucket/savepoint",
                                        .stop = StopMode::kDrain,
                                        .incremental = true,
                                        .base = CheckpointId(4)}),
               .overtakesFrom = Timestamp::min()};
  expectSame(std::get<Barrier>(thereAndBack(full)), full);
  std::string bytes;
  FrameWriter({}).announcement(9, {full, 12345}, bytes);
  FrameReader reader(kLimit);
  const Frame frame = only(reader, bytes);
  EXPECT_EQ(frame.kind, FrameKind::kAnnouncement);
  EXPECT_EQ(frame.channel, 9u);
  expectSame(decodeAnnouncement(frame).barrier, full);
  EXPECT_EQ(decodeAnnouncement(frame).position, 12345u);
}

TEST(Frames, CarryWhatWorkersSayToEachOther) {
  std::string bytes;
  FrameWriter writer({});
  writer.hello({.job = "5f2c", .attempt = 3, .from = "a", .to = "b"}, bytes);
  writer.credit(4, 8, bytes);
  writer.refusal("not here", bytes);
  writer.bare(FrameKind::kEnd, bytes);
  std::vector<FrameKind> kinds;
  FrameReader reader(kLimit);
  feed(reader, bytes, kLimit, [&](const Frame& frame) {
    kinds.push_back(frame.kind);
    if (frame.kind == FrameKind::kCredit) {
      EXPECT_EQ(frame.value, 8u);
    }
    if (frame.kind == FrameKind::kRefusal) {
      EXPECT_EQ(frame.body, "not here");
    }
    if (frame.kind != FrameKind::kHello) return;
    const Hello hello = decodeHello(frame);
    EXPECT_EQ(hello.job + " " + std::to_string(hello.attempt) + hello.from + hello.to, "5f2c 3ab");
  });
  EXPECT_EQ(kinds,
            (std::vector{FrameKind::kHello, FrameKind::kCredit, FrameKind::kRefusal, FrameKind::kEnd}));
}

// Also in the length: the reader does not wait for more, which would never come.
TEST(Frames, DamageAnywhereIsRefusedWithItsPlace) {
  BatchPools pools;
  const std::string first = encoded(Watermark{Timestamp(1)});
  const std::string second = encoded(Element(words(pools, 3)));
  for (size_t at = 0; at < second.size(); ++at) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      std::string damaged = second;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      FrameReader reader(kLimit);
      int whole = 0;
      const std::string text =
          errorText([&] { feed(reader, first + damaged, kLimit, [&](const Frame&) { ++whole; }); },
                    ErrorKind::kTransient);
      EXPECT_EQ(whole, 1);
      EXPECT_EQ(text.find("byte " + std::to_string(first.size()) + " of the connection: "), 0u) << text;
    }
  }
}

// Sets the checksum of a changed header.
void signHeader(std::string& frame) {
  const uint64_t hash = hashBytes(frame.data(), kFrameHeaderBytes - sizeof(uint64_t));
  std::memcpy(frame.data() + kFrameHeaderBytes - sizeof hash, &hash, sizeof hash);
}

TEST(Frames, OtherVersionsAndOversizeAreNamed) {
  std::string frame = encoded(Watermark{Timestamp(1)});
  frame[2] = 9;
  signHeader(frame);
  FrameReader reader(kLimit);
  EXPECT_EQ(
      errorText([&] { feed(reader, frame, kLimit, [](const Frame&) {}); }, ErrorKind::kTransient),
      "byte 0 of the connection: the other worker speaks version 9 of the protocol between workers, this "
      "one version 1: build both from the same version of Flott");

  BatchPools pools;
  EXPECT_EQ(
      errorText([&] { encoded(Element(words(pools, 100)), {.limitBytes = 1000}); }),
      "a batch of 100 records takes 2302 bytes, more than the 1000 that may go to another worker at once: "
      "make the records smaller, or raise flott.network.max-frame-size");
  FrameReader small(1000);
  EXPECT_EQ(errorText([&] { feed(small, encoded(Element(words(pools, 100))), kLimit, [](const Frame&) {}); },
                      ErrorKind::kTransient),
            "byte 0 of the connection: a frame of 2302 bytes, more than the 1000 of "
            "flott.network.max-frame-size here");
}

// With checksums that are right, so that all decoders see nonsense.
TEST(Frames, RandomFramesAreRefusedOrRead) {
  Random random(7);
  BatchPools pools;
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string body(random.below(60), '\0');
    for (char& c : body) c = static_cast<char>(random.below(random.below(2) == 0 ? 4 : 256));
    std::string frame;
    FrameWriter({}).refusal(body, frame);
    const size_t at = random.below(24);
    frame[3] = static_cast<char>(random.below(10) | (random.below(4) == 0 ? 0x80 : 0));
    if (random.below(3) == 0) frame[at] = static_cast<char>(random.below(256));
    signHeader(frame);
    FrameReader reader(kLimit);
    try {
      feed(reader, frame, kLimit, [&](const Frame& found) {
        switch (found.kind) {
          case FrameKind::kHello:
            decodeHello(found);
            break;
          case FrameKind::kBatch:
            decodeBatch(found, rowsPool<std::string>(pools));
            break;
          case FrameKind::kControl:
            decodeControl(found);
            break;
          case FrameKind::kAnnouncement:
            decodeAnnouncement(found);
            break;
          default:
            break;
        }
      });
    } catch (const Error& error) {
      EXPECT_TRUE(error.kind() == ErrorKind::kTransient || error.kind() == ErrorKind::kCorruption);
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_EQ(pools.inUse(), 0u);
}

}  // namespace
}  // namespace flott
