// Watermarks per split inside a source: against a model that looks at each split by itself, with random
// streams; idleness, back-pressure, splits that end; and alignment, as one reader sees it.
#include "flott/operators/source_watermarks.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "flott/base/options.h"
#include "flott/data/tests/random_value.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

constexpr int64_t kMilli = 1'000'000;
constexpr Duration kSecond = Duration::seconds(1);

struct Event {
  int64_t at = 0;
  bool commits = false;
};

// What a reader is to put out in its next polls.
struct Script {
  struct Piece {
    std::string split;
    std::vector<Event> events;
    bool finish = false;
  };
  std::deque<Piece> pieces;
  Texts paused;
  bool canPause = true;
  bool tellsSplits = true;
  bool oneAtATime = false;
  bool end = false;
  int polls = 0;
};

class ScriptedReader final : public SourceReader {
 public:
  explicit ScriptedReader(Script& script) : script_(script) {}
  void open(SourceReaderContext& context) override { context_ = &context; }
  Poll poll(Output& output) override {
    ++script_.polls;
    for (auto piece = script_.pieces.begin(); piece != script_.pieces.end(); ++piece) {
      const auto& paused = script_.paused;
      if (std::find(paused.begin(), paused.end(), piece->split) != paused.end()) continue;
      if (script_.tellsSplits) context_->enterSplit(piece->split);
      Batch batch = rowsPool<Event>(context_->pools()).acquire();
      for (const Event& event : piece->events) batch.rows<Event>().emplace(event);
      if (piece->finish) context_->finishSplit(piece->split);
      script_.pieces.erase(piece);
      if (batch.size() > 0) output.emit(std::move(batch));
      return Poll::kMore;
    }
    return script_.end ? Poll::kEnd : Poll::kIdle;
  }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  bool pauseSplits(const Texts& splits) override {
    if (script_.canPause) script_.paused = splits;
    return script_.canPause;
  }
  bool oneSplitAtATime() const override { return script_.oneAtATime; }
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  Script& script_;
  SourceReaderContext* context_ = nullptr;
};

auto bounded(Duration delay = {}) {
  return WatermarkStrategy<Event>::forBoundedOutOfOrderness(delay).withTimestampAssigner(&Event::at);
}

// A reader with a strategy under a test's clock; texts of what it puts out: "7", "W 6", "idle".
class Reading {
 public:
  template <typename G, typename A>
  explicit Reading(const WatermarkStrategy<Event, G, A>& strategy) {
    reader = std::make_unique<WatermarkedReaderOf<Event, G, A>>(std::make_unique<ScriptedReader>(script),
                                                                strategy);
  }
  void open(const Texts& splits) {
    reader->open(task);
    assign(splits);
  }
  void assign(const Texts& splits) {
    std::vector<SourceSplit> assigned;
    for (const std::string& id : splits) assigned.push_back({.id = id, .state = {}});
    reader->addSplits(std::move(assigned));
  }
  void read(const std::string& split, std::vector<Event> events, bool finish = false) {
    script.pieces.push_back({split, std::move(events), finish});
    poll();
  }
  /// Polls until it is idle.
  void poll() {
    while (reader->poll(task) == Poll::kMore) {
    }
  }
  /// Moves the clock by ticks of 200 ms, polling at each.
  void pass(int64_t ms) {
    for (; ms > 0; ms -= 200) {
      task.advanceNanos(200 * kMilli);
      poll();
    }
  }
  Texts take() {
    Texts texts;
    for (const Element& element : task.emitted) {
      if (const Batch* batch = std::get_if<Batch>(&element)) {
        for (size_t i = 0; i < batch->size(); ++i) texts.push_back(std::to_string((*batch)->timestamps()[i]));
      } else if (const auto* watermark = std::get_if<Watermark>(&element)) {
        texts.push_back("W " + std::to_string(watermark->time.ms));
      } else {
        texts.push_back(std::get<WatermarkStatus>(element).active ? "active" : "idle");
      }
    }
    task.emitted.clear();
    return texts;
  }

