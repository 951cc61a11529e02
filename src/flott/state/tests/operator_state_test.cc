#include "flott/state/operator_state.h"

#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"

namespace flott {
namespace {

OperatorStateImage throughBytes(const OperatorStateImage& image) {
  std::string bytes;
  ByteWriter out(bytes);
  image.encode(out);
  ByteReader in(bytes);
  OperatorStateImage copy = OperatorStateImage::decode(in);
  EXPECT_TRUE(in.atEnd());
  EXPECT_EQ(copy, image);
  return copy;
}

/// What two subtasks have before the change of parallelism.
std::vector<OperatorStateImage> twoSubtasks() {
  std::vector<OperatorStateImage> images;
  for (int64_t subtask : {0, 1}) {
    OperatorStateBackend backend;
    for (int64_t i = 0; i < 3 + subtask; ++i) backend.list<int64_t>("split").add(subtask * 10 + i);
    backend.unionList<std::string>("union").add("of " + std::to_string(subtask));
    BroadcastState<std::string, int64_t>& rules =
        backend.broadcast(MapStateDescriptor<std::string, int64_t>("rules"));
    rules.put("z", 1);
    rules.put("a", 2);
    images.push_back(throughBytes(backend.snapshot()));
  }
  return images;
}

TEST(OperatorState, IsDealtOutAnew) {
  const std::vector<OperatorStateImage> images = split(twoSubtasks(), 3);
  std::vector<std::vector<int64_t>> shares;
  for (const OperatorStateImage& image : images) {
    OperatorStateBackend backend(image);
    EXPECT_TRUE(backend.isRestored());
    shares.push_back(backend.list<int64_t>("split").get());
    EXPECT_EQ(backend.unionList<std::string>("union").get(), (std::vector<std::string>{"of 0", "of 1"}));
    std::string keys;
    for (const auto& [key, value] :
         backend.broadcast(MapStateDescriptor<std::string, int64_t>("rules")).entries()) {
      keys += key;
    }
    EXPECT_EQ(keys, "za");
  }
  EXPECT_EQ(shares, (std::vector<std::vector<int64_t>>{{0, 1, 2}, {10, 11}, {12, 13}}));
  const std::vector<OperatorStateImage> one = split(images, 1);
  OperatorStateBackend backend(one[0]);
  EXPECT_EQ(backend.list<int64_t>("split").get(), (std::vector<int64_t>{0, 1, 2, 10, 11, 12, 13}));
}

TEST(OperatorState, WhatNobodyAskedForStays) {
  const std::vector<OperatorStateImage> images = twoSubtasks();
  OperatorStateBackend backend(images[0]);
  backend.list<int64_t>("split").clear();
  OperatorStateImage expected = images[0];
  for (OperatorStateImage::State& state : expected.states) {
    if (state.name == "split") state.items.clear();
  }
  EXPECT_EQ(backend.snapshot(), expected);
  EXPECT_FALSE(OperatorStateBackend().isRestored());
}

TEST(OperatorState, BroadcastIsAMap) {
  OperatorStateBackend backend;
  BroadcastState<std::string, int64_t>& rules =
      backend.broadcast(MapStateDescriptor<std::string, int64_t>("rules"));
  rules.put("a", 1);
  rules.put("a", 2);
  EXPECT_EQ(*rules.get("a"), 2);
  EXPECT_TRUE(rules.remove("a"));
  EXPECT_FALSE(rules.contains("a"));
  EXPECT_EQ(rules.size(), 0u);
}

TEST(OperatorState, OneNameIsOneState) {
  OperatorStateBackend backend;
  backend.list<int64_t>("x").add(1);
  EXPECT_EQ(backend.list<int64_t>("x").get().size(), 1u);
  EXPECT_EQ(errorText([&] { backend.unionList<int64_t>("x"); }),
            "state 'x' is registered as list state of int64 and again as union list state of int64: give "
            "each state of "
            "an operator a name of its own");
  EXPECT_EQ(errorText([&] { backend.broadcast(MapStateDescriptor<int64_t, int64_t>("x")); }),
            "state 'x' is registered as list state of int64 and again as broadcast state of map<int64, "
            "int64>: give "
            "each state of an operator a name of its own");
  OperatorStateBackend restored(backend.snapshot());
  EXPECT_EQ(errorText([&] { restored.unionList<int64_t>("x"); }),
            "state 'x' is registered as union list state of int64, but the snapshot has it with another "
            "redistribution: "
            "give it a new name");
}

TEST(OperatorState, SaysWhatIsInIt) {
  OperatorStateImage image = twoSubtasks()[0];
  std::string types;
  for (const OperatorStateImage::State& state : image.states) types += state.type->toString() + " ";
  EXPECT_EQ(types, "map<string, int64> int64 string ");
  OperatorStateBackend backend(image);
  EXPECT_EQ(
      errorText([&] { backend.list<double>("split"); }),
      "state 'split' is list state of int64 in the snapshot and list state of double in the program: keep "
      "its type, or give the state another name to begin it anew");
}

TEST(OperatorState, TheFirstFormatCanBeRead) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(1);
  out.string("x");
  out.fixed(static_cast<uint8_t>(Redistribution::kUnion));
  out.varint(2);
  out.string("a");
  out.string("");
  ByteReader in(bytes);
  const OperatorStateImage image = OperatorStateImage::decode(in);
  ASSERT_EQ(image.states.size(), 1u);
  EXPECT_EQ(image.states[0].name, "x");
  EXPECT_FALSE(image.states[0].type);
  EXPECT_EQ(image.states[0].items, (std::vector<std::string>{"a", ""}));
}

TEST(OperatorState, BrokenBytesAreRefused) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(1);
  out.string("x");
  out.fixed(uint8_t{9});
  out.varint(0);
  ByteReader in(bytes);
  EXPECT_EQ(errorText([&] { OperatorStateImage::decode(in); }, ErrorKind::kCorruption),
            "encoded data holds a state with an unknown redistribution at byte 4");
  ByteReader newer(std::string_view("\0\3", 2));
  EXPECT_EQ(
      errorText([&] { OperatorStateImage::decode(newer); }),
      "operator state has format 3, and this program reads formats up to 2: a newer version of Flott has "
      "written it. Build the program with that version or a later one, or start from a savepoint of this "
      "version");
}

}  // namespace
}  // namespace flott
