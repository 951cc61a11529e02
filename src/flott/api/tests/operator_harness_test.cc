// The harness itself, on operators of each shape.
#include "flott/api/operator_harness.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "flott/api/connected_streams.h"
#include "flott/base/tests/error_text.h"

namespace flott {
namespace {

struct Click {
  std::string user;
  int64_t page = 0;
  bool operator==(const Click&) const = default;
};

using Texts = std::vector<std::string>;

TEST(OperatorHarness, MapAndFlatMapInAllModes) {
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<int64_t, std::string> map(options, [](const DataStream<int64_t>& in) {
      return in.map([](int64_t x) { return std::to_string(2 * x); });
    });
    map.pushBatch({1, 2, 3});
    EXPECT_EQ(map.output(), (Texts{"2", "4", "6"}));

    OneInputHarness<int64_t, int64_t> flatMap(options, [](const DataStream<int64_t>& in) {
      return in.flatMap([](const int64_t& x, Collector<int64_t>& out) {
        for (int64_t i = 0; i < x; ++i) out.collect(x);
      });
    });
    flatMap.pushBatch({3000, 1, 0, 3000});
    std::vector<int64_t> expected(6001, 3000);
    expected[3000] = 1;
    EXPECT_EQ(flatMap.output(), expected);
  });
}

TEST(OperatorHarness, KeepsTimestampsAndWatermarksInTheirPlaces) {
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<int64_t, int64_t> harness(options, [](const DataStream<int64_t>& in) {
      return in.filter([](int64_t x) { return x % 2 == 1; });
    });
    harness.pushStamped({{1, 100}, {2, 110}, {3, 120}});
    harness.watermark(115);
    harness.push(5);
    harness.idle();
    harness.active();
    EXPECT_EQ(harness.takeEvents(), (Texts{"1 @ 100", "3 @ 120", "watermark 115", "5", "idle", "active"}));
    harness.endOfInput();
    EXPECT_EQ(harness.takeEvents(), (Texts{"watermark max", "end"}));
  });
}

// Puts out a user's page when the user has been silent for a second, and knows what it has seen.
class LastPage final : public KeyedProcessFunction<std::string, Click, Click> {
 public:
  static const OutputTag<std::string>& newUsers() {
    static const OutputTag<std::string> tag("new users");
    return tag;
  }
  void open(RuntimeContext& context) override {
    last_ = context.state(ValueStateDescriptor<Click>("last"));
    clicks_ = &context.accumulator<LongCounter>("clicks");
    users_ = &context.counter("users");
  }
  void processElement(const Click& click, Context& ctx, Collector<Click>&) override {
    clicks_->add(1);
    if (!last_.has()) {
      users_->add();
      ctx.output(newUsers(), click.user);
      ctx.timerService().registerProcessingTimeTimer(ctx.timerService().currentProcessingTime() +
                                                     Duration::seconds(1));
    }
    last_.set(click);
  }
  void onTimer(Timestamp, OnTimerContext&, Collector<Click>& out) override {
    out.collect(last_.get());
    last_.clear();
  }

 private:
  ValueState<Click> last_;
  LongCounter* clicks_ = nullptr;
  Counter* users_ = nullptr;
};

TEST(OperatorHarness, KeyedStateTimersSideOutputsMetricsAndAccumulators) {
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<Click, Click> harness(options, [](const DataStream<Click>& clicks) {
      return clicks.keyBy(&Click::user).process(LastPage());
    });
    harness.readSideOutput(LastPage::newUsers());
    harness.pushBatch({{"ann", 1}, {"bob", 1}, {"ann", 2}});
    harness.advance(Duration::millis(999));
    EXPECT_EQ(harness.output(), std::vector<Click>{});
    const Timestamp before = harness.processingTime();
    harness.advance(Duration::millis(1));
    EXPECT_EQ(harness.processingTime(), before + Duration::millis(1));
    std::vector<Click> output = harness.output();
    std::sort(output.begin(), output.end(), [](const Click& a, const Click& b) { return a.user < b.user; });
    EXPECT_EQ(output, (std::vector<Click>{{"ann", 2}, {"bob", 1}}));
    EXPECT_EQ(harness.sideOutput(LastPage::newUsers()), (Texts{"ann", "bob"}));
    EXPECT_EQ(harness.counter("users"), 2);
    EXPECT_EQ(harness.counter("numRecordsIn"), 3);
    EXPECT_EQ(dynamic_cast<const LongCounter&>(*harness.accumulators().find("clicks")).value(), 3);
  });
}

