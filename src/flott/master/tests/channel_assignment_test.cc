// Who gets what was in channels when a job starts from an unaligned checkpoint.
#include "flott/master/channel_assignment.h"

#include <gtest/gtest.h>

#include <map>

#include "flott/base/tests/error_text.h"
#include "flott/master/state_assignment.h"
#include "flott/runtime/restored_input.h"
#include "flott/runtime/tests/counting_job.h"
#include "flott/state/key_groups.h"

namespace flott {
namespace {

using Takes = RestoredChannel::Takes;

class ByNumber final : public RowRouter {
  void route(const Batch& batch, uint32_t channels, uint32_t* targets) const override {
    for (size_t i = 0; i < batch.size(); ++i)
      targets[i] = static_cast<uint32_t>(batch.rows<int64_t>()[i]) % channels;
  }
};

class ChannelAssignment : public testing::Test {
 protected:
  /// The source passes its records on by `kind`.
  static JobGraph job(PartitionKind kind, int sources, int receivers, int maxParallelism = 128) {
    Pipeline pipeline(readBy(PositionReader(1)), sources);
    Partitioning partitioning{
        .kind = kind, .hasher = std::make_shared<ByRecord>(), .router = std::make_shared<ByNumber>()};
    pipeline.then("count", make<CountByKey>(), receivers, kind, partitioning);
    for (StreamNode& node : pipeline.graph.nodes) {
      node.uid = node.name;
      node.maxParallelism = maxParallelism;
      node.chaining = ChainingStrategy::kNever;
    }
    return pipeline.job();
  }

  /// A checkpoint of the job, with a record in each channel, and for each even receiver one not yet sent.
  CheckpointMetadata checkpointOf(const JobGraph& graph) {
    CheckpointMetadata metadata{.id = CheckpointId(5), .jobName = "job"};
    for (const JobVertex& vertex : graph.vertices) {
      OperatorSnapshot op{.id = vertex.chain[0].id, .name = vertex.chain[0].name};
      op.maxParallelism = static_cast<uint32_t>(vertex.maxParallelism);
      op.subtasks.resize(static_cast<size_t>(vertex.parallelism));
      metadata.operators.push_back(std::move(op));
    }
    const EdgeName edge = edgeNames(graph).at(0);
    for (int32_t receiver = 0; receiver < graph.vertices[1].parallelism; ++receiver) {
      std::vector<InFlightSequence> sequences;
      for (int32_t sender = 0; sender < graph.vertices[0].parallelism; ++sender)
        sequences.push_back(sequence(edge, sender, receiver, false));
      add(metadata, 1, receiver, sequences);
    }
    for (int32_t sender = 0; sender < graph.vertices[0].parallelism; ++sender) {
      std::vector<InFlightSequence> sequences;
      for (int32_t receiver = 0; receiver < graph.vertices[1].parallelism; receiver += 2)
        sequences.push_back(sequence(edge, sender, receiver, true));
      add(metadata, 0, sender, sequences);
    }
    return metadata;
  }
  InFlightSequence sequence(const EdgeName& edge, int32_t sender, int32_t receiver, bool unsent) {
    Batch batch = rowsPool<int64_t>(pools_).acquire();
    batch.rows<int64_t>().emplace(sender * 100 + receiver * 10 + (unsent ? 1 : 0));
    InFlightSequence made{.edge = edge, .sender = sender, .receiver = receiver, .unsent = unsent};
    appendBatch(batch, made.elements);
    return made;
  }
  void add(CheckpointMetadata& metadata, size_t vertex, int32_t subtask,
           const std::vector<InFlightSequence>& sequences) {
    const std::string section = encodeInFlight(sequences);
    metadata.channels.push_back({.task = metadata.operators[vertex].id,
                                 .subtask = static_cast<uint32_t>(subtask),
                                 .elements = storage.write(metadata.id, "task", {section})[0]});
  }