  TestTask task;
  Script script;
  std::unique_ptr<SourceReader> reader;
};

TEST(SourceWatermarks, AreTheLeastOfTheSplits) {
  Reading reading(bounded());
  reading.open({"a", "b"});
  reading.read("a", {{100}, {5000}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"100", "5000"})) << "b has been assigned and may begin anywhere";
  reading.read("b", {{50}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"50", "W 49"}));
  reading.read("b", {{3000}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"3000", "W 2999"}));
  reading.read("b", {{3500}}, true);
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"3500", "W 4999"})) << "what is read to its end is forgotten";
  reading.assign({"c"});
  reading.read("a", {{9000}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), Texts{"9000"}) << "a new split holds it back, it does not turn it back";
}

TEST(SourceWatermarks, PunctuatedOnesStandBehindTheirRecordWhenTheReadersRises) {
  struct AfterCommits {
    void onEvent(const Event& event, Timestamp at, WatermarkOutput& output) {
      if (event.commits) output.emitWatermark({at});
    }
    void onPeriodicEmit(WatermarkOutput&) {}
  };
  Reading reading(WatermarkStrategy<Event>::forGenerator(AfterCommits()).withTimestampAssigner(&Event::at));
  reading.open({"a", "b"});
  reading.read("a", {{1}, {2, true}, {9, true}});
  reading.read("b", {{1, true}, {3}, {5, true}, {7, true}, {8}});
  EXPECT_EQ(reading.take(), (Texts{"1", "2", "9", "1", "W 1", "3", "5", "W 5", "7", "W 7", "8"}));
}

TEST(SourceWatermarks, AReaderThatDoesNotTellItsSplitsHasOne) {
  Reading reading(bounded());
  reading.script.tellsSplits = false;
  reading.open({"a", "b"});
  reading.read("a", {{100}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"100", "W 99"}));
}

TEST(SourceWatermarks, IdleSplitsAreLeftOutUntilTheyHaveARecord) {
  Reading reading(bounded().withIdleness(kSecond));
  reading.open({"a", "b"});
  reading.read("a", {{100}});
  reading.pass(800);
  EXPECT_EQ(reading.take(), Texts{"100"});
  reading.read("a", {{200}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"200", "W 199"})) << "b is idle";
  reading.pass(1000);
  EXPECT_EQ(reading.take(), Texts{"idle"});
  reading.read("b", {{150}, {170}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"active", "150", "170"})) << "late, by its own idleness";
}

TEST(SourceWatermarks, TheIdlenessClockStandsStillUnderBackPressure) {
  Reading reading(bounded().withIdleness(kSecond));
  reading.open({"a"});
  reading.read("a", {{100}});
  reading.pass(400);
  reading.task.advanceHeldUp(60'000 * kMilli);
  reading.poll();
  EXPECT_EQ(reading.take(), (Texts{"100", "W 99"}));
  reading.pass(600);
  EXPECT_EQ(reading.take(), Texts{});
  reading.pass(600);
  EXPECT_EQ(reading.take(), Texts{"idle"});
}

TEST(SourceWatermarks, ASplitThatWaitsForItsTurnIsNotIdle) {
  Reading reading(bounded().withIdleness(kSecond));
  reading.script.oneAtATime = true;
  reading.open({"a", "b"});
  for (int i = 1; i <= 10; ++i) {
    reading.read("a", {{100 * i}});
    reading.pass(400);
  }
  reading.read("a", {}, true);
  reading.take();
  reading.read("b", {{500}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"500", "W 499"}));
}

TEST(SourceWatermarks, WithoutASplitOnlyIdlenessLetsTheOthersGoOn) {
  Reading reading(bounded().withIdleness(kSecond));
  reading.open({});
  reading.pass(800);
  EXPECT_EQ(reading.take(), Texts{});
  reading.pass(400);
  EXPECT_EQ(reading.take(), Texts{"idle"});
  reading.assign({"a"});
  reading.read("a", {{7}});
  reading.pass(200);
  EXPECT_EQ(reading.take(), (Texts{"active", "7", "W 6"}));
}

