// Runs the split enumerator of one source inside the job's master, and carries its splits to the readers.
//
// Where readers may begin anew while others go on, it remembers which splits each was given since the last
// checkpoints: what such a reader has not in the state that it begins with goes back to the enumerator.
// Called on the master's lane only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flott/env/env.h"
#include "flott/operators/source.h"
#include "flott/runtime/task.h"

namespace flott {

/// What a coordinator needs from the master around it.
class CoordinatorHost {
 public:
  virtual ~CoordinatorHost() = default;
  virtual void callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) = 0;
  virtual void callAfter(Duration delay, MoveFunction<void()> then) = 0;
  /// Of this source or another.
  virtual void backlogChanged() = 0;
  virtual Task& task(int vertex, SubtaskIndex subtask) = 0;
};

class SourceCoordinator final : private SplitEnumeratorContext {
 public:
  /// `tracks` splits: readers may begin anew, from checkpoint `from` or a later one.
  SourceCoordinator(const JobVertex& vertex, bool tracks, CheckpointId from, Env& env, CoordinatorHost& host);

  /// `state` is what snapshot() gave in an earlier attempt; empty for a fresh start. Readers that had
  /// `finished` then are not coming back.
  void start(const std::string& state, const std::vector<bool>& finished);
  void handleSplitRequest(SubtaskIndex reader);
  void handleSourceEvent(SubtaskIndex reader, const std::string& event);
  /// For a checkpoint; in the step that sends the readers its trigger.
  std::string snapshot(CheckpointId checkpoint);
  /// Readers that begin anew do so from this checkpoint or a later one.
  void checkpointCompleted(CheckpointId checkpoint);
  /// The reader does not take anything any more. Splits that it is given meanwhile go back once it begins
  /// anew, and it asks again for what else it was told.
  void readerDown(SubtaskIndex reader) { readers_[reader.value].up = false; }
  /// Whether more splits were given to it than are remembered, so that it cannot begin anew on its own.
  bool forgotSplitsOf(SubtaskIndex reader) const;
  /// The reader begins anew, with its state of this checkpoint: 0 for none. `finished`: it had no more to do
  /// then.
  void restartReader(SubtaskIndex reader, CheckpointId from, bool finished);
  const JobVertex& vertex() const { return vertex_; }
  bool backlog() const { return backlog_; }

 private:
  static constexpr size_t kRememberedSplits = 100'000;
  struct Given {
    CheckpointId after;  // the newest that was triggered before
    SourceSplit split;
  };
  struct Reader {
    bool up = true;
    bool forgot = false;
    std::vector<SourceSplit> waiting;  // given while it was down
    std::vector<Given> given;          // that the last complete checkpoint does not have
  };

  Env& env() override { return env_; }
  int parallelism() const override { return vertex_.parallelism; }
  void assign(SubtaskIndex reader, SourceSplit split) override;
  void signalNoMoreSplits(SubtaskIndex reader) override;
  void sendEvent(SubtaskIndex reader, std::string event) override;
  void callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) override;
  void callAfter(Duration delay, MoveFunction<void()> then) override;
  void setIsProcessingBacklog(bool backlog) override;
  template <typename F>
  void guarded(F&& call);

  const JobVertex& vertex_;
  const bool tracks_;
  Env& env_;
  CoordinatorHost& host_;
  bool backlog_ = false;
  CheckpointId lastTriggered_;
  std::map<int, Reader> readers_;
  std::unique_ptr<SplitEnumerator> enumerator_;
};

}  // namespace flott
