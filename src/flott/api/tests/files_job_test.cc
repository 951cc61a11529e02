#include <gtest/gtest.h>

#include "flott/api/flott.h"
#include "flott/api/tests/job_test.h"
#include "flott/connectors/files/file_source.h"
#include "flott/operators/columnar/columnar.h"

namespace flott {
namespace {

struct Order {
  int64_t id;
  std::string item;
  double price;
  bool operator<(const Order& other) const { return id < other.id; }
};

std::string orders(int count) {
  std::string text = "item,id,price\n";
  for (int i = 1; i <= count; ++i) {
    text += "item " + std::to_string(i % 3) + "," + std::to_string(i) + "," + std::to_string(i % 10) + ".5\n";
  }
  return text;
}

TEST(FilesJobTest, LinesFromFilesToAFile) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    TestWorld world(seed);
    world.sim().files().put("in/a.txt", "to be\nor not");
    world.sim().files().put("in/b.txt", "to be\n");
    auto env = world.environment();
    env.setParallelism(3);
    env.readTextFile("in", {.splitSize = MemorySize(2)})
        .map([](const std::string& line) { return line + "!"; })
        .writeAsText("out");
    env.execute();
    std::vector<std::string> lines;
    for (const FileInfo& file : world.sim().files().listFolder("out")) {
      std::string content = world.sim().files().content(file.path);
      for (size_t at = 0; at < content.size(); at = content.find('\n', at) + 1) {
        lines.push_back(content.substr(at, content.find('\n', at) - at));
      }
    }
    EXPECT_EQ(sorted(lines), (std::vector<std::string>{"or not!", "to be!", "to be!"}));
  }
}

TEST(FilesJobTest, ColumnsAreFilteredProjectedAndBecomeRecords) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    TestWorld world(seed);
    world.sim().files().put("orders.csv", orders(1000));
    auto env = world.environment();
    env.setParallelism(2);
    auto stream = env.fromSource(columnarCsv("orders.csv", schemaOf(describe<Order>()), {.header = true},
                                             {.splitSize = MemorySize(3000)}))
                      .transform<Columns>(
                          "Filter", columnarFilter(col("item") == lit("item 1") && col("price") > lit(8)))
                      .rebalance()
                      .transform<Columns>("Projection", columnarProject({{"id", col("id")},
                                                                         {"item", col("item")},
                                                                         {"price", col("price") * lit(2.0)}}))
                      .transform<Order>("Orders", columnsToRows<Order>());
    const std::vector<Order> found = sorted(collected(env, stream));
    ASSERT_EQ(found.size(), 66u);
    EXPECT_EQ(toText(found[0]), R"({id: 19, item: "item 1", price: 19})");
    EXPECT_EQ(toText(found[1]), R"({id: 28, item: "item 1", price: 17})");
  }
}

TEST(FilesJobTest, BadLinesGoAside) {
  TestWorld world;
  world.sim().files().put("orders.csv", orders(5) + "x,6,abc\n" + "short\n");
  auto env = world.environment();
  const auto records =
      env.readCsvFile<Order>("orders.csv", {.header = true, .badRecords = BadRecordPolicy::kSideOutput});
  const auto bad =
      records.getSideOutput(badRecords()).map([](const BadRecord& record) { return toString(record); });
  EXPECT_EQ(collected(env, bad),
            (std::vector<std::string>{"orders.csv, line 7, column 3 ('price'): 'abc' is not a number",
                                      "orders.csv, line 8: 'short' has 1 column instead of 3"}));
}

TEST(FilesJobTest, ErrorsNameFileAndOperator) {
  TestWorld world;
  auto env = world.environment();
  const auto ends = [&](const std::string& expected) {
    const std::string text = failure([&] { env.execute(); });
    EXPECT_TRUE(text.ends_with(expected)) << text;
  };
  env.readTextFile("nowhere.txt").print();
  ends(
      "there is no file or folder 'nowhere.txt': check the path, and the folder you run in if the path is "
      "relative");
  world.sim().files().put("orders.csv", orders(5) + "x,6,abc\n");
  env.readCsvFile<Order>("orders.csv", {.header = true}).print();
  ends("operator 'CSV files', subtask 1/1: orders.csv, line 7, column 3 ('price'): 'abc' is not a number");
  env.readTextFile("orders.csv").writeAsText("orders.csv");
  ends(
      "operator 'Text File', subtask 1/1: 'orders.csv' exists already: remove it, give another path, or let "
      "it be "
      "replaced (FileSinkOptions::existing = ExistingFiles::kOverwrite)");
}

}  // namespace
}  // namespace flott
