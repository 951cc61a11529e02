// Checkpoints whose barriers overtake: they are complete where aligned ones wait, and still hold every record
// once, in the operators or on its way.
#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"
#include "flott/runtime/in_flight.h"
#include "flott/runtime/tests/counting_job.h"

namespace flott {
namespace {

constexpr Timestamp kAtOnce = Timestamp::min();
constexpr Timestamp kNever = Timestamp::max();

/// Takes a batch a second.
class SlowCount final : public Operator {
 public:
  explicit SlowCount(int64_t* counted) : counted_(counted) {}
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    *counted_ += static_cast<int64_t>(batch.size());
    context_->wakeAtNanos(context_->monotonicNanos() + 1'000'000'000);
    return Step::kWait;
  }
  Step resume(Output&) override { return Step::kDone; }

 private:
  int64_t* counted_;
  OperatorContext* context_ = nullptr;
};

/// Waits when it has read its records.
class PausingReader final : public PositionReader {
 public:
  using PositionReader::PositionReader;
  Poll poll(Output& output) override {
    return PositionReader::poll(output) == Poll::kEnd ? Poll::kIdle : Poll::kMore;
  }
};

class ToTheFirst final : public RowRouter {
  void route(const Batch& batch, uint32_t, uint32_t* targets) const override {
    std::fill_n(targets, batch.size(), 0);
  }
};

/// Two sources that read as fast as they can, and one slow task behind them.
JobGraph slowJob(int64_t* counted, PartitionKind kind = PartitionKind::kRebalance, int64_t each = 100'000) {
  auto make = [counted] { return std::make_unique<SlowCount>(counted); };
  Pipeline pipeline(readBy(PausingReader(each)), 2);
  pipeline.then("slow", std::make_shared<MadeBy<decltype(make)>>(std::move(make)), 1, kind,
                {.kind = kind, .router = std::make_shared<ToTheFirst>()});
  return pipeline.job();
}

WorkerOptions overtaking(size_t capacity = 4) {
  return {.channelCapacity = capacity, .overtakingBarriers = true};
}

/// Sends checkpoint 1 on its way, after a while of back-pressure.
void trigger(TestWorker& test, Timestamp overtakesFrom) {
  EXPECT_FALSE(test.scheduler.joinFor(Duration::millis(2500)));
  const Barrier barrier{.checkpoint = CheckpointId(1),
                        .triggered = test.sim.clock().wallTime(),
                        .overtakesFrom = overtakesFrom};
  for (const auto& task : test.worker->tasks()) task->triggerCheckpoint(barrier);
}

size_t acknowledgedAfter(TestWorker& test, Duration wait) {
  EXPECT_FALSE(test.scheduler.joinFor(wait));
  return test.acknowledged[CheckpointId(1)].size();
}

std::vector<InFlightSequence> inFlightOf(const TaskSnapshot& snapshot) {
  return decodeInFlight(snapshot.channels.inlined);
}

int64_t recordsIn(const InFlightSequence& sequence) {
  BatchPools pools;
  InFlightReader in(sequence.elements, &rowsPool<int64_t>(pools));
  int64_t count = 0;
  while (std::optional<Element> element = in.next()) {
    if (const auto* batch = std::get_if<Batch>(&*element)) count += static_cast<int64_t>(batch->size());
  }
  return count;
}

int64_t recordsInFlight(const std::map<std::pair<int, int>, TaskSnapshot>& tasks, bool unsent) {
  int64_t count = 0;
  for (const auto& [task, snapshot] : tasks) {
    for (const InFlightSequence& sequence : inFlightOf(snapshot)) {
      if (sequence.unsent == unsent) count += recordsIn(sequence);
    }
  }
  return count;
}

TEST(UnalignedCheckpoint, IsCompleteUnderBackPressureWhereAnAlignedOneWaits) {
  int64_t counted = 0;
  TestWorker aligned(slowJob(&counted), 1, overtaking());
  trigger(aligned, kNever);
  EXPECT_EQ(acknowledgedAfter(aligned, Duration::seconds(4)), 2u) << "the sources, which wait for nothing";

  counted = 0;
  TestWorker unaligned(slowJob(&counted), 1, overtaking());
  trigger(unaligned, kAtOnce);
  EXPECT_EQ(acknowledgedAfter(unaligned, Duration::millis(1100)), 3u);
  const auto& tasks = unaligned.acknowledged[CheckpointId(1)];
  EXPECT_GT(recordsInFlight(tasks, false), 0);
  EXPECT_GT(recordsInFlight(tasks, true), 0) << "what the sources had not got rid of";
  EXPECT_TRUE(tasks.at({1, 0}).inFlight.unaligned);
  EXPECT_EQ(tasks.at({1, 0}).inFlight.persistedBytes, tasks.at({1, 0}).channels.length);
  EXPECT_GT(tasks.at({1, 0}).inFlight.persistedBytes, 0u);
}

TEST(UnalignedCheckpoint, KeepsItsPlaceUntilItsTimeIsUp) {
  int64_t counted = 0;
  TestWorker test(slowJob(&counted), 1, overtaking(1));
  trigger(test, test.sim.clock().wallTime() + Duration::millis(2500 + 600));
  EXPECT_EQ(acknowledgedAfter(test, Duration::millis(590)), 0u)
      << "a source waits, too, since what it has not got rid of may become part of the checkpoint";
  EXPECT_EQ(acknowledgedAfter(test, Duration::millis(1010)), 3u);
  EXPECT_GT(recordsInFlight(test.acknowledged[CheckpointId(1)], true), 0);
}

TEST(UnalignedCheckpoint, ATaskKnowsOfABarrierThatIsFarBackInItsChannel) {
  int64_t counted = 0;
  TestWorker test(slowJob(&counted, PartitionKind::kRebalance, 512 * 40), 1, overtaking(64));
  trigger(test, test.sim.clock().wallTime() + Duration::millis(2500 + 20'000));
  EXPECT_EQ(acknowledgedAfter(test, Duration::millis(19'990)), 2u) << "the sources have sent it";
  EXPECT_EQ(acknowledgedAfter(test, Duration::millis(1010)), 3u);
  EXPECT_GT(recordsInFlight(test.acknowledged[CheckpointId(1)], false), 0);
}

TEST(UnalignedCheckpoint, ThatWasAlignedInTimeHoldsNoRecords) {
  int64_t counted = 0;
  TestWorker test(slowJob(&counted), 1, overtaking());
  trigger(test, test.sim.clock().wallTime() + Duration::seconds(3600));
  EXPECT_EQ(acknowledgedAfter(test, Duration::seconds(20)), 3u);
  for (const auto& [task, snapshot] : test.acknowledged[CheckpointId(1)]) {
    EXPECT_TRUE(snapshot.channels.empty());
    EXPECT_FALSE(snapshot.inFlight.unaligned);
  }
  EXPECT_GT(test.acknowledged[CheckpointId(1)].at({1, 0}).inFlight.processedBytes, 0u);
}

/// Puts out 40 full batches for each that it gets.
class Multiplying final : public Operator {
 public:
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch, Output& output) override {
    left_ = 40;
    return resume(output);
  }
  Step resume(Output& output) override {
    for (; left_ > 0 && !output.full(); --left_) {
      Batch batch = rowsPool<int64_t>(context_->pools()).acquire();
      for (int64_t i = 0; i < 512; ++i) batch.rows<int64_t>().emplace(i);
      output.emit(std::move(batch));
    }
    return left_ > 0 ? Step::kMore : Step::kDone;
  }

 private:
  OperatorContext* context_ = nullptr;
  int left_ = 0;
};

TEST(UnalignedCheckpoint, AnOperatorGetsDoneWithWhatItHasBegun) {
  int64_t counted = 0;
  auto slow = [&counted] { return std::make_unique<SlowCount>(&counted); };
  Pipeline pipeline(readBy(PausingReader(1000)), 2);
  pipeline.then("multiply", make<Multiplying>(), 2, PartitionKind::kForward)
      .then("slow", std::make_shared<MadeBy<decltype(slow)>>(std::move(slow)), 1, PartitionKind::kRebalance);
  TestWorker test(pipeline.job(), 1, overtaking());
  trigger(test, kAtOnce);
  EXPECT_EQ(acknowledgedAfter(test, Duration::millis(1100)), 3u);
  EXPECT_GT(recordsInFlight(test.acknowledged[CheckpointId(1)], true), 20 * 512)
      << "what it put out is with the checkpoint, not with the operator";
}

TEST(UnalignedCheckpoint, DoesNotOvertakeWhereRecordsHaveAFixedWay) {
  for (const PartitionKind kind :
       {PartitionKind::kBroadcast, PartitionKind::kRescale, PartitionKind::kCustom}) {
    int64_t counted = 0;
    TestWorker test(slowJob(&counted, kind), 1, overtaking());
    trigger(test, kAtOnce);
    EXPECT_EQ(acknowledgedAfter(test, Duration::seconds(4)), 2u);
    EXPECT_EQ(acknowledgedAfter(test, Duration::seconds(20)), 3u);
    EXPECT_EQ(recordsInFlight(test.acknowledged[CheckpointId(1)], false), 0);
    EXPECT_EQ(recordsInFlight(test.acknowledged[CheckpointId(1)], true), 0);
  }
}

TEST(UnalignedCheckpoint, OvertakesBehindACustomPartitionerWhenForcedTo) {
  int64_t counted = 0;
  WorkerOptions options = overtaking();
  options.forcedOvertaking = true;
  TestWorker test(slowJob(&counted, PartitionKind::kCustom), 1, options);
  trigger(test, kAtOnce);
  EXPECT_EQ(acknowledgedAfter(test, Duration::millis(1100)), 3u);
  EXPECT_GT(recordsInFlight(test.acknowledged[CheckpointId(1)], false), 0);
}

// The whole cut: what the sources had read is counted, or is on its way, and nothing else is.
TEST(UnalignedCheckpoint, HoldsEveryRecordOnce) {
  int beforeTheEnd = 0;
  int64_t received = 0;
  int64_t unsent = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto parallelism = static_cast<int>(1 + seed % 3);
    WorkerOptions options = overtaking(1 + seed % 2);
    TestWorker test(countingJob(500, 2, parallelism), seed, options);
    triggerSome(test, 1, kAtOnce);
    test.scheduler.join();
    EXPECT_EQ(test.declined, std::vector<std::string>());
    for (const auto& [checkpoint, tasks] : test.acknowledged) {
      int64_t read = 0;
      int64_t counted = recordsInFlight(tasks, false) + recordsInFlight(tasks, true);
      for (const auto& [task, snapshot] : tasks) {
        if (task.first == 0) read += positionIn(snapshot.operators[0].operatorState);
        if (task.first == 1) counted += countedIn(snapshot.operators[0].keyed);
      }
      for (int source = 0; source < 2; ++source) {
        if (!tasks.contains({0, source})) read += 500;  // it had finished before the cut
      }
      if (tasks.size() < 2u + static_cast<size_t>(parallelism)) continue;
      ++beforeTheEnd;
      received += recordsInFlight(tasks, false);
      unsent += recordsInFlight(tasks, true);
      EXPECT_EQ(counted, read) << "seed " << seed << ", checkpoint " << checkpoint.value;
    }
  }
  EXPECT_GT(beforeTheEnd, 50) << "few checkpoints were cut while everything ran";
  EXPECT_GT(received, 1000);
  EXPECT_GT(unsent, 100);
}

// Wall clocks stand still but for what moves them here.
TEST(UnalignedCheckpoint, HoldsEveryRecordOnceAlsoWhenItBeginsAligned) {
  int overtook = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    TestWorker test(countingJob(500, 2, 2), seed, overtaking(1));
    const Timestamp soon = test.sim.clock().wallTime() + Duration::millis(1);
    triggerSome(test, 1, soon);
    for (int i = 0; i < 6; ++i) {
      ASSERT_TRUE(test.sim.offload().submit(
          "a while", [&test] { test.sim.clock().advanceTo(test.sim.clock().monotonicNanos() + 500'000); }));
    }
    test.scheduler.join();
    const auto& tasks = test.acknowledged[CheckpointId(1)];
    if (tasks.size() < 4u) continue;
    int64_t read = 0;
    const int64_t inFlight = recordsInFlight(tasks, false) + recordsInFlight(tasks, true);
    int64_t counted = inFlight;
    for (const auto& [task, snapshot] : tasks) {
      if (task.first == 0) read += positionIn(snapshot.operators[0].operatorState);
      if (task.first == 1) counted += countedIn(snapshot.operators[0].keyed);
    }
    EXPECT_EQ(counted, read) << "seed " << seed;
    overtook += inFlight > 0 ? 1 : 0;
  }
  EXPECT_GT(overtook, 20);
}

TEST(UnalignedCheckpoint, AVoidOneIsDroppedAndTheNextIsWhole) {
  int whole = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    TestWorker test(countingJob(400, 2, 2), seed, overtaking(1));
    auto last = std::make_shared<uint64_t>(0);
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(test.sim.offload().submit("trigger", [&test, last] {
        for (const auto& task : test.worker->tasks()) {
          if (*last > 0) task->endCheckpoint(CheckpointId(*last), false);
        }
        const Barrier barrier{.checkpoint = CheckpointId(++*last),
                              .triggered = test.sim.clock().wallTime(),
                              .overtakesFrom = kAtOnce};
        for (const auto& task : test.worker->tasks()) task->triggerCheckpoint(barrier);
      }));
    }
    test.scheduler.join();
    EXPECT_EQ(test.ends.size(), 4u) << "seed " << seed;
    const auto& tasks = test.acknowledged[CheckpointId(2)];
    if (tasks.size() < 4u) continue;
    ++whole;
    int64_t read = 0;
    int64_t counted = recordsInFlight(tasks, false) + recordsInFlight(tasks, true);
    for (const auto& [task, snapshot] : tasks) {
      if (task.first == 0) read += positionIn(snapshot.operators[0].operatorState);
      if (task.first == 1) counted += countedIn(snapshot.operators[0].keyed);
    }
    EXPECT_EQ(counted, read) << "seed " << seed;
  }
  EXPECT_GT(whole, 20);
}

TEST(InFlight, SequencesComeBackAsTheyWere) {
  const std::vector<InFlightSequence> all = {
      {.edge = {OperatorId(7), OperatorId(8), 1, 2}, .sender = 3, .receiver = 4, .elements = "abc"},
      {.edge = {OperatorId(7), OperatorId(8), 0, 0},
       .sender = 0,
       .receiver = 1,
       .unsent = true,
       .elements = ""}};
  const std::vector<InFlightSequence> back = decodeInFlight(encodeInFlight(all));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].edge, all[0].edge);
  EXPECT_EQ(back[0].sender, 3);
  EXPECT_EQ(back[0].receiver, 4);
  EXPECT_FALSE(back[0].unsent);
  EXPECT_EQ(back[0].elements, "abc");
  EXPECT_TRUE(back[1].unsent);
  EXPECT_EQ(encodeInFlight({}), "");
  EXPECT_TRUE(decodeInFlight("").empty());
}

TEST(InFlight, BrokenBytesAreRefused) {
  const std::string good = encodeInFlight(
      {{.edge = {OperatorId(7), OperatorId(8), 0, 0}, .sender = 0, .receiver = 0, .elements = "abc"}});
  for (size_t length = 1; length < good.size(); ++length) {
    EXPECT_THROW(decodeInFlight(good.substr(0, length)), Error) << length;
  }
  EXPECT_THROW(decodeInFlight(good + "x"), Error);
  std::string later = good;
  later[0] = 9;
  try {
    decodeInFlight(later);
    ADD_FAILURE() << "a later version was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUser) << error.what();
  }
  BatchPools pools;
  InFlightReader in("\x07", &rowsPool<int64_t>(pools));
  EXPECT_THROW(in.next(), Error);
}

TEST(InFlight, RecordsOfAnotherTypeAreRefused) {
  BatchPools pools;
  Batch batch = rowsPool<int64_t>(pools).acquire();
  batch.rows<int64_t>().emplace(41);
  std::string elements;
  appendBatch(batch, elements);
  InFlightReader in(elements, &rowsPool<int32_t>(pools));
  EXPECT_EQ(errorText([&] { in.next(); }),
            "they have the type int64, but the job has int32 there: start the program as it was, and stop it "
            "with a savepoint, in which no records are on their way");
}

TEST(InFlight, ElementsComeBackInTheirOrder) {
  BatchPools pools;
  Batch batch = rowsPool<int64_t>(pools).acquire();
  batch.rows<int64_t>().emplace(41);
  batch->enableTimestamps()[0] = 5;
  std::string elements;
  appendElement(Element(Watermark{Timestamp(3)}), elements);
  appendElement(Element(Barrier{.checkpoint = CheckpointId(1)}), elements);
  EXPECT_FALSE(holdsRecords(elements));
  appendElement(Element(std::move(batch)), elements);
  appendElement(Element(WatermarkStatus{false}), elements);
  appendElement(Element(EndOfInput{}), elements);
  EXPECT_TRUE(holdsRecords(elements));
  InFlightReader in(elements, &rowsPool<int64_t>(pools));
  EXPECT_EQ(std::get<Watermark>(*in.next()).time, Timestamp(3));
  const Element second = *in.next();
  EXPECT_EQ(std::get<Batch>(second).rows<int64_t>()[0], 41);
  EXPECT_EQ(std::get<Batch>(second)->timestamps()[0], 5);
  EXPECT_FALSE(std::get<WatermarkStatus>(*in.next()).active);
  EXPECT_FALSE(in.next());
}

}  // namespace
}  // namespace flott
