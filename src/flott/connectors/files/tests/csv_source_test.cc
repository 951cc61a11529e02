#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "flott/connectors/files/file_source.h"
#include "flott/connectors/files/tests/file_job.h"
#include "flott/env/simulated.h"
#include "flott/formats/tests/compressed.h"

namespace flott {
namespace {

struct Order {
  int64_t id;
  std::string item;
  std::optional<double> price;
};

using Texts = std::vector<std::string>;

// Lines 1 (header) to 31; ids from 1.
std::string orders(int count = 30) {
  std::string text = "# shop\nitem,id,price\n";
  for (int i = 1; i <= count; ++i) {
    text += "\"item, " + std::to_string(i) + "\"," + std::to_string(i) + (i % 4 == 0 ? "," : ",1.5") + "\n";
  }
  return text;
}

class CsvSourceTest : public testing::Test {
 protected:
  Texts read(const SourceOf<Order>& source, int readers = 1) { return run(source.factory, readers); }
  Texts read(const SourceOf<Columns>& source, int readers = 1) { return run(source.factory, readers); }
  Texts run(const std::shared_ptr<const SourceFactory>& factory, int readers) {
    FileJob job(factory, world_.env(), readers);
    job.run();
    EXPECT_TRUE(job.ended());
    Texts all = job.printed();
    std::sort(all.begin(), all.end());
    return all;
  }
  static FileSourceOptions sizes(uint64_t split, uint64_t block = 64) {
    return {.splitSize = MemorySize(split), .blockSize = MemorySize(block)};
  }
  template <typename Source>
  std::string errorOf(const Source& source) {
    try {
      read(source);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUser);
      return error.what();
    }
    return "no error";
  }

