#include "flott/master/channel_assignment.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/master/state_assignment.h"
#include "flott/runtime/in_flight.h"
#include "flott/state/key_groups.h"

namespace flott {
namespace {

using Takes = RestoredChannel::Takes;

class ChannelAssignment {
 public:
  ChannelAssignment(const JobGraph& graph, const CheckpointMetadata& checkpoint, const TaskSet& wanted,
                    RestoredJob& tasks)
      : graph_(graph), checkpoint_(checkpoint), wanted_(wanted), tasks_(tasks) {
    for (const OperatorSnapshot& op : checkpoint.operators) stored_[op.id] = &op;
    const std::vector<EdgeName> names = edgeNames(graph);
    for (size_t i = 0; i < names.size(); ++i) edges_[names[i]] = static_cast<int>(i);
  }

  void add(InFlightSequence sequence) {
    Channel& channel = channels_[sequence.edge][{sequence.sender, sequence.receiver}];
    std::string& part = sequence.unsent ? channel.unsent : channel.received;
    part = std::move(sequence.elements);
  }

  void run(bool ignoreUnclaimed) {
    for (auto& [name, channels] : channels_) {
      const auto edge = edges_.find(name);
      if (edge != edges_.end()) {
        assign(graph_.edges[static_cast<size_t>(edge->second)], name, channels);
      } else if (!ignoreUnclaimed) {
        checkEmpty(name, channels);
      }
    }
  }

 private:
  struct Channel {
    std::string received;
    std::string unsent;
  };
  using Channels = std::map<std::pair<int32_t, int32_t>, Channel>;  // by sender and receiver
  /// Both sides of an edge, before and now.
  struct Sides {
    uint32_t senders = 0;
    uint32_t receivers = 0;
    uint32_t maxParallelism = 0;
  };

  Sides before(const EdgeName& name) const {
    const auto from = stored_.find(name.from);
    const auto to = stored_.find(name.to);
    if (from == stored_.end() || to == stored_.end()) {
      throw Error(ErrorKind::kCorruption, nameOf(checkpoint_) +
                                              " has records in a channel between operators that it does not "
                                              "have: it is damaged");
    }
    return {.senders = static_cast<uint32_t>(from->second->subtasks.size()),
            .receivers = static_cast<uint32_t>(to->second->subtasks.size()),
            .maxParallelism = to->second->maxParallelism};
  }

  void assign(const JobEdge& edge, const EdgeName& name, Channels& channels) {
    const JobVertex& to = graph_.vertices[static_cast<size_t>(edge.to)];
    const JobVertex& from = graph_.vertices[static_cast<size_t>(edge.from)];
    const Sides old = before(name);
    const Sides now{.senders = static_cast<uint32_t>(from.parallelism),
                    .receivers = static_cast<uint32_t>(to.parallelism),
                    .maxParallelism = static_cast<uint32_t>(to.maxParallelism)};
    for (auto& [place, channel] : channels) {
      std::vector<std::shared_ptr<const std::string>> parts;
      for (std::string* part : {&channel.received, &channel.unsent}) {
        if (!part->empty()) parts.push_back(std::make_shared<const std::string>(std::move(*part)));
      }
      for (uint32_t task = 0; task < now.receivers; ++task) {
        RestoredTask& target = tasks_[static_cast<size_t>(edge.to)][task];
        if (target.finished || !wants(edge.to, task)) continue;
        const auto takes = takesOf(edge, old, now, static_cast<uint32_t>(place.second), task);
        if (!takes) continue;
        target.channels.push_back({.edge = edge.id,
                                   .sender = place.first,
                                   .takes = *takes,
                                   .exact = old.senders == now.senders,
                                   .parts = parts});
      }
    }
  }

  /// What a task of today takes of what an old receiver had; none: not even its time.
  static std::optional<Takes> takesOf(const JobEdge& edge, const Sides& old, const Sides& now,
                                      uint32_t receiver, uint32_t task) {
    if (old.receivers == now.receivers && old.maxParallelism == now.maxParallelism)
      return receiver == task ? std::optional(Takes::kAll) : std::nullopt;
    switch (edge.partitioning.kind) {
      case PartitionKind::kHash: {
        const KeyGroupRange had = renumbered(keyGroupRange(receiver, old.maxParallelism, old.receivers),
                                             old.maxParallelism, now.maxParallelism);
        const KeyGroupRange has = keyGroupRange(task, now.maxParallelism, now.receivers);
        if (has.end <= had.first || had.end <= has.first) return std::nullopt;
        return Takes::kRouted;
      }
      case PartitionKind::kCustom:
        return Takes::kRouted;
      case PartitionKind::kForward:  // not all receivers know all senders
      case PartitionKind::kRescale:
        return uint64_t{receiver} * now.receivers / old.receivers == task ? Takes::kAll : Takes::kNothing;
      case PartitionKind::kRebalance:
      case PartitionKind::kShuffle:
      case PartitionKind::kBroadcast:
      case PartitionKind::kGlobal:
        break;
    }
    if (uint64_t{receiver} * now.receivers / old.receivers == task) return Takes::kAll;
    return uint64_t{task} * old.receivers / now.receivers == receiver ? std::optional(Takes::kNothing)
                                                                      : std::nullopt;
  }

  bool wants(int vertex, uint32_t subtask) const {
    return wanted_.empty() || wanted_.contains({vertex, static_cast<int>(subtask)});
  }

  void checkEmpty(const EdgeName& name, const Channels& channels) const {
    const bool empty = std::all_of(channels.begin(), channels.end(), [](const auto& channel) {
      return !holdsRecords(channel.second.received) && !holdsRecords(channel.second.unsent);
    });
    if (empty) return;
    throw Error(
        ErrorKind::kUser,
        nameOf(checkpoint_) + " has records that were on their way from operator " + operatorName(name.from) +
            " to operator " + operatorName(name.to) +
            ", between which the job has no exchange: start it as it was then, at the same "
            "parallelism, and stop it with a savepoint, in which no records are on their way; or drop "
            "them with --allow-non-restored-state (execution.state-recovery.ignore-unclaimed-state: "
            "true)");
  }

  std::string operatorName(OperatorId id) const {
    const auto found = stored_.find(id);
    return found == stored_.end() ? toString(id) : "'" + found->second->name + "'";
  }

  const JobGraph& graph_;
  const CheckpointMetadata& checkpoint_;
  const TaskSet& wanted_;
  RestoredJob& tasks_;
  std::map<OperatorId, const OperatorSnapshot*> stored_;
  std::map<EdgeName, int> edges_;
  std::map<EdgeName, Channels> channels_;
};

}  // namespace

void assignChannels(const JobGraph& graph, const CheckpointMetadata& checkpoint, CheckpointStorage& storage,
                    const StateAssignmentOptions& options, RestoredJob& tasks) {
  ChannelAssignment assignment(graph, checkpoint, options.tasks, tasks);
  for (const ChannelSnapshot& channel : checkpoint.channels) {
    try {
      const std::string section = storage.read(checkpoint.folder, channel.elements);
      for (InFlightSequence& sequence : decodeInFlight(section)) assignment.add(std::move(sequence));
    } catch (Error& error) {
      throw std::move(error).at("records that were in channels").at(nameOf(checkpoint));
    }
  }
  assignment.run(options.ignoreUnclaimed);
}

}  // namespace flott
