// Parquet files of the file sink, read back by the Parquet source.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <variant>

#include "flott/base/tests/error_text.h"
#include "flott/connectors/files/file_source.h"
#include "flott/connectors/files/part_file_sink.h"
#include "flott/connectors/files/tests/file_job.h"
#include "flott/connectors/tests/sink_run.h"
#include "flott/env/simulated.h"

namespace flott::parquet_sink_test {
namespace {

using Texts = std::vector<std::string>;

enum class Colour : uint8_t { kRed = 1, kBlue = 2 };

struct Address {
  std::string street;
  std::optional<int32_t> floor;
};

struct Order {
  int64_t id = 0;
  std::optional<double> price;
  std::string city;
  Timestamp at;
  Colour colour = Colour::kRed;
};

struct Everything {
  bool yes = false;
  int8_t small = 0;
  uint64_t large = 0;
  float fraction = 0;
  Colour colour = Colour::kRed;
  std::optional<std::string> note;
  Address address;
  std::optional<Address> other;
  std::vector<Address> more;
  std::array<int16_t, 2> pair{};
  std::set<std::string> tags;
  std::map<std::string, double> shares;
  std::tuple<int32_t, std::string> element;
  Duration took;
  Timestamp at;
};

class ParquetSinkTest : public testing::Test {
 protected:
  using Orders = FileSink<Order, ParquetEncoder<Order>>;

  static Orders orders(ParquetOptions options = {}) {
    return Orders::forBulkFormat("/out", ParquetEncoder<Order>(options));
  }
  template <typename T>
  Texts read(const SourceOf<T>& source) {
    FileJob job(source.factory, world.env(), 1);
    job.run();
    EXPECT_TRUE(job.ended());
    return job.printed();
  }
  size_t files(bool hidden) {
    size_t count = 0;
    for (const FileInfo& file : world.files().listFiles("/out")) {
      if (file.path.substr(file.path.rfind('/') + 1).starts_with('.') == hidden) ++count;
    }
    return count;
  }
  uint64_t bytes() {
    uint64_t sum = 0;
    for (const FileInfo& file : world.files().listFiles("/out")) sum += file.size;
    return sum;
  }
  static std::vector<Order> someOrders(int64_t from, int64_t to) {
    std::vector<Order> all;
    for (int64_t id = from; id < to; ++id) {
      all.push_back({id, id % 3 == 0 ? std::nullopt : std::optional(id / 2.0), "c" + std::to_string(id % 4),
                     Timestamp(id * 1000), id % 2 == 0 ? Colour::kRed : Colour::kBlue});
    }
    return all;
  }

