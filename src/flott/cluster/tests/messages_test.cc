#include "flott/cluster/messages.h"

#include <gtest/gtest.h>

#include <cstring>

#include "flott/base/hash.h"
#include "flott/env/random.h"
#include "flott/state/keyed_backend.h"

namespace flott {
namespace {

using namespace messages;

constexpr TaskId kTask{3, SubtaskIndex(1), 2};

OperatorReadings someReadings() {
  MetricGroup group;
  group.counter("records").add(7);
  group.histogram("latency").update(12);
  group.text("note").set("hot", 3);
  return {{.jobName = "job", .name = "sum", .id = OperatorId(9), .subtask = SubtaskIndex(1)}, group.read(1)};
}

RestoredTask someState() {
  RestoredTask task;
  RestoredOperator& op = task.operators.emplace_back();
  op.operatorState.states.push_back({.name = "list", .items = {"a", "b"}});
  op.sections.push_back({"/chk-1", {.file = "task-1", .offset = 3, .length = 5, .checksum = 8}, 128});
  op.stored.push_back({.checkpoint = CheckpointId(1),
                       .folder = "/chk-1",
                       .files = {{CheckpointId(1), "a.sst", "000001.sst", 10, 11}},
                       .image = {.states = {}, .manifestName = "MANIFEST", .manifest = "m"},
                       .range = {0, 99}});
  task.channels.push_back({.edge = 1,
                           .sender = 2,
                           .takes = RestoredChannel::Takes::kRouted,
                           .exact = true,
                           .parts = {std::make_shared<const std::string>("in flight")}});
  return task;
}

std::vector<std::string> oneFrameOfEach() {
  const Failure failure{ErrorKind::kTransient, "disk full", {"file 'a'", "operator 'sum'"}};
  Accumulators accumulators;
  accumulators.get<LongCounter>("seen").add(4);
  TaskSnapshot snapshot;
  snapshot.operators.push_back(
      {.id = OperatorId(5), .keyed = {.inlined = "abc", .length = 3, .checksum = 1}});
  snapshot.durations.asyncNanos = 17;
  TaskTimes times{
      .nowNanos = 5, .nodes = {{.output = Timestamp(7), .origins = {{.split = "s"}}}}, .inputs = {{}}};
  const Barrier barrier{.checkpoint = CheckpointId(4),
                        .triggered = Timestamp(6),
                        .properties = savepointIn("/savepoints/1", StopMode::kDrain)};
  std::vector<std::string> frames;
  const auto toMaster = [&](ToMaster message) { frames.push_back(frameOf(message)); };
  const auto toWorker = [&](ToWorker message) { frames.push_back(frameOf(message)); };
  toMaster(Heartbeat());
  toMaster(Register{"w1", 2, {{"job 'j'", "vertex 0"}}});
  toMaster(
      Reports{{{kTask, TaskState::kRunning, {someReadings()}, {gaugeReading("busyTimeMsPerSecond", 12.5)}}}});
  toMaster(TaskEnded{{kTask, TaskState::kFailed, {}}, failure, std::move(accumulators)});
  toMaster(Damaged{kTask, failure});
  toMaster(SplitRequest{kTask});
  toMaster(EventOfReader{kTask, "event"});
  toMaster(WatermarkOfTask{kTask, Timestamp(8)});
  toMaster(Acknowledgement{kTask, CheckpointId(4), std::move(snapshot)});
  toMaster(AwaitsFinalCheckpoint{kTask});
  toMaster(Decline{kTask, CheckpointId(4), failure});
  toMaster(Times{kTask, 9, std::move(times)});
  toMaster(AccumulatorsOfTask{kTask, 9, {}});
  toMaster(LinksOpened{7, "10.0.0.1", 4711, failure});
  toMaster(WorkerEnded{"w1", "was killed by signal 9 (killed)"});
  toWorker(Welcome{"00ff", {{"pipeline.name", "j"}}});
  toWorker(Refused{"no"});
  toWorker(Deploy{2, 1, true, {{3, 1, someState()}}, 7, {{"w2", "10.0.0.2", 4712, {{3, 0}}}}});
  toWorker(Dismiss());
  toWorker(Cancel{kTask});
  toWorker(Splits{kTask, {{"id", "state"}}});
  toWorker(NoMoreSplits{kTask});
  toWorker(EventForReader{kTask, "event"});
  toWorker(WatermarkLimit{kTask, Timestamp(8)});
  toWorker(Trigger{kTask, barrier});
  toWorker(CheckpointEnd{kTask, CheckpointId(4), true});
  toWorker(Drain{kTask});
  toWorker(ReadTimes{kTask, 9});
  toWorker(ReadAccumulators{kTask, 9});
  toWorker(OpenLinks{7, 2});
  toWorker(CloseLinks{7});
  return frames;
}

constexpr size_t kToMaster = 15;  // of them

std::string again(const std::string& frame, bool toMaster) {
  return toMaster ? frameOf(decodeToMaster(frame)) : frameOf(decodeToWorker(frame));
}

TEST(Messages, ComeOutAsTheyWentIn) {
  const std::vector<std::string> frames = oneFrameOfEach();
  for (size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(again(frames[i], i < kToMaster), frames[i]) << i;
  const auto deploy = std::get<Deploy>(decodeToWorker(frames[17]));
  const RestoredOperator& op = deploy.tasks.front().restored.operators.front();
  EXPECT_EQ(op.operatorState, someState().operators.front().operatorState);
  EXPECT_EQ(op.stored.front().image.manifest, "m");
  EXPECT_EQ(*deploy.tasks.front().restored.channels.front().parts.front(), "in flight");
  const auto reports = std::get<Reports>(decodeToMaster(frames[2]));
  EXPECT_EQ(reports.tasks.front().operators.front().metrics[1].parts, someReadings().metrics[1].parts);
  const auto trigger = std::get<Trigger>(decodeToWorker(frames[24]));
  EXPECT_EQ(trigger.barrier.stop(), StopMode::kDrain);
  EXPECT_EQ(trigger.barrier.properties->folder, "/savepoints/1");
  const auto ended = std::get<TaskEnded>(decodeToMaster(frames[3]));
  EXPECT_STREQ(ended.failure->error().what(), "operator 'sum': file 'a': disk full");
}

// When this fails because a message was changed on purpose, raise kProtocolVersion with it.
TEST(Messages, TheirLayoutBelongsToTheVersion) {
  uint64_t all = kProtocolVersion;
  for (const std::string& frame : oneFrameOfEach())
    all = combineHashes(all, hashBytes(std::string_view(frame).substr(kMessageHeaderBytes)));
  EXPECT_EQ(all, 16673446574596710678u);
}

std::string failure(std::string_view frame) {
  try {
    decodeToWorker(frame);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(Messages, DamagedOnesAreRefused) {
  const std::string frame = frameOf(Deploy{2, 1, true, {{3, 1, someState()}}, 0, {}});
  for (size_t i = 0; i < frame.size(); ++i) {
    std::string damaged = frame;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_NE(failure(damaged), "none") << i;
    EXPECT_NE(failure(frame.substr(0, i)), "none") << i;
  }
  std::string damaged = frame;
  damaged.back() ^= 1;
  EXPECT_EQ(failure(damaged), "a message does not match its checksum: it was damaged on its way");
  EXPECT_EQ(failure("GET /jobs/overview HTTP/1.1\r\nHost: localhost\r\n"),
            "what comes is no message of Flott: is the address that of another service?");
}

/// The frame as a program of that version would send it.
std::string ofVersion(uint32_t version, std::string frame) {
  std::memcpy(frame.data() + 4, &version, sizeof version);
  const auto checksum = static_cast<uint32_t>(hashBytes(std::string_view(frame).substr(0, 24)));
  std::memcpy(frame.data() + 24, &checksum, sizeof checksum);
  return frame;
}

TEST(Messages, OfAnotherVersionAreRefusedWithBoth) {
  EXPECT_EQ(failure(ofVersion(kProtocolVersion + 1, frameOf(ToWorker(Dismiss())))),
            "the other side speaks version " + std::to_string(kProtocolVersion + 1) +
                " of the protocol, and this program version " + std::to_string(kProtocolVersion) +
                ": use the same version of Flott for all processes of a cluster");
}

// A sound checksum makes no sound message.
TEST(Messages, AnyBytesAreReadOrRefused) {
  Random random(7);
  const std::vector<std::string> frames = oneFrameOfEach();
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string frame = frames[random.below(frames.size())];
    for (uint64_t n = random.below(4); n <= 4 && frame.size() > kMessageHeaderBytes; ++n)
      frame[kMessageHeaderBytes + random.below(frame.size() - kMessageHeaderBytes)] =
          static_cast<char>(random.next());
    const uint64_t checksum = hashBytes(std::string_view(frame).substr(kMessageHeaderBytes));
    std::memcpy(frame.data() + 16, &checksum, sizeof checksum);
    const std::string sound = ofVersion(kProtocolVersion, frame);
    for (const bool toMaster : {true, false}) {
      try {
        again(sound, toMaster);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace flott
