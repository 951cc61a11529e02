// Small jobs for the tests of tasks, workers and schedulers: operators from lambdas, a source of numbers, a
// sink that keeps what each subtask got, and a worker under the deterministic scheduler without a master.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/config.h"
#include "flott/data/rows.h"
#include "flott/env/simulated.h"
#include "flott/graph/job_graph.h"
#include "flott/runtime/scheduler.h"
#include "flott/runtime/worker.h"

namespace flott {

/// Operators made by a lambda that returns unique_ptr<Operator>.
template <typename Make>
class MadeBy final : public OperatorFactory {
 public:
  explicit MadeBy(Make make) : make_(std::move(make)) {}
  std::unique_ptr<Operator> create() const override { return make_(); }

 private:
  Make make_;
};

/// An operator whose onBatch is a lambda: f(Batch, Output&) -> Step, or void for kDone.
template <typename F>
class BatchOperator final : public Operator {
 public:
  explicit BatchOperator(F function) : function_(std::move(function)) {}
  Step onBatch(int, Batch batch, Output& output) override {
    if constexpr (std::is_void_v<decltype(function_(std::move(batch), output))>) {
      function_(std::move(batch), output);
      return Step::kDone;
    } else {
      return function_(std::move(batch), output);
    }
  }

 private:
  F function_;
};

template <typename F>
std::shared_ptr<const OperatorFactory> batchOperator(F function) {
  auto make = [function] { return std::make_unique<BatchOperator<F>>(function); };
  return std::make_shared<MadeBy<decltype(make)>>(std::move(make));
}
inline std::shared_ptr<const OperatorFactory> passOn() {
  return batchOperator([](Batch batch, Output& output) { output.emit(std::move(batch)); });
}

/// What the subtasks of a sink got. Each subtask writes its own part only.
struct Kept {
  std::vector<std::vector<int64_t>> bySubtask = std::vector<std::vector<int64_t>>(16);

  std::vector<int64_t> all() const {
    std::vector<int64_t> records;
    for (const auto& part : bySubtask) records.insert(records.end(), part.begin(), part.end());
    std::sort(records.begin(), records.end());
    return records;
  }
};

class KeepingSink final : public Operator {
 public:
  explicit KeepingSink(std::shared_ptr<Kept> kept) : kept_(std::move(kept)) {}
  void open(OperatorContext& context) override {
    mine_ = &kept_->bySubtask[static_cast<size_t>(context.info().subtask.value)];
  }
  Step onBatch(int, Batch batch, Output&) override {
    const Rows<int64_t>& rows = batch.rows<int64_t>();
    mine_->insert(mine_->end(), rows.begin(), rows.end());
    return Step::kDone;
  }

 private:
  std::shared_ptr<Kept> kept_;
  std::vector<int64_t>* mine_ = nullptr;
};

inline std::shared_ptr<const OperatorFactory> keepIn(std::shared_ptr<Kept> kept) {
  auto make = [kept] { return std::make_unique<KeepingSink>(kept); };
  return std::make_shared<MadeBy<decltype(make)>>(std::move(make));
}

class NoEnumerator : public SplitEnumerator {
 public:
  void start(SplitEnumeratorContext&) override {}
  void addReader(SubtaskIndex) override {}
  void handleSplitRequest(SubtaskIndex) override {}
  void addSplitsBack(std::vector<SourceSplit>, SubtaskIndex) override {}
  std::string snapshot() const override { return {}; }
};

/// Readers of class R and enumerators of class E, both made without arguments or by copying `reader`.
template <typename R, typename E = NoEnumerator>
class TestSource final : public SourceFactory {
 public:
  explicit TestSource(R reader) : reader_(std::move(reader)) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<E>();
  }
  std::unique_ptr<SourceReader> createReader() const override { return std::make_unique<R>(reader_); }

 private:
  R reader_;
};

class ReaderWithoutSplits : public SourceReader {
 public:
  void open(SourceReaderContext& context) override { context_ = &context; }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 protected:
  SourceReaderContext* context_ = nullptr;
};

/// The numbers from subtask × `each` on, `each` of them, in batches of changing size.
class NumbersReader final : public ReaderWithoutSplits {
 public:
  explicit NumbersReader(int64_t each) : each_(each) {}
  Poll poll(Output& output) override {
    if (next_ == each_) return Poll::kEnd;
    Batch batch = rowsPool<int64_t>(context_->pools()).acquire();
    for (int64_t i = 0; i <= next_ % 50 && next_ < each_; ++i)
      batch.rows<int64_t>().emplace(context_->info().subtask.value * each_ + next_++);
    output.emit(std::move(batch));
    return Poll::kMore;
  }

