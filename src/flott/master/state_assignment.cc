#include "flott/master/state_assignment.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/master/channel_assignment.h"
#include "flott/state/key_groups.h"

namespace flott {
namespace {

class StateAssignment {
 public:
  StateAssignment(const JobGraph& graph, const CheckpointMetadata& checkpoint, CheckpointStorage& storage,
                  const StateAssignmentOptions& options)
      : graph_(graph),
        checkpoint_(checkpoint),
        storage_(storage),
        wanted_(options.tasks),
        mostRead_(options.mostRead) {
    for (const OperatorSnapshot& op : checkpoint.operators) stored_[op.id] = &op;
  }

  void checkAllClaimed() const {
    std::set<OperatorId> claimed;
    for (const JobVertex& vertex : graph_.vertices) {
      for (const ChainedOperator& op : vertex.chain) claimed.insert(op.id);
    }
    for (const OperatorSnapshot& op : checkpoint_.operators) {
      if (claimed.contains(op.id) || !op.hasState()) continue;
      throw Error(ErrorKind::kUser,
                  nameOf(checkpoint_) + " has state of operator '" + op.name + "' (" +
                      (op.uid.empty() ? "id " + toString(op.id) : "uid '" + op.uid + "'") +
                      "), which the job does not have: give the operator that continues it " +
                      (op.uid.empty() ? "setUidHash(\"" + toString(op.id) + "\")" : "this uid") +
                      ", or drop the state with --allow-non-restored-state "
                      "(execution.state-recovery.ignore-unclaimed-state: true)");
    }
  }

  RestoredState run() {
    RestoredState restored;
    const bool sameEverywhere =
        std::all_of(graph_.vertices.begin(), graph_.vertices.end(),
                    [this](const JobVertex& vertex) { return sameParallelism(vertex); });
    for (const JobVertex& vertex : graph_.vertices) {
      std::vector<RestoredTask>& tasks = restored.tasks.emplace_back(static_cast<size_t>(vertex.parallelism));
      const bool inputsDone = std::all_of(vertex.inputEdges.begin(), vertex.inputEdges.end(), [&](int edge) {
        return finished_.contains(graph_.edges[static_cast<size_t>(edge)].from);
      });
      if (inputsDone && allFinished(vertex)) finished_.insert(vertex.id);
      for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
        tasks[static_cast<size_t>(subtask)].finished =
            finished_.contains(vertex.id) ||
            (sameEverywhere && finished(vertex, static_cast<size_t>(subtask)));
        tasks[static_cast<size_t>(subtask)].operators.resize(vertex.chain.size());
      }
      for (size_t i = 0; i < vertex.chain.size(); ++i) {
        const OperatorSnapshot* stored = find(vertex.chain[i]);
        if (stored == nullptr) continue;
        try {
          if (vertex.chain[i].source != nullptr) restored.enumerators[vertex.id] = stored->enumerator;
          restoreKeyed(vertex, i, *stored, tasks);
          restoreOperatorState(i, *stored, tasks);
        } catch (Error& error) {
          throw std::move(error)
              .at("state of operator '" + vertex.chain[i].name + "'")
              .at(nameOf(checkpoint_));
        }
      }
    }
    return restored;
  }

 private:
  bool wants(const JobVertex& vertex, size_t subtask) const {
    return wanted_.empty() || wanted_.contains({vertex.id, static_cast<int>(subtask)});
  }

  const OperatorSnapshot* find(const ChainedOperator& op) const {
    const auto found = stored_.find(op.id);
    return found == stored_.end() ? nullptr : found->second;
  }

  bool sameParallelism(const JobVertex& vertex) const {
    return std::all_of(vertex.chain.begin(), vertex.chain.end(), [&](const ChainedOperator& op) {
      const OperatorSnapshot* stored = find(op);
      return stored != nullptr && stored->subtasks.size() == static_cast<size_t>(vertex.parallelism);
    });
  }

  bool finished(const JobVertex& vertex, size_t subtask) const {
    return std::all_of(vertex.chain.begin(), vertex.chain.end(),
                       [&](const ChainedOperator& op) { return find(op)->subtasks[subtask].finished; });
  }

  bool allFinished(const JobVertex& vertex) const {
    return std::all_of(vertex.chain.begin(), vertex.chain.end(), [&](const ChainedOperator& op) {
      const OperatorSnapshot* stored = find(op);
      return stored != nullptr &&
             std::all_of(stored->subtasks.begin(), stored->subtasks.end(),
                         [](const SubtaskSnapshot& subtask) { return subtask.finished; });
    });
  }