  SimulatedEnv world{1};
};

TEST_F(ParquetSinkTest, EveryKindOfFieldIsAColumn) {
  {
    SinkRun<Everything> attempt(world,
                                FileSink<Everything>::forBulkFormat("/out", ParquetEncoder<Everything>()));
    attempt.write({{.yes = true,
                    .small = -3,
                    .large = ~uint64_t{0},
                    .fraction = 0.5f,
                    .colour = Colour::kBlue,
                    .note = "n",
                    .address = {"High", 2},
                    .other = Address{"Low", {}},
                    .more = {{"a", 1}, {"b", {}}},
                    .pair = {7, 8},
                    .tags = {"x", "y"},
                    .shares = {{"k", 0.25}},
                    .element = {9, "nine"},
                    .took = Duration(4),
                    .at = Timestamp(1)},
                   {}});
    attempt.checkpoint(1);
    attempt.complete(1);
  }
  const Texts rows = read(columnarParquet("/out"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0],
            R"({yes: true, small: -3, large: 18446744073709551615, fraction: 0.5, colour: 2, note: "n", )"
            R"(address: {street:string = High, floor:int32 = 2}, other: {street:string = Low, floor:int32 = )"
            R"(null}, more: list<element: struct<street: string not null, floor: int32> not null>[)"
            R"({street:string = a, floor:int32 = 1}, {street:string = b, floor:int32 = null}], )"
            R"(pair: list<element: int16 not null>[7, 8], tags: list<element: string not null>[x, y], )"
            R"(shares: map<string, double ('shares')>[{key:string = k, value:double = 0.25}], )"
            R"(element: {f0:int32 = 9, f1:string = nine}, took: 4, at: 1970-01-01 00:00:00.001Z})");
  EXPECT_TRUE(
      rows[1].starts_with(R"({yes: false, small: 0, large: 0, fraction: 0, colour: 1, note: null, )"
                          R"(address: {street:string = , floor:int32 = null}, other: null, more: list<)"))
      << rows[1];
  EXPECT_TRUE(rows[1].ends_with(", took: 0, at: null}")) << rows[1];
}

TEST_F(ParquetSinkTest, AFileIsWholeAtEachBarrierAndReadsBack) {
  SinkRun<Order> attempt(world, orders().withOutputFileConfig("orders", ".parquet"));
  attempt.write(someOrders(0, 3000));
  attempt.write(someOrders(3000, 5000));
  attempt.checkpoint(1);
  EXPECT_EQ(files(true), 1u);
  EXPECT_EQ(files(false), 0u);
  attempt.complete(1);
  EXPECT_EQ(files(true), 0u);
  attempt.write(someOrders(5000, 5001));
  attempt.checkpoint(2);
  EXPECT_EQ(read(parquetFiles<Order>("/out")).size(), 5000u) << "a hidden one is not read";
  attempt.complete(2);
  EXPECT_EQ(files(false), 2u);
  FileJob job(parquetFiles<Order>("/out").factory, world.env(), 1);
  job.run();
  std::map<int64_t, Order> all;
  for (const Order& order : job.taken<Order>()) all[order.id] = order;
  ASSERT_EQ(all.size(), 5001u);
  for (const Order& order : someOrders(0, 5001)) {
    EXPECT_EQ(toText(all[order.id]), toText(order));
  }
}

TEST_F(ParquetSinkTest, LargeFilesAreClosedBeforeTheBarrier) {
  // Nothing is compressed and names differ, so that a record takes about as much in the file as before.
  SinkRun<Order> attempt(
      world, orders({.compression = ParquetCompression::kNone, .rowGroupSize = MemorySize::kb(20)})
                 .withRollingPolicy({.maxSize = MemorySize::kb(100)})
                 .withBufferSize(MemorySize::kb(4)));
  std::vector<Order> records = someOrders(0, 10'000);
  for (Order& order : records) order.city = "a city of its own: " + std::to_string(order.id * 7919);
  for (size_t i = 0; i < records.size(); i += 100) {
    attempt.write({records.begin() + static_cast<std::ptrdiff_t>(i),
                   records.begin() + static_cast<std::ptrdiff_t>(i + 100)});
  }
  attempt.checkpoint(1);
  attempt.complete(1);
  EXPECT_GE(files(false), 4u);
  EXPECT_LE(files(false), 9u);
  for (const FileInfo& file : world.files().listFiles("/out")) EXPECT_LT(file.size, 130u << 10);
  EXPECT_EQ(read(parquetFiles<Order>("/out")).size(), 10'000u);
}

// Row groups are what is in memory: of many open files the one that holds most is closed.
TEST_F(ParquetSinkTest, ManyOpenFilesHoldNoMoreThanFew) {
  const auto byId = [](const Order& order) { return std::to_string(order.id % 20); };
  const size_t perFile = 10'000 / 20;
  for (const bool small : {true, false}) {
    SCOPED_TRACE(small);
    SinkRun<Order> attempt(world, orders({.rowGroupSize = small ? MemorySize::kb(16) : MemorySize::mb(1)})
                                      .withBucketAssigner(byId)
                                      .withBufferSize(MemorySize(500)));
    for (int64_t i = 0; i < 10'000; i += 200) attempt.write(someOrders(i, i + 200));
    const size_t before = files(true);
    attempt.checkpoint(1);
    attempt.complete(1);
    EXPECT_EQ(read(parquetFiles<Order>("/out")).size(), 20 * perFile);
    if (small) {
      EXPECT_GT(files(false), 40u);
    } else {
      EXPECT_EQ(files(false), 20u);
      EXPECT_EQ(before, 20u);
    }
    for (const FileInfo& file : world.files().listFiles("/out")) world.files().remove(file.path);
  }
}

TEST_F(ParquetSinkTest, Compressions) {
  std::map<ParquetCompression, uint64_t> sizes;
  for (const ParquetCompression compression :
       {ParquetCompression::kNone, ParquetCompression::kSnappy, ParquetCompression::kGzip,
        ParquetCompression::kLz4, ParquetCompression::kZstd}) {
    SinkRun<Order> attempt(world, orders({.compression = compression}));
    attempt.write(someOrders(0, 2000));
    attempt.end();
    attempt.op->snapshotState(CheckpointId(1));
    attempt.complete(1);
    EXPECT_EQ(read(parquetFiles<Order>("/out")).size(), 2000u);
    sizes[compression] = bytes();
    for (const FileInfo& file : world.files().listFiles("/out")) world.files().remove(file.path);
  }
  for (const auto& [compression, size] : sizes) {
    if (compression == ParquetCompression::kNone) continue;
    EXPECT_LT(size, sizes[ParquetCompression::kNone] * 3 / 4);
  }
  EXPECT_NE(sizes[ParquetCompression::kZstd], sizes[ParquetCompression::kSnappy]);
}

TEST_F(ParquetSinkTest, ADiskThatFailsFailsTheAttempt) {
  SinkRun<Order> attempt(world, orders());
  attempt.write(someOrders(0, 100));
  world.files().setFreeBytes(100);
  EXPECT_NE(errorText([&] { attempt.checkpoint(1); }, ErrorKind::kTransient).find("/out/.part-0-"),
            std::string::npos);
}

struct Node {
  int32_t value = 0;
  std::vector<Node> children;
};
struct Shape {
  std::vector<std::variant<int32_t, std::string>> sides;
};
struct Drawing {
  std::optional<Shape> shape;
};
struct Keyed {
  std::map<std::optional<int32_t>, int32_t> byKey;
};
struct Nothing {};
struct Holder {
  std::map<int32_t, Nothing> nothing;
};

TEST_F(ParquetSinkTest, WhatCannotBeAColumnIsRefused) {
  const std::string rest =
      " cannot be a column of a Parquet file: columns hold numbers, bools, strings, enums and times, and "
      "structs, optionals, lists, sets and maps of these, but no variants, types with a codec of their own, "
      "structs that contain themselves or have no fields, or optional keys of maps. Map the records to a "
      "struct without it";
  EXPECT_EQ(errorText([] { ParquetEncoder<Node>(); }),
            "field 'children[]' of struct{value: int32, children: list<^0>}" + rest);
  EXPECT_EQ(
      errorText([] { ParquetEncoder<Drawing>(); }),
      "field 'shape.sides[]' of struct{shape: optional<struct{sides: list<variant<int32, string>>}>}" + rest);
  EXPECT_EQ(errorText([] { ParquetEncoder<Keyed>(); }),
            "field 'byKey[key]' of struct{byKey: map<optional<int32>, int32>}" + rest);
  EXPECT_EQ(errorText([] { ParquetEncoder<Holder>(); }).substr(0, 17), "field 'nothing[]'");
  EXPECT_EQ(
      errorText([] { ParquetEncoder<int64_t>(); }),
      "int64 has no fields that could be the columns of a Parquet file: map the records to a struct that "
      "has");
}

TEST_F(ParquetSinkTest, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(errorText([] { orders({.rowGroupSize = MemorySize(0)}); }),
            "a row group of 0 bytes has no room for a record: give a larger ParquetOptions::rowGroupSize");
  EXPECT_EQ(errorText([] { orders({.compressionLevel = 3}); }),
            "snappy has no level 3: leave ParquetOptions::compressionLevel out");
  EXPECT_EQ(errorText([] { orders({.compression = ParquetCompression::kGzip, .compressionLevel = 30}); }),
            "gzip has no level 30: its levels go from 1 to 9");
}

}  // namespace
}  // namespace flott::parquet_sink_test
