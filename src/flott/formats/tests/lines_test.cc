#include "flott/formats/lines.h"

#include <gtest/gtest.h>

#include "flott/formats/tests/decode_all.h"

namespace flott {
namespace {

using Lines = std::vector<std::string>;

TEST(LinesTest, EveryKindOfLineEnd) {
  const auto format = lineFormat();
  EXPECT_EQ(decodeAll(*format, "").records, Lines{});
  EXPECT_EQ(decodeAll(*format, "\n").records, Lines{""});
  EXPECT_EQ(decodeAll(*format, "a").records, Lines{"a"});
  EXPECT_EQ(decodeAll(*format, "a\nb\n").records, (Lines{"a", "b"}));
  EXPECT_EQ(decodeAll(*format, "a\r\n\r\n\nb").records, (Lines{"a", "", "", "b"}));
  EXPECT_EQ(decodeAll(*format, "a\rb\r").records, Lines{"a\rb\r"});
  EXPECT_EQ(decodeAll(*format, std::string_view("a\0b\n", 4)).records, Lines{std::string("a\0b", 3)});
}

TEST(LinesTest, BlocksOfAnySizeGiveTheSame) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += std::string(static_cast<size_t>(i % 23), 'x') + (i % 3 == 0 ? "\r\n" : "\n");
  text += "end";
  const auto format = lineFormat();
  const Lines whole = decodeAll(*format, text).records;
  ASSERT_EQ(whole.size(), 201u);
  for (size_t block = 1; block < 60; ++block)
    EXPECT_EQ(decodeAll(*format, text, block).records, whole) << block;
}

TEST(LinesTest, OwnsOnlyLinesThatBeginInItsBytes) {
  BatchPools pools;
  const auto decoder = lineFormat()->createDecoder(pools);
  const std::string_view text = "ab\ncd\nef\n";
  for (size_t owned = 1; owned <= text.size(); ++owned) {
    Batch batch;
    const Decoded done = decoder->decode({.bytes = text, .owned = owned, .last = true}, batch);
    EXPECT_EQ(batch.size(), (owned + 2) / 3);
    EXPECT_EQ(done.bytes, (owned + 2) / 3 * 3);
  }
}

TEST(LinesTest, BatchesOfLongLinesStaySmall) {
  BatchPools pools;
  const auto decoder = lineFormat()->createDecoder(pools);
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::string(9999, 'x') + "\n";
  Batch batch;
  const Decoded done = decoder->decode({.bytes = text, .owned = text.size(), .last = true}, batch);
  EXPECT_EQ(batch.size(), 7u);
  EXPECT_EQ(done.bytes, 70'000u);
}

}  // namespace
}  // namespace flott