TEST(OperatorHarness, TwoInputs) {
  inAllModes([](const HarnessOptions& options) {
    TwoInputHarness<int64_t, std::string, std::string> harness(
        options, [](const DataStream<int64_t>& numbers, const DataStream<std::string>& words) {
          return numbers.connect(words).map([](int64_t x) { return std::to_string(x); },
                                            [](const std::string& word) { return word + "!"; });
        });
    harness.first().pushBatch({1, 2});
    harness.second().push("three");
    harness.first().watermark(9);
    harness.second().watermark(5);
    EXPECT_EQ(harness.takeEvents(), (Texts{"1", "2", "three!", "watermark 5"}));
    harness.first().endOfInput();
    harness.second().idle();
    EXPECT_EQ(harness.takeEvents(), Texts{"idle"})
        << "an input that ended beside an idle one does not end time";
    harness.second().endOfInput();
    EXPECT_EQ(harness.takeEvents().back(), "end");
  });
}

// Stops whenever the output is full, and counts how often.
class Stopping final : public Operator {
 public:
  Step onBatch(int, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    next_ = 0;
    return resume(output);
  }
  Step resume(Output& output) override {
    while (next_ < batch_.size()) {
      if (output.full()) {
        stops_->add();
        return Step::kMore;
      }
      auto rows = std::make_unique<Rows<int64_t>>();
      rows->emplace(batch_.rows<int64_t>()[next_++]);
      output.emit(Batch(std::move(rows)));
    }
    return Step::kDone;
  }
  void open(OperatorContext& context) override { stops_ = &context.metrics().counter("stops"); }

 private:
  Batch batch_;
  size_t next_ = 0;
  Counter* stops_ = nullptr;
};

TEST(OperatorHarness, OutputsAreFullAfterTheirCapacityAndTheOperatorIsResumed) {
  for (const size_t capacity : {0, 1, 3}) {
    OneInputHarness<int64_t, int64_t> harness(
        {.outputCapacity = capacity}, [](const DataStream<int64_t>& in) {
          return in.transform<int64_t>("stopping", operatorFactory<Stopping>());
        });
    harness.pushBatch({1, 2, 3, 4, 5, 6, 7});
    EXPECT_EQ(harness.output(), (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(harness.counter("stops"), capacity == 0 ? 0 : 6 / static_cast<int64_t>(capacity));
  }
}

// Looks every record up where it may block.
class LookUp final : public Operator {
 public:
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    batch_ = std::move(batch);
    context_->offload(
        "look up", [this] { batch_.rows<int64_t>()[0] += 100; }, [this] { context_->askToResume(); });
    return Step::kWait;
  }
  Step resume(Output& output) override {
    output.emit(std::move(batch_));
    return Step::kDone;
  }

 private:
  OperatorContext* context_ = nullptr;
  Batch batch_;
};

TEST(OperatorHarness, OffloadedWorkRunsWithinTheCall) {
  OneInputHarness<int64_t, int64_t> harness({}, [](const DataStream<int64_t>& in) {
    return in.transform<int64_t>("look up", operatorFactory<LookUp>());
  });
  harness.push(1);
  harness.push(2);
  EXPECT_EQ(harness.output(), (std::vector<int64_t>{101, 102}));
}

TEST(OperatorHarness, FailuresNameOperatorAndRecord) {
  OneInputHarness<int64_t, int64_t> harness({}, [](const DataStream<int64_t>& in) {
    return in
        .map([](int64_t x) {
          if (x == 3) throw std::runtime_error("three");
          return x;
        })
        .name("checked");
  });
  try {
    harness.pushBatch({1, 2, 3});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "operator 'checked', subtask 1/1: record 3: three");
  }
}

TEST(OperatorHarness, MisuseIsExplained) {
  EXPECT_EQ(errorText([] {
              OneInputHarness<int64_t, int64_t> harness({}, [](const DataStream<int64_t>& in) {
                return in.map([](int64_t x) { return x; }).filter([](int64_t) { return true; });
              });
            }),
            "a harness tests one operator, and this program has 2: make one for each, or run the job in a "
            "TestWorld");
  OneInputHarness<int64_t, int64_t> harness(
      {}, [](const DataStream<int64_t>& in) { return in.map([](int64_t x) { return x; }); });
  const OutputTag<int64_t> tag("late");
  EXPECT_EQ(errorText([&] { harness.sideOutput(tag); }),
            "nobody reads this side output: call readSideOutput(…) before anything is pushed");
  harness.push(1);
  EXPECT_EQ(errorText([&] { harness.readSideOutput(tag); }),
            "the operator runs already: call readSideOutput(…) before anything is pushed");
}

}  // namespace
}  // namespace flott
