#include "flott/formats/compression.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flott/base/error.h"
#include "flott/formats/tests/compressed.h"

namespace flott {
namespace {

// Through a decompressor, with so many bytes at a time.
std::string decompressed(Compression kind, const std::string& bytes, size_t in, size_t out) {
  const auto decompressor = makeDecompressor(kind);
  std::string text;
  std::string room(out, '\0');
  for (size_t at = 0;;) {
    const std::string_view some = std::string_view(bytes).substr(at, in);
    const Decompressor::Progress done = decompressor->decompress(some, room);
    at += done.read;
    text += room.substr(0, done.written);
    if (some.empty() && done.written == 0) break;
    EXPECT_TRUE(done.read + done.written > 0 || some.empty());
  }
  decompressor->finish();
  return text;
}

std::string sample(size_t lines) {
  std::string text;
  for (size_t i = 0; i < lines; ++i) text += "line " + std::to_string(i * i) + "\n";
  return text;
}

class CompressionTest : public testing::TestWithParam<Compression> {
 protected:
  static std::string compressed(const std::string& text) {
    return GetParam() == Compression::kGzip ? gzipped(text) : zstded(text);
  }
  static std::string name() { return GetParam() == Compression::kGzip ? "gzip" : "zstd"; }
};

TEST_P(CompressionTest, AnyPortionsAndSeveralMembers) {
  const std::string text = sample(3000);
  const std::string bytes = compressed(text) + compressed("") + compressed("second\n");
  for (const size_t in : {1u, 7u, 100'000u}) {
    for (const size_t out : {1u, 1000u, 200'000u}) {
      EXPECT_EQ(decompressed(GetParam(), bytes, in, out), text + "second\n") << in << " " << out;
    }
  }
  EXPECT_EQ(decompressed(GetParam(), "", 10, 10), "");
}

TEST_P(CompressionTest, TruncatedAnywhereIsAnError) {
  const std::string bytes = compressed(sample(20));
  for (size_t size = 1; size < bytes.size(); ++size) {
    try {
      decompressed(GetParam(), bytes.substr(0, size), 1000, 1000);
      ADD_FAILURE() << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUser);
      EXPECT_EQ(error.message(), name() + " data ends too early, at byte " + std::to_string(size) +
                                     ": wait until the file is complete, or make it again");
    }
  }
}

TEST_P(CompressionTest, DamageIsAnErrorWithItsPlace) {
  std::string bytes = compressed(sample(1000));
  bytes[0] = 'X';
  try {
    decompressed(GetParam(), bytes, 100'000, 100'000);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUser);
    EXPECT_NE(error.message().find(name() + " data is damaged at byte "), std::string::npos) << error.what();
    EXPECT_NE(error.message().find("make the file again, or take it out of the input"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CompressionTest, testing::Values(Compression::kGzip, Compression::kZstd));

TEST(CompressionOfTest, GoesByTheEndOfTheName) {
  EXPECT_EQ(compressionOf("a/b.txt.gz"), Compression::kGzip);
  EXPECT_EQ(compressionOf("a.zst"), Compression::kZstd);
  EXPECT_EQ(compressionOf("a.zstd"), Compression::kZstd);
  EXPECT_EQ(compressionOf("gz"), Compression::kNone);
  EXPECT_EQ(makeDecompressor(Compression::kNone), nullptr);
}

}  // namespace
}  // namespace flott