// Random streams: several splits that come, run ahead, fall silent and end.
TEST(SourceWatermarks, FollowTheModel) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::RandomValues random(seed);
    const Duration delay = Duration::millis(static_cast<int64_t>(random.below(50)));
    Reading reading(bounded(delay).withIdleness(kSecond));
    constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
    struct Split {
      int64_t latest = kNone;
      int64_t watermark = kNone;  // as of the last tick
      bool active = true, seen = false;
      int64_t quiet = 0;  // ms
    };
    std::map<std::string, Split> model;
    Texts expected;
    int64_t emitted = kNone;
    bool active = true;
    const auto setActive = [&](bool now) {
      if (now != active) expected.push_back(now ? "active" : "idle");
      active = now;
    };
    const auto combine = [&] {
      int64_t low = std::numeric_limits<int64_t>::max();
      bool any = false;
      for (const auto& [id, split] : model) {
        if (!split.active) continue;
        any = true;
        low = std::min(low, split.watermark);
      }
      if (!any) {
        if (!model.empty()) setActive(false);
        return;
      }
      setActive(true);
      if (low > emitted) expected.push_back("W " + std::to_string(emitted = low));
    };
    reading.open({});
    int next = 0;
    for (int round = 0; round < 300; ++round) {
      if (model.size() < 2 || (random.below(20) == 0 && model.size() < 6)) {
        const std::string id = "s" + std::to_string(next++);
        model[id] = {};
        reading.assign({id});
      }
      for (size_t reads = random.below(4); reads > 0; --reads) {
        auto at = model.begin();
        std::advance(at,
                     random.below(std::min<size_t>(model.size(), 1 + round / 30 % 6)));  // some fall silent
        Split& split = at->second;
        std::vector<Event> events;
        if (!split.active || !active) {  // the status goes before the record
          split.active = true;
          combine();
        }
        split.seen = true;
        for (size_t n = 0; n <= random.below(3); ++n) {
          const int64_t event = 10 * round + static_cast<int64_t>(random.below(100));
          events.push_back({event});
          expected.push_back(std::to_string(event));
          split.latest = std::max(split.latest, event);
        }
        const bool finish = model.size() > 2 && random.below(30) == 0;
        reading.read(at->first, events, finish);
        if (!finish) continue;
        model.erase(at);
        combine();
      }
      reading.task.advanceNanos(200 * kMilli);
      for (auto& [id, split] : model) {
        split.quiet = split.seen ? 0 : split.quiet + 200;
        split.seen = false;
        if (split.quiet >= 1000) split.active = false;
        if (split.active && split.latest != kNone) split.watermark = split.latest - delay.ms - 1;
      }
      combine();
      reading.poll();
    }
    ASSERT_EQ(reading.take(), expected);
    ASSERT_GT(emitted, 1000);
  }
}

// --- alignment ---

auto aligned(Duration drift = kSecond) { return bounded().withWatermarkAlignment("group", drift); }

TEST(SourceAlignment, ReportsHowFarItIsAndWhenNobodyNeedWait) {
  Reading reading(aligned().withIdleness(kSecond * 2));
  reading.open({"a"});
  EXPECT_EQ(reading.task.reported, (std::vector<Timestamp>{Timestamp::min()}));
  reading.read("a", {{100}});
  reading.pass(1000);
  EXPECT_EQ(reading.task.reported.back(), Timestamp(99));
  reading.pass(2000);
  EXPECT_EQ(reading.task.reported.back(), Timestamp::max()) << "idle";
  reading.read("a", {{300}});
  reading.pass(1000);
  EXPECT_EQ(reading.task.reported.back(), Timestamp(299));
  reading.script.end = true;
  EXPECT_EQ(reading.reader->poll(reading.task), Poll::kEnd);
  EXPECT_EQ(reading.task.reported.back(), Timestamp::max());
}