  SimulatedEnv world_{2};
  const CsvOptions options_{.comment = '#', .header = true};
  const CsvOptions plain_{.header = true};
};

TEST_F(CsvSourceTest, EverySplitSizeGivesTheSameRecords) {
  world_.files().put("orders.csv", orders());
  const Texts whole = read(csvFiles<Order>("orders.csv", options_));
  ASSERT_EQ(whole.size(), 30u);
  EXPECT_EQ(whole[0], R"({id: 1, item: "item, 1", price: 1.5})");
  EXPECT_EQ(whole[24], R"({id: 4, item: "item, 4", price: null})");
  for (uint64_t split = 1; split < 200; ++split) {
    EXPECT_EQ(read(csvFiles<Order>("orders.csv", options_, sizes(split)), 2), whole) << split;
  }
}

TEST_F(CsvSourceTest, ColumnsOfEverySplitSizeAreTheSame) {
  world_.files().put("orders.csv", orders().substr(7));
  const auto schema = schemaOf(describe<Order>());
  const Texts whole = read(columnarCsv("orders.csv", schema, plain_));
  EXPECT_EQ(whole, read(csvFiles<Order>("orders.csv", plain_)));
  for (uint64_t split = 1; split < 120; split += 3) {
    EXPECT_EQ(read(columnarCsv("orders.csv", schema, plain_, sizes(split)), 2), whole) << split;
  }
}

TEST_F(CsvSourceTest, QuotedNewlinesKeepAFileInOnePart) {
  world_.files().put("a.csv", "1,\"a\nb\",2\n2,\"\n\n\",3\n");
  const CsvOptions options{.quotedNewlines = true};
  const Texts expected{R"({id: 1, item: "a\nb", price: 2})", R"({id: 2, item: "\n\n", price: 3})"};
  for (uint64_t block = 1; block < 30; ++block) {
    EXPECT_EQ(read(csvFiles<Order>("a.csv", options, sizes(3, block)), 2), expected) << block;
    EXPECT_EQ(read(columnarCsv("a.csv", schemaOf(describe<Order>()), options, sizes(3, block)), 2), expected)
        << block;
  }
}

TEST_F(CsvSourceTest, ABadLineNamesItsLineFromEverySplit) {
  std::string text = orders(14) + "x,15,abc\n" + orders(10).substr(26);
  world_.files().put("orders.csv", text);
  world_.files().put("orders.csv.gz", gzipped(text));
  const std::string expected = "orders.csv, line 17, column 3 ('price'): 'abc' is not a number";
  EXPECT_EQ(errorOf(csvFiles<Order>("orders.csv", options_)), expected);
  EXPECT_EQ(errorOf(csvFiles<Order>("orders.csv.gz", options_)),
            "orders.csv.gz, line 17, column 3 ('price'): 'abc' is not a number");
  for (uint64_t split = 1; split < 200; ++split) {
    EXPECT_EQ(errorOf(csvFiles<Order>("orders.csv", options_, sizes(split))), expected) << split;
  }
}

TEST_F(CsvSourceTest, BadLinesAsideWithTheirLines) {
  std::string text = "item,id,price\n";
  for (int i = 1; i <= 40; ++i) text += i % 10 == 0 ? "bad " + std::to_string(i) + "\n" : "x,1,\n";
  world_.files().put("orders.csv", text);
  for (const bool columnar : {false, true}) {
    for (const uint64_t split : {1, 30, 77, 1000}) {
      CsvOptions options = plain_;
      options.badRecords = BadRecordPolicy::kSideOutput;
      const auto factory =
          columnar ? columnarCsv("orders.csv", schemaOf(describe<Order>()), options, sizes(split)).factory
                   : csvFiles<Order>("orders.csv", options, sizes(split)).factory;
      FileJob job(factory, world_.env(), 2);
      job.run();
      std::vector<BadRecord> bad = job.taken<BadRecord>();
      std::sort(bad.begin(), bad.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
      ASSERT_EQ(bad.size(), 4u) << split;
      for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(bad[static_cast<size_t>(i)].line, 11 + 10 * i);
        EXPECT_EQ(bad[static_cast<size_t>(i)].text, "bad " + std::to_string(10 + 10 * i));
      }
      EXPECT_EQ(job.printed().size(), 36u);
      EXPECT_EQ(job.metric("numRecordsInErrors"), "4");
    }
  }
}

TEST_F(CsvSourceTest, BadLinesCounted) {
  world_.files().put("a.csv", "1,a,2\nx\n2,b,3\n");
  FileJob job(csvFiles<Order>("a.csv", {.badRecords = BadRecordPolicy::kCount}).factory, world_.env(), 1);
  job.run();
  EXPECT_EQ(job.printed().size(), 2u);
  EXPECT_EQ(job.metric("numRecordsInErrors"), "1");
  EXPECT_TRUE(job.taken<BadRecord>().empty());
}

TEST_F(CsvSourceTest, ColumnarErrorsNameTheLine) {
  world_.files().put("a.csv", "1,a,2\n2,b,abc\n3,c,4\n");
  const auto schema = schemaOf(describe<Order>());
  EXPECT_EQ(
      errorOf(columnarCsv("a.csv", schema)),
      "a.csv, line 2: '2,b,abc' does not fit the columns: In CSV column #2: CSV conversion error to double: "
      "invalid value 'abc'");
  world_.files().put("b.csv", "1,a,2\n,b,3\n");
  EXPECT_EQ(errorOf(columnarCsv("b.csv", schema)),
            "b.csv, line 2: ',b,3' does not fit the columns: column 'id' has no value");
  world_.files().put("c.csv", "id,item\n1,a\n");
  EXPECT_EQ(errorOf(columnarCsv("c.csv", schema, {.header = true})),
            "c.csv, header: there is no column 'price'. The columns are: id, item");
  EXPECT_THROW(columnarCsv("a.csv", schema, {.comment = '#'}), Error);
}

TEST_F(CsvSourceTest, SnapshotsHoldEverything) {
  std::string text = "item,id,price\n";
  for (int i = 1; i <= 40; ++i) text += i % 10 == 0 ? "bad\n" : "x," + std::to_string(i) + ",\n";
  world_.files().put("orders.csv", text);
  CsvOptions options = plain_;
  options.badRecords = BadRecordPolicy::kSideOutput;
  const auto factory = csvFiles<Order>("orders.csv", options, sizes(60, 50)).factory;
  size_t steps = 0;
  for (bool more = true; more; ++steps) {
    FileJob first(factory, world_.env(), 1);
    for (size_t i = 0; i < steps && more; ++i) more = first.step();
    FileJob second(factory, world_.env(), 2, first.snapshot().enumerator);
    second.giveBack(first.snapshot().splits);
    second.run();
    EXPECT_EQ(first.printed().size() + second.printed().size(), 36u) << steps;
    EXPECT_EQ(first.taken<BadRecord>().size() + second.taken<BadRecord>().size(), 4u) << steps;
  }
}

}  // namespace
}  // namespace flott
