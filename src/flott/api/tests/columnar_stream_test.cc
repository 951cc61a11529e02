// Columns from files to records, in whole jobs.
#include "flott/api/columnar_stream.h"

#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"
#include "flott/connectors/files/tests/trips_file.h"

namespace flott {
namespace {

struct Trip {
  int64_t id = 0;
  std::string city;
  double price = 0;
  auto operator<=>(const Trip&) const = default;
};

constexpr int kTrips = 1000;

class ColumnarStreamTest : public testing::TestWithParam<int> {
 protected:
  ColumnarStreamTest() {
    world_.sim().files().put("/in/trips.parquet", tripsFile(kTrips));
    env_.setParallelism(GetParam());
  }
  ColumnarStream trips(std::vector<std::string> columns = {}) {
    return env_.readParquetColumns("/in", std::move(columns));
  }

  TestWorld world_{7};
  StreamExecutionEnvironment env_ = world_.environment();
};

INSTANTIATE_TEST_SUITE_P(Parallelism, ColumnarStreamTest, testing::Values(1, 3),
                         [](const auto& info) { return std::to_string(info.param); });

TEST_P(ColumnarStreamTest, FiltersComputesAndSelects) {
  auto rows = trips()
                  .filter(col("price") > lit(100.0) && col("city") != lit("c3"))
                  .withColumn("price", col("price") * lit(2.0))
                  .withColumn("twice", col("id") + col("id"))
                  .select({{"id", col("twice")}, {"city", col("city")}, {"price", col("price")}})
                  .toRows<Trip>();
  std::vector<Trip> expected;
  for (int64_t i = 0; i < kTrips; ++i) {
    if (i % 10 != 0 && i > 200 && i % 4 != 3)
      expected.push_back({2 * i, "c" + std::to_string(i % 4), static_cast<double>(i)});
  }
  EXPECT_EQ(sorted(collected(env_, rows)), expected);
}

struct Visit {
  std::string city;
  int64_t id = 0;
  auto operator<=>(const Visit&) const = default;
};

TEST_P(ColumnarStreamTest, ParquetFilesAreReadAsRecordsToo) {
  auto trips =
      env_.readParquetFile<Visit>("/in").filter([](const Visit& visit) { return visit.id % 4 == 3; });
  std::vector<Visit> expected;
  for (int64_t i = 3; i < kTrips; i += 4) expected.push_back({"c3", i});
  EXPECT_EQ(sorted(collected(env_, trips)), expected);
}

struct IdOnly {
  int64_t id = 0;
  auto operator<=>(const IdOnly&) const = default;
};

TEST_P(ColumnarStreamTest, MayBeSpreadAndCut) {
  auto spread =
      ColumnarStream(SingleOutputStreamOperator<Columns>(trips({"id", "city"}).stream().rebalance().handle()))
          .filter(col("id") < lit(5))
          .select("id")
          .toRows<IdOnly>();
  EXPECT_EQ(sorted(collected(env_, spread)), (std::vector<IdOnly>{{0}, {1}, {2}, {3}, {4}}));
}

/// "id at time".
class WithTime : public ProcessFunction<IdOnly, std::string> {
 public:
  void processElement(const IdOnly& record, Context& ctx, Collector<std::string>& out) override {
    out.collect(std::to_string(record.id) + " at " + std::to_string(ctx.timestamp().ms));
  }
};

TEST_P(ColumnarStreamTest, TheTimeColumnGivesTimestampsAndWatermarks) {
  auto rows = trips().filter(col("id") < lit(3)).eventTime("at").toRows<IdOnly>();
  EXPECT_EQ(sorted(collected(env_, rows.process(WithTime()))),
            (std::vector<std::string>{"0 at 0", "1 at 1000", "2 at 2000"}));

  // The timer fires on a watermark in the midst of the stream only if the column makes watermarks.
  class Timers : public KeyedProcessFunction<int64_t, IdOnly, int64_t> {
   public:
    void processElement(const IdOnly&, Context& ctx, Collector<int64_t>&) override {
      ctx.timerService().registerEventTimeTimer(ctx.timestamp());
    }
    void onTimer(Timestamp at, OnTimerContext& ctx, Collector<int64_t>& out) override {
      out.collect(ctx.getCurrentKey() * 1'000'000 + at.ms);
    }
  };
  auto timed = trips().eventTime("at", Duration::seconds(1)).toRows<IdOnly>().keyBy(&IdOnly::id);
  EXPECT_EQ(collected(env_, timed.process(Timers())).size(), size_t{kTrips});
}

TEST_P(ColumnarStreamTest, AColumnsSinkGetsWholeBatches) {
  int64_t rows = 0;
  trips({"id"})
      .filter(col("id") >= lit(500))
      .addSink([&rows](const arrow::RecordBatch& batch) { rows += batch.num_rows(); })
      .setParallelism(1);
  env_.execute();
  EXPECT_EQ(rows, 500);
}

TEST_P(ColumnarStreamTest, CsvHasTheColumnsOfAStruct) {
  world_.sim().files().put("/csv/a.csv", "city,id,price\nAachen,1,2.5\nKoeln,2,3.5\n");
  auto rows =
      env_.readCsvColumns<Trip>("/csv", {.header = true}).filter(col("price") > lit(3.0)).toRows<Trip>();
  EXPECT_EQ(collected(env_, rows), (std::vector<Trip>{{2, "Koeln", 3.5}}));
}

TEST_P(ColumnarStreamTest, WrongNamesAndTimesAreErrors) {
  trips().filter(col("prize") > lit(1)).toRows<IdOnly>().print();
  const std::string unknown = failure([&] { env_.execute("t"); });
  EXPECT_NE(unknown.find("no column 'prize'"), std::string::npos) << unknown;
  EXPECT_NE(unknown.find("'price'"), std::string::npos) << unknown;

  trips().eventTime("city").toRows<IdOnly>().print();
  const std::string noTime = failure([&] { env_.execute("t"); });
  EXPECT_NE(
      noTime.find("column 'city' cannot be the event time, since it is string: it must be a timestamp, or "
                  "int64 milliseconds since 1970"),
      std::string::npos)
      << noTime;

  // Where the price is null, so is the condition and what it chooses.
  trips()
      .withColumn("at", columnFunction("if_else", {col("price") >= lit(0.0), col("at"), col("at")}))
      .eventTime("at")
      .toRows<IdOnly>()
      .print();
  const std::string none = failure([&] { env_.execute("t"); });
  EXPECT_NE(none.find("column 'at' has no event time in row 1: filter such rows out, !isNull(col(\"at\"))"),
            std::string::npos)
      << none;
}

}  // namespace
}  // namespace flott