  /// "0: all 0 1" for sender 0, all records, which are those with these numbers.
  std::vector<std::string> assigned(const JobGraph& now, const CheckpointMetadata& checkpoint, size_t task,
                                    StateAssignmentOptions options = {}) {
    const RestoredState state = assignState(now, checkpoint, storage, options);
    std::vector<std::string> all;
    for (const RestoredChannel& channel : state.tasks[1][task].channels) {
      std::string text = std::to_string(channel.sender) + (channel.exact ? "!" : "");
      text += channel.takes == Takes::kAll      ? " all"
              : channel.takes == Takes::kRouted ? " routed"
                                                : " nothing";
      for (const auto& part : channel.parts) {
        InFlightReader in(*part, &rowsPool<int64_t>(pools_));
        while (std::optional<Element> element = in.next())
          text += " " + std::to_string(std::get<Batch>(*element).rows<int64_t>()[0]);
      }
      all.push_back(std::move(text));
    }
    return all;
  }

  SimulatedEnv sim{1};
  CheckpointStorage storage{sim.files(), {}};
  BatchPools pools_;
};

using Texts = std::vector<std::string>;

TEST_F(ChannelAssignment, AtTheSameParallelismEachGetsItsOwn) {
  for (const PartitionKind kind : {PartitionKind::kHash, PartitionKind::kRebalance}) {
    const JobGraph graph = job(kind, 2, 3);
    const CheckpointMetadata checkpoint = checkpointOf(graph);
    EXPECT_EQ(assigned(graph, checkpoint, 0), (Texts{"0! all 0 1", "1! all 100 101"}));
    EXPECT_EQ(assigned(graph, checkpoint, 1), (Texts{"0! all 10", "1! all 110"}));
    EXPECT_EQ(assigned(graph, checkpoint, 2), (Texts{"0! all 20 21", "1! all 120 121"}));
  }
}

TEST_F(ChannelAssignment, ByKeyEachGetsThoseThatHadItsKeyGroups) {
  const CheckpointMetadata checkpoint = checkpointOf(job(PartitionKind::kHash, 1, 2));
  const JobGraph more = job(PartitionKind::kHash, 1, 3);
  EXPECT_EQ(assigned(more, checkpoint, 0), (Texts{"0! routed 0 1"}));
  EXPECT_EQ(assigned(more, checkpoint, 1), (Texts{"0! routed 0 1", "0! routed 10"}));
  EXPECT_EQ(assigned(more, checkpoint, 2), (Texts{"0! routed 10"}));
  const JobGraph one = job(PartitionKind::kHash, 3, 1);
  EXPECT_EQ(assigned(one, checkpoint, 0), (Texts{"0 routed 0 1", "0 routed 10"}));
  const JobGraph finer = job(PartitionKind::kHash, 1, 2, 256);
  EXPECT_EQ(assigned(finer, checkpoint, 1), (Texts{"0! routed 10"}));
}

TEST_F(ChannelAssignment, ByTurnsEachChannelGoesToOneAndItsTimeToAll) {
  const CheckpointMetadata checkpoint = checkpointOf(job(PartitionKind::kRebalance, 1, 2));
  const JobGraph more = job(PartitionKind::kRebalance, 1, 3);
  EXPECT_EQ(assigned(more, checkpoint, 0), (Texts{"0! all 0 1"}));
  EXPECT_EQ(assigned(more, checkpoint, 1), (Texts{"0! nothing 0 1", "0! all 10"}));
  EXPECT_EQ(assigned(more, checkpoint, 2), (Texts{"0! nothing 10"}));
  const JobGraph one = job(PartitionKind::kRebalance, 1, 1);
  EXPECT_EQ(assigned(one, checkpoint, 0), (Texts{"0! all 0 1", "0! all 10"}));
}

TEST_F(ChannelAssignment, AFunctionOfTheProgramsIsAskedAgain) {
  const CheckpointMetadata checkpoint = checkpointOf(job(PartitionKind::kCustom, 1, 2));
  const JobGraph more = job(PartitionKind::kCustom, 1, 3);
  for (size_t task = 0; task < 3; ++task)
    EXPECT_EQ(assigned(more, checkpoint, task), (Texts{"0! routed 0 1", "0! routed 10"}));
}

// A task takes of what it is given to look through what today's exchange would send to it.
TEST_F(ChannelAssignment, ATaskTakesWhatIsItsOwn) {
  for (const PartitionKind kind : {PartitionKind::kCustom, PartitionKind::kHash}) {
    std::vector<int64_t> taken;
    for (uint32_t task = 0; task < 3; ++task) {
      Batch batch = rowsPool<int64_t>(pools_).acquire();
      for (int64_t i = 0; i < 30; ++i) batch.rows<int64_t>().emplace(i);
      std::string elements;
      appendBatch(batch, elements);
      RestoredChannel channel{.takes = Takes::kRouted,
                              .parts = {std::make_shared<const std::string>(std::move(elements))}};
      RestoredInput input;
      input.add(std::move(channel), 0,
                {.partitioning = {.kind = kind,
                                  .hasher = std::make_shared<ByRecord>(),
                                  .router = std::make_shared<ByNumber>()},
                 .parallelism = 3,
                 .subtask = task},
                pools_, &rowsPool<int64_t>, "in a test");
      while (std::optional<RestoredInput::Taken> one = input.next()) {
        for (const int64_t record : std::get<Batch>(one->element).rows<int64_t>()) {
          taken.push_back(record);
          const uint32_t to = kind == PartitionKind::kCustom
                                  ? static_cast<uint32_t>(record) % 3
                                  : subtaskOf(keyGroupOf(hashKey(record % 10), 128), 128, 3);
          EXPECT_EQ(to, task);
        }
      }
    }
    EXPECT_EQ(taken.size(), 30u);
  }
}

TEST_F(ChannelAssignment, RecordsOfAnExchangeThatIsNotThereAreNotDroppedQuietly) {
  const CheckpointMetadata checkpoint = checkpointOf(job(PartitionKind::kHash, 1, 2));
  Pipeline pipeline(readBy(PositionReader(1)));
  pipeline.then("between", passOn(), 2)
      .then("count", make<CountByKey>(), 2, PartitionKind::kHash,
            {.kind = PartitionKind::kHash, .hasher = std::make_shared<ByRecord>()});
  for (StreamNode& node : pipeline.graph.nodes) node.uid = node.name;
  const JobGraph other = pipeline.job();
  EXPECT_EQ(errorText([&] { assignState(other, checkpoint, storage, {}); }),
            "checkpoint 5 has records that were on their way from operator 'source' to operator 'count', "
            "between which the job has no exchange: start it as it was then, at the same parallelism, and "
            "stop it with a savepoint, in which no records are on their way; or drop them with "
            "--allow-non-restored-state (execution.state-recovery.ignore-unclaimed-state: true)");
  EXPECT_EQ(assigned(other, checkpoint, 0, {.ignoreUnclaimed = true}), Texts{});
}

TEST_F(ChannelAssignment, OneCheckpointMayBeTakenWithoutThem) {
  const JobGraph graph = job(PartitionKind::kHash, 1, 2);
  const CheckpointMetadata checkpoint = checkpointOf(graph);
  EXPECT_EQ(assigned(graph, checkpoint, 0, {.withoutChannelsOf = 5}), Texts{});
  EXPECT_EQ(assigned(graph, checkpoint, 0, {.withoutChannelsOf = 4}).size(), 1u);
}

TEST_F(ChannelAssignment, BrokenBytesAreNamed) {
  const JobGraph graph = job(PartitionKind::kHash, 1, 1);
  CheckpointMetadata checkpoint = checkpointOf(graph);
  checkpoint.channels[0].elements = storage.write(CheckpointId(5), "task", {"\x01"})[0];
  const std::string error =
      errorText([&] { assignState(graph, checkpoint, storage, {}); }, ErrorKind::kCorruption);
  EXPECT_NE(error.find("ends early"), std::string::npos) << error;
}

}  // namespace
}  // namespace flott
