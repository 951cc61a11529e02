#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <optional>

#include "flott/connectors/files/file_source.h"
#include "flott/connectors/files/tests/file_job.h"
#include "flott/data/arrow_status.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

struct Trip {
  int64_t id;
  std::optional<double> price;
  std::string city;
  Timestamp at;
  bool paid;
};

using Texts = std::vector<std::string>;

// Columns as those of Trip, but the id is int32, the time in microseconds, and there is one more. Row i: id
// i.
std::string tripsFile(int rows, int rowsInGroup, bool missingCity = false) {
  arrow::Int32Builder id;
  arrow::FloatBuilder price;
  arrow::StringBuilder city;
  arrow::TimestampBuilder at(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  arrow::BooleanBuilder paid;
  arrow::StringBuilder rest;
  for (int i = 0; i < rows; ++i) {
    check(id.Append(i), "test");
    check(i % 5 == 0 ? price.AppendNull() : price.Append(static_cast<float>(i) / 2), "test");
    check(missingCity && i == 7 ? city.AppendNull() : city.Append("c" + std::to_string(i % 4)), "test");
    check(at.Append(int64_t{i} * 1'000'999), "test");
    check(paid.Append(i % 2 == 0), "test");
    check(rest.Append(std::string(50, 'r')), "test");
  }
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("rest", arrow::utf8()), arrow::field("city", arrow::utf8()),
                     arrow::field("id", arrow::int32()), arrow::field("price", arrow::float32()),
                     arrow::field("at", at.type()), arrow::field("paid", arrow::boolean())}),
      {valueOf(rest.Finish(), "test"), valueOf(city.Finish(), "test"), valueOf(id.Finish(), "test"),
       valueOf(price.Finish(), "test"), valueOf(at.Finish(), "test"), valueOf(paid.Finish(), "test")});
  const auto sink = valueOf(arrow::io::BufferOutputStream::Create(), "test");
  check(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, rowsInGroup), "test");
  return valueOf(sink->Finish(), "test")->ToString();
}

class ParquetSourceTest : public testing::Test {
 protected:
  template <typename T>
  Texts read(const SourceOf<T>& source, int readers = 1) {
    FileJob job(source.factory, world_.env(), readers);
    job.run();
    EXPECT_TRUE(job.ended());
    return job.printed();
  }
  template <typename T>
  std::string errorOf(const SourceOf<T>& source) {
    try {
      read(source);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUser);
      return error.what();
    }
    return "no error";
  }
  static Texts sorted(Texts texts) {
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  SimulatedEnv world_{3};
};

TEST_F(ParquetSourceTest, RecordsByFieldNames) {
  world_.files().put("trips.parquet", tripsFile(3, 10));
  EXPECT_EQ(read(parquetFiles<Trip>("trips.parquet")),
            (Texts{R"({id: 0, price: null, city: "c0", at: 1970-01-01T00:00:00.000Z, paid: true})",
                   R"({id: 1, price: 0.5, city: "c1", at: 1970-01-01T00:00:01.000Z, paid: false})",
                   R"({id: 2, price: 1, city: "c2", at: 1970-01-01T00:00:02.001Z, paid: true})"}));
}

TEST_F(ParquetSourceTest, EverySplitSizeReadsEveryRowOnce) {
  world_.files().put("trips.parquet", tripsFile(60, 7));
  const Texts whole = sorted(read(parquetFiles<Trip>("trips.parquet")));
  ASSERT_EQ(whole.size(), 60u);
  for (uint64_t split = 50; split < 4000; split += 271) {
    const FileSourceOptions options{.splitSize = MemorySize(split)};
    EXPECT_EQ(sorted(read(parquetFiles<Trip>("trips.parquet", options), 2)), whole) << split;
  }
}

