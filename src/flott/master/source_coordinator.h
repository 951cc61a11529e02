// Runs the split enumerator of one source inside the job's master, and carries its splits to the readers.
//
// Called on the master's lane only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flott/env/env.h"
#include "flott/operators/source.h"
#include "flott/runtime/worker.h"

namespace flott {

/// What a coordinator needs from the master around it.
class CoordinatorHost {
 public:
  virtual ~CoordinatorHost() = default;
  virtual void callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) = 0;
  virtual void callAfter(Duration delay, MoveFunction<void()> then) = 0;
  /// Of this source or another.
  virtual void backlogChanged() = 0;
};

class SourceCoordinator final : private SplitEnumeratorContext {
 public:
  SourceCoordinator(const JobVertex& vertex, Worker& worker, Env& env, CoordinatorHost& host);

  /// `state` is what snapshot() gave in an earlier attempt; empty for a fresh start. Readers that had
  /// `finished` then are not coming back.
  void start(const std::string& state, const std::vector<bool>& finished);
  void handleSplitRequest(SubtaskIndex reader);
  void handleSourceEvent(SubtaskIndex reader, const std::string& event);
  /// For a checkpoint; in the step that sends the readers its trigger.
  std::string snapshot();
  const JobVertex& vertex() const { return vertex_; }
  bool backlog() const { return backlog_; }

 private:
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
  Worker& worker_;
  Env& env_;
  CoordinatorHost& host_;
  bool backlog_ = false;
  std::unique_ptr<SplitEnumerator> enumerator_;
};

}  // namespace flott