  void restoreKeyed(const JobVertex& vertex, size_t index, const OperatorSnapshot& stored,
                    std::vector<RestoredTask>& tasks) {
    const auto maxParallelism = static_cast<uint32_t>(vertex.maxParallelism);
    const auto oldParallelism = static_cast<uint32_t>(stored.subtasks.size());
    for (uint32_t old = 0; old < oldParallelism; ++old) {
      const SubtaskSnapshot& before = stored.subtasks[old];
      const StateHandle& handle = before.keyed;
      if (handle.empty() && before.cold.image.empty()) continue;
      checkMaxParallelism(stored.maxParallelism);
      const bool shared = before.sharesSegments();
      const std::optional<StoredColdState> cold = shared ? std::nullopt : storedCold(stored, old);
      const bool large = !handle.file.empty() && handle.length > mostRead_;
      if (large) storage_.checkThere(checkpoint_.folder, handle);
      std::shared_ptr<const std::string> section;
      const KeyGroupRange from = renumbered(keyGroupRange(old, stored.maxParallelism, oldParallelism),
                                            stored.maxParallelism, maxParallelism);
      for (uint32_t now = 0; now < tasks.size(); ++now) {
        const KeyGroupRange to = keyGroupRange(now, maxParallelism, static_cast<uint32_t>(tasks.size()));
        if (to.end <= from.first || from.end <= to.first || !wants(vertex, now)) continue;
        RestoredOperator& op = tasks[now].operators[index];
        if (shared) {
          op.sections.push_back({checkpoint_.folder, {}, stored.maxParallelism, before.cold});
          continue;
        }
        if (cold) op.stored.push_back(*cold);
        if (large) {
          op.sections.push_back({checkpoint_.folder, handle, stored.maxParallelism});
          continue;
        }
        if (section == nullptr)
          section = std::make_shared<const std::string>(storage_.read(checkpoint_.folder, handle));
        op.keyed.add(section, to, stored.maxParallelism, maxParallelism);
      }
    }
  }

  /// What the tasks are to fetch of an old subtask.
  std::optional<StoredColdState> storedCold(const OperatorSnapshot& stored, uint32_t subtask) {
    const ColdSnapshot& cold = stored.subtasks[subtask].cold;
    if (cold.image.empty()) return std::nullopt;
    const KeyGroupRange groups =
        keyGroupRange(subtask, stored.maxParallelism, static_cast<uint32_t>(stored.subtasks.size()));
    if (groups.size() == 0) return std::nullopt;
    return StoredColdState{.checkpoint = checkpoint_.id,
                           .folder = checkpoint_.folder,
                           .files = cold.files,
                           .image = ColdImage::decode(storage_.read(checkpoint_.folder, cold.image)),
                           .range = orderRange(groups, stored.maxParallelism)};
  }

  void restoreOperatorState(size_t index, const OperatorSnapshot& stored, std::vector<RestoredTask>& tasks) {
    std::vector<OperatorStateImage> old;
    for (const SubtaskSnapshot& subtask : stored.subtasks) {
      OperatorStateImage& image = old.emplace_back();
      if (subtask.operatorState.empty()) continue;
      const std::string section = storage_.read(checkpoint_.folder, subtask.operatorState);
      ByteReader in(section);
      image = OperatorStateImage::decode(in);
    }
    if (old.empty()) return;
    std::vector<OperatorStateImage> dealt = split(old, tasks.size());
    for (size_t now = 0; now < tasks.size(); ++now) {
      OperatorStateImage& image = tasks[now].operators[index].operatorState = std::move(dealt[now]);
      if (old.size() == tasks.size()) keepOwn(image, old[now]);
    }
  }

  /// Where nothing has to be dealt out anew, lists stay where they were.
  static void keepOwn(OperatorStateImage& image, const OperatorStateImage& own) {
    for (OperatorStateImage::State& state : image.states) {
      if (state.redistribution != Redistribution::kSplit) continue;
      const auto same = std::find_if(
          own.states.begin(), own.states.end(),
          [&](const OperatorStateImage::State& s) { return s.name == state.name && s.type == state.type; });
      state.items = same == own.states.end() ? std::vector<std::string>() : same->items;
    }
  }

  const JobGraph& graph_;
  const CheckpointMetadata& checkpoint_;
  CheckpointStorage& storage_;
  const TaskSet& wanted_;
  const uint64_t mostRead_;
  std::map<OperatorId, const OperatorSnapshot*> stored_;
  std::set<int> finished_;  // vertices all of whose tasks had ended
};

}  // namespace

std::string nameOf(const CheckpointMetadata& checkpoint) {
  return (checkpoint.kind == CheckpointKind::kSavepoint ? "savepoint " : "checkpoint ") +
         std::to_string(checkpoint.id.value) +
         (checkpoint.folder.empty() ? "" : " in '" + checkpoint.folder + "'");
}

RestoredState assignState(const JobGraph& graph, const CheckpointMetadata& checkpoint,
                          CheckpointStorage& storage, const StateAssignmentOptions& options) {
  StateAssignment assignment(graph, checkpoint, storage, options);
  storage.checkShared(checkpoint);
  if (!options.ignoreUnclaimed) assignment.checkAllClaimed();
  RestoredState restored = assignment.run();
  if (options.withoutChannelsOf < 0 ||
      checkpoint.id != CheckpointId(static_cast<uint64_t>(options.withoutChannelsOf)))
    assignChannels(graph, checkpoint, storage, options, restored.tasks);
  return restored;
}

}  // namespace flott