 private:
  int64_t each_;
  int64_t next_ = 0;
};

inline std::shared_ptr<const SourceFactory> numbers(int64_t each) {
  return std::make_shared<TestSource<NumbersReader>>(NumbersReader(each));
}
template <typename R>
std::shared_ptr<const SourceFactory> readBy(R reader) {
  return std::make_shared<TestSource<R>>(std::move(reader));
}

/// Nodes one behind the other; the last is a sink.
class Pipeline {
 public:
  explicit Pipeline(std::shared_ptr<const SourceFactory> source, int parallelism = 1) {
    StreamNode node{.id = 1, .kind = NodeKind::kSource, .name = "source"};
    node.source = std::move(source);
    node.outputPool = &rowsPool<int64_t>;
    node.parallelism = parallelism;
    graph.jobName = "job";
    graph.nodes.push_back(std::move(node));
  }
  Pipeline& then(std::string name, std::shared_ptr<const OperatorFactory> op, int parallelism = 1,
                 std::optional<PartitionKind> kind = {}, Partitioning partitioning = {}) {
    StreamNode node{.id = static_cast<int>(graph.nodes.size()) + 1, .name = std::move(name)};
    node.op = std::move(op);
    node.outputPool = &rowsPool<int64_t>;
    node.parallelism = parallelism;
    node.inputs.push_back({.from = node.id - 1, .kind = kind, .partitioning = std::move(partitioning)});
    graph.nodes.push_back(std::move(node));
    return *this;
  }
  JobGraph job() {
    graph.nodes.back().kind = NodeKind::kSink;
    return compile(graph);
  }

  StreamGraph graph;
};

/// A worker whose tasks are stepped by the seed until all have ended.
class TestWorker final : public MasterGateway {
 public:
  explicit TestWorker(JobGraph job, uint64_t seed = 1, WorkerOptions options = {},
                      Configuration configuration = {}, RestoredJob restored = {})
      : sim(seed),
        env_(sim.env()),
        configuration_(std::move(configuration)),
        job_(std::move(job)),
        scheduler(sim, 1, {.seed = seed, .maxSteps = 2'000'000}) {
    Placement placement;
    for (const JobVertex& vertex : job_.vertices)
      placement.laneOf.emplace_back(static_cast<size_t>(vertex.parallelism), 0);
    worker.emplace(job_, configuration_, std::move(placement), options, env_, *this, std::move(restored));
    worker->deploy(scheduler);
  }

  void onTaskEnded(TaskId task, TaskState state, std::optional<Error> error, Accumulators) override {
    std::string text = job_.vertices[static_cast<size_t>(task.vertex)].name + " " +
                       std::to_string(task.subtask.value + 1) + " " + std::string(toString(state));
    if (error) text += ": " + std::string(error->what());
    ends.push_back(std::move(text));
  }
  void reportDamaged(TaskId, Error what) override { damaged.push_back(what.what()); }
  void requestSplit(TaskId) override { ++splitRequests; }
  void sendSourceEvent(TaskId, std::string event) override { events.push_back(std::move(event)); }
  void reportWatermark(TaskId, Timestamp) override {}
  void acknowledgeCheckpoint(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot) override {
    acknowledged[checkpoint].emplace(std::pair(task.vertex, task.subtask.value), std::move(snapshot));
  }
  void awaitFinalCheckpoint(TaskId) override { ++awaitingFinal; }
  void declineCheckpoint(TaskId, CheckpointId checkpoint, Error reason) override {
    declined.push_back(std::to_string(checkpoint.value) + ": " + reason.what());
  }

  SimulatedEnv sim;

 private:
  Env env_;
  const Configuration configuration_;
  const JobGraph job_;

 public:
  DeterministicScheduler scheduler;
  std::optional<Worker> worker;
  std::vector<std::string> ends;
  std::vector<std::string> events;
  int splitRequests = 0;
  int awaitingFinal = 0;  // reports
  /// By vertex and subtask.
  std::map<CheckpointId, std::map<std::pair<int, int>, TaskSnapshot>> acknowledged;
  std::vector<std::string> damaged;
  std::vector<std::string> declined;
};

}  // namespace flott