TEST(SourceAlignment, PausesTheReaderAndLosesNothing) {
  Reading reading(aligned().withIdleness(kSecond));
  reading.open({"a"});
  reading.reader->onWatermarkLimit(Timestamp(1000));
  reading.read("a", {{1000}});
  reading.read("a", {{2000}});
  const int polls = reading.script.polls;
  reading.read("a", {{2001}});
  reading.pass(5000);
  EXPECT_EQ(reading.script.polls, polls) << "is not asked while it is ahead";
  EXPECT_EQ(reading.take(), (Texts{"1000", "2000", "W 1999"})) << "and not idle";
  std::vector<WatermarkOrigin> origins;
  reading.reader->watermarkOrigins(origins);
  ASSERT_EQ(origins.size(), 1u);
  EXPECT_EQ(origins[0].state, WatermarkOrigin::State::kPaused);
  reading.reader->onWatermarkLimit(Timestamp(1999));
  reading.poll();
  EXPECT_EQ(reading.take(), Texts{"2001"});
}

TEST(SourceAlignment, PausesSingleSplits) {
  Reading reading(aligned());
  reading.open({"a", "b"});
  reading.reader->onWatermarkLimit(Timestamp(1000));
  reading.read("a", {{5000}});
  reading.read("b", {{500}});
  EXPECT_EQ(reading.script.paused, Texts{"a"});
  reading.read("a", {{6000}});
  reading.read("b", {{700}});
  EXPECT_EQ(reading.take(), (Texts{"5000", "500", "700"}));
  reading.reader->onWatermarkLimit(Timestamp(8000));
  reading.poll();
  EXPECT_EQ(reading.script.paused, Texts{});
  EXPECT_EQ(reading.take(), Texts{"6000"});
}

TEST(SourceAlignment, ASourceThatCannotPauseSplitsIsToldWhatToDo) {
  for (const bool allowed : {false, true}) {
    Reading reading(aligned());
    reading.script.canPause = false;
    if (allowed) reading.task.settings().set(kAllowUnalignedSplits, true);
    reading.open({"a", "b"});
    reading.reader->onWatermarkLimit(Timestamp(1000));
    std::string text = "nothing was thrown";
    try {
      reading.read("a", {{5000}});
      reading.read("a", {{6000}});
    } catch (const Error& error) {
      text = error.what();
    }
    EXPECT_EQ(text, allowed ? "nothing was thrown"
                            : "the source cannot pause single splits, and this reader has 2 of them in the "
                              "alignment group 'group': raise its parallelism to the number of splits, or "
                              "let splits run ahead within a reader with "
                              "pipeline.watermark-alignment.allow-unaligned-source-splits: true");
    if (!allowed) continue;
    EXPECT_EQ(reading.take(), (Texts{"5000", "6000"})) << "b is behind: the reader goes on";
    reading.read("b", {{7000}});
    reading.read("b", {{8000}});
    EXPECT_EQ(reading.take(), Texts{"7000"}) << "now all are ahead";
  }
}

TEST(SourceAlignment, WrongSettingsSayWhatIsWrong) {
  const auto failure = [](auto&& deed) {
    try {
      deed();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(failure([] { bounded().withWatermarkAlignment("", kSecond); }),
            "withWatermarkAlignment(…): the group needs a name, the same for all sources that belong to it");
  EXPECT_EQ(failure([] { bounded().withWatermarkAlignment("g", Duration(-1)); }),
            "withWatermarkAlignment(…): a drift of -1 ms cannot be: give 0 or more");
  EXPECT_EQ(failure([] { bounded().withWatermarkAlignment("g", kSecond, Duration()); }),
            "withWatermarkAlignment(…): an update interval of 0 ms cannot be: give more than 0 ms");
}

}  // namespace
}  // namespace flott