TEST_F(ParquetSourceTest, ColumnsAreChosen) {
  world_.files().put("trips.parquet", tripsFile(10'000, 9000));
  const Texts rows = read(columnarParquet("trips.parquet", {"id", "city"}));
  ASSERT_EQ(rows.size(), 10'000u);
  EXPECT_EQ(rows[9999], R"({id: 9999, city: "c3"})");
  const Texts all = read(columnarParquet("trips.parquet"));
  EXPECT_TRUE(all[1].starts_with("{rest: \"rrr"));
}

TEST_F(ParquetSourceTest, GoesOnWhereASnapshotWasTaken) {
  world_.files().put("trips.parquet", tripsFile(2000, 300));
  const auto factory = parquetFiles<Trip>("trips.parquet", {.splitSize = MemorySize(8000)}).factory;
  const Texts whole = sorted(read(parquetFiles<Trip>("trips.parquet")));
  size_t steps = 0;
  for (bool more = true; more; steps += 3) {
    FileJob first(factory, world_.env(), 1);
    for (size_t i = 0; i < steps && more; ++i) more = first.step();
    const FileJob::Snapshot snapshot = first.snapshot();
    FileJob second(factory, world_.env(), 2, snapshot.enumerator);
    second.giveBack(snapshot.splits);
    second.run();
    Texts all = first.printed();
    for (std::string& row : second.printed()) all.push_back(std::move(row));
    EXPECT_EQ(sorted(all), whole) << steps;
  }
  EXPECT_GT(steps, 10u);
}

struct Prise {
  double prise;
};
struct TextId {
  std::string id;
};
struct SmallId {
  int16_t id;
};
struct UnsignedId {
  uint64_t id;
};
struct Price {
  double price;
};

TEST_F(ParquetSourceTest, SchemasThatDoNotFit) {
  world_.files().put("trips.parquet", tripsFile(20, 10));
  EXPECT_EQ(
      errorOf(parquetFiles<Prise>("trips.parquet")),
      "file 'trips.parquet': there is no column 'prise'; did you mean 'price'? The columns are: rest, city, "
      "id, price, at, paid");
  EXPECT_EQ(
      errorOf(columnarParquet("trips.parquet", {"nothing"})),
      "file 'trips.parquet': there is no column 'nothing'. The columns are: rest, city, id, price, at, paid");
  EXPECT_EQ(errorOf(parquetFiles<TextId>("trips.parquet")),
            "file 'trips.parquet': column 'id' is int32, but the field is string: give the field "
            "a type "
            "that holds every value of the column");
  EXPECT_EQ(errorOf(parquetFiles<SmallId>("trips.parquet")).substr(0, 51),
            "file 'trips.parquet': column 'id' is int32, but the");
  EXPECT_EQ(errorOf(parquetFiles<UnsignedId>("trips.parquet")).substr(0, 51),
            "file 'trips.parquet': column 'id' is int32, but the");
  EXPECT_EQ(
      errorOf(parquetFiles<Price>("trips.parquet")),
      "file 'trips.parquet': column 'price' has no value in row 1, but the field is not optional: make it a "
      "std::optional");
  world_.files().put("trips.parquet", tripsFile(20, 3, true));
  EXPECT_EQ(
      errorOf(parquetFiles<Trip>("trips.parquet", {.splitSize = MemorySize(100)})),
      "file 'trips.parquet': column 'city' has no value in row 8, but the field is not optional: make it a "
      "std::optional");
}

TEST_F(ParquetSourceTest, WhatIsNoParquetFile) {
  world_.files().put("a.parquet", "id,price\n1,2\n");
  EXPECT_EQ(errorOf(parquetFiles<Trip>("a.parquet")).substr(0, 44),
            "file 'a.parquet' cannot be read as Parquet: ");
  std::string file = tripsFile(100, 10);
  for (size_t at = 4; at < file.size(); at += 97) {
    std::string broken = file;
    broken[at] = static_cast<char>(~broken[at]);
    world_.files().put("a.parquet", broken);
    try {
      read(columnarParquet("a.parquet"));
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("'a.parquet'"), std::string::npos) << error.what();
    }
  }
}

TEST_F(ParquetSourceTest, AFailingDiskIsTransient) {
  world_.files().put("a.parquet", tripsFile(100, 10));
  world_.files().setFault("a.parquet", FileFault::kReadFails);
  try {
    read(columnarParquet("a.parquet"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
  }
}

}  // namespace
}  // namespace flott
