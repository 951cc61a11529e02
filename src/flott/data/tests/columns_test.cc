#include "flott/data/columns.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <optional>

#include "flott/base/bytes.h"
#include "flott/data/arrow_status.h"
#include "flott/data/describe.h"

namespace flott {
namespace {

using RecordBatchPtr = std::shared_ptr<arrow::RecordBatch>;

// Rows (first, "s<first>"), (first + 1, …), …; every third name is missing.
RecordBatchPtr numbered(int64_t first, int64_t count) {
  arrow::Int64Builder numbers;
  arrow::StringBuilder names;
  for (int64_t i = first; i < first + count; ++i) {
    check(numbers.Append(i), "test");
    check(i % 3 == 2 ? names.AppendNull() : names.Append("s" + std::to_string(i)), "test");
  }
  const auto schema =
      arrow::schema({arrow::field("n", arrow::int64(), false), arrow::field("name", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, count,
                                  {valueOf(numbers.Finish(), "test"), valueOf(names.Finish(), "test")});
}

class ColumnsTest : public testing::Test {
 protected:
  Batch batchOf(RecordBatchPtr records) {
    Batch batch = columnsPool(pools_).acquire();
    columnsOf(batch).assign(std::move(records));
    return batch;
  }
  static std::vector<std::string> printed(const Batch& batch) {
    std::vector<std::string> rows;
    for (size_t i = 0; i < batch.size(); ++i) rows.push_back(batch->print(i));
    return rows;
  }
  using Rows = std::vector<std::string>;

  BatchPools pools_;
};

TEST_F(ColumnsTest, PrintsAndDescribesRecords) {
  const Batch batch = batchOf(numbered(1, 2));
  EXPECT_EQ(printed(batch), (Rows{R"({n: 1, name: "s1"})", "{n: 2, name: null}"}));
  EXPECT_EQ(batch->description().toString(), "struct{n: int64, name: optional<string>}");
  EXPECT_GT(batch->bytes(), 16u);
}

TEST_F(ColumnsTest, SelectionHidesRowsUntilItIsCompacted) {
  Batch batch = batchOf(numbered(0, 5));
  Columns& columns = columnsOf(batch);
  const size_t all = columns.bytes();
  columns.select({1, 4});
  EXPECT_EQ(columns.size(), 2u);
  EXPECT_EQ(printed(batch), (Rows{R"({n: 1, name: "s1"})", R"({n: 4, name: "s4"})"}));
  EXPECT_EQ(columns.records()->num_rows(), 5);
  EXPECT_LT(columns.bytes(), all);
  columns.compact();
  EXPECT_EQ(columns.selection(), nullptr);
  EXPECT_EQ(columns.records()->num_rows(), 2);
  EXPECT_EQ(printed(batch), (Rows{R"({n: 1, name: "s1"})", R"({n: 4, name: "s4"})"}));
}

TEST_F(ColumnsTest, SplitsWithAndWithoutSelection) {
  for (const bool selected : {false, true}) {
    for (size_t at = 0; at <= 3; ++at) {
      Batch batch = batchOf(selected ? numbered(0, 6) : numbered(0, 3));
      if (selected) columnsOf(batch).select({0, 1, 2});
      const Rows all = printed(batch);
      batch->enableHashes();
      for (size_t i = 0; i < 3; ++i) batch->hashes()[i] = i;
      const Batch tail = batch->splitOff(at, pools_);
      Rows joined = printed(batch);
      for (const std::string& row : printed(tail)) joined.push_back(row);
      EXPECT_EQ(batch.size(), at);
      EXPECT_EQ(joined, all);
      for (size_t i = 0; i < tail.size(); ++i) EXPECT_EQ(tail->hashes()[i], at + i);
    }
  }
}

TEST_F(ColumnsTest, ScattersWithHashesAndAppendsToWhatIsThere) {
  Batch out[3];
  for (const int64_t first : {0, 10}) {
    Batch batch = batchOf(numbered(first, 4));
    batch->enableHashes();
    for (size_t i = 0; i < 4; ++i) batch->hashes()[i] = static_cast<uint64_t>(first) + i;
    const uint32_t targets[] = {2, 0, 2, 2};
    batch->scatter(targets, 3, out, pools_);
    EXPECT_EQ(batch.size(), 0u);
  }
  EXPECT_FALSE(out[1]);
  EXPECT_EQ(printed(out[0]), (Rows{R"({n: 1, name: "s1"})", "{n: 11, name: null}"}));
  ASSERT_EQ(out[2].size(), 6u);
  EXPECT_EQ(printed(out[2])[5], R"({n: 13, name: "s13"})");
  const uint64_t hashes[] = {0, 2, 3, 10, 12, 13};
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(out[2]->hashes()[i], hashes[i]);
}

TEST_F(ColumnsTest, AppendRefusesOtherColumns) {
  Batch batch = batchOf(numbered(0, 1));
  const auto other = numbered(5, 1)->RenameColumns({"n", "label"});
  try {
    batch->append(batchOf(*other));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "batches of one stream have different columns, struct{n: int64, name: optional<string>} and "
                 "struct{n: int64, label: optional<string>}: bring the streams to the same columns first");
  }
}

TEST_F(ColumnsTest, CloneIsIndependent) {
  Batch batch = batchOf(numbered(0, 3));
  columnsOf(batch).setTimeColumn("n");
  Batch copy = batch->clone(pools_);
  columnsOf(batch).select({0});
  EXPECT_EQ(copy.size(), 3u);
  EXPECT_EQ(columnsOf(copy).timeColumn(), "n");
}

TEST_F(ColumnsTest, EncodesSelectedRowsOfSeveralPieces) {
  Batch batch = batchOf(numbered(0, 4));
  columnsOf(batch).select({1, 3});
  batch->append(batchOf(numbered(7, 1)));
  columnsOf(batch).setTimeColumn("n");
  columnsOf(batch).setWeightColumn("n");
  std::string bytes;
  ByteWriter writer(bytes);
  batch->encode(writer);
  Batch decoded = columnsPool(pools_).acquire();
  ByteReader reader(bytes);
  decoded->decode(reader);
  EXPECT_TRUE(reader.atEnd());
  EXPECT_EQ(printed(decoded), printed(batch));
  EXPECT_EQ(columnsOf(decoded).timeColumn(), "n");
  EXPECT_EQ(columnsOf(decoded).weightColumn(), "n");
}

TEST_F(ColumnsTest, BrokenBytesAreCorruptionAndNothingWorse) {
  Batch batch = batchOf(numbered(0, 4));
  std::string bytes;
  ByteWriter writer(bytes);
  batch->encode(writer);
  size_t refused = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const char mask : {char(0x01), char(0x80)}) {
      std::string broken = bytes;
      broken[i] = static_cast<char>(broken[i] ^ mask);
      Batch decoded = columnsPool(pools_).acquire();
      ByteReader reader(broken);
      try {
        decoded->decode(reader);
        printed(decoded);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorruption) << i;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, bytes.size() / 10);
  for (size_t size = 0; size < bytes.size(); ++size) {
    Batch decoded = columnsPool(pools_).acquire();
    ByteReader reader(std::string_view(bytes).substr(0, size));
    EXPECT_THROW(decoded->decode(reader), Error) << size;
  }
}

TEST_F(ColumnsTest, SpecialColumnsAreChecked) {
  Batch batch = batchOf(numbered(0, 1));
  const auto textOf = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(textOf([&] { columnsOf(batch).setTimeColumn("nam"); }),
            "there is no column 'nam'; did you mean 'name'? The columns are: n, name");
  EXPECT_EQ(textOf([&] { columnsOf(batch).setTimeColumn("name"); }),
            "column 'name' cannot be the event time, since it is string: it must be a timestamp, or int64 "
            "milliseconds since 1970");
  EXPECT_EQ(textOf([&] { columnsOf(batch).setWeightColumn("name"); }),
            "column 'name' cannot be the weight, since it is string: it must be int64");
}

struct Trip {
  int32_t id;
  std::optional<double> price;
  std::string city;
  Timestamp at;
};
struct Nested {
  std::vector<int> list;
};

TEST(ColumnsSchemaTest, FollowsAStruct) {
  const auto schema = schemaOf(describe<Trip>());
  EXPECT_EQ(schema->ToString(),
            "id: int32 not null\nprice: double\ncity: string not null\nat: timestamp[ms, tz=UTC] not null");
  EXPECT_EQ(describeSchema(*schema), describe<Trip>());
  try {
    schemaOf(describe<Nested>());
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "field 'list' is list<int32> and cannot be a column: columns hold numbers, bools, strings and "
        "timestamps, or std::optional of these");
  }
}

}  // namespace
}  // namespace flott
