// For tests of checkpoints: a job that counts under ten keys, and what its checkpoints hold.
#pragma once

#include <memory>
#include <string>

#include "flott/base/bytes.h"
#include "flott/runtime/tests/test_job.h"
#include "flott/state/keyed_backend.h"

namespace flott {

// NumbersReader whose position is in its snapshot, as a split.
class PositionReader : public ReaderWithoutSplits {
 public:
  explicit PositionReader(int64_t count) : count_(count) {}
  Poll poll(Output& output) override {
    if (next_ >= count_) return Poll::kEnd;
    Batch batch = rowsPool<int64_t>(context_->pools()).acquire();
    for (int i = 0; i < 7 && next_ < count_; ++i) batch.rows<int64_t>().emplace(next_++);
    output.emit(std::move(batch));
    return Poll::kMore;
  }
  void addSplits(std::vector<SourceSplit> splits) override { next_ = std::stoll(splits.at(0).state); }
  std::vector<SourceSplit> snapshot() override { return {{.id = "numbers", .state = std::to_string(next_)}}; }

 private:
  int64_t count_;
  int64_t next_ = 0;
};

// Counts records in keyed state, under ten keys.
class CountByKey final : public Operator {
 public:
  void open(OperatorContext& context) override {
    state_ = &context.keyedState(typeOps<int64_t>());
    count_ = state_->state(ValueStateDescriptor<int64_t>("count"));
  }
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      const int64_t key = record % 10;
      state_->setCurrentKey(hashKey(key), key);
      count_.set(count_.get() + 1);
    }
    return Step::kDone;
  }

 private:
  KeyedStateBackend* state_ = nullptr;
  ValueState<int64_t> count_;
};

class ByRecord final : public KeyHasher {
 public:
  void hash(Batch& batch) const override {
    Rows<int64_t>& rows = batch.rows<int64_t>();
    rows.enableHashes();
    for (size_t i = 0; i < rows.size(); ++i) rows.hashes()[i] = hashKey(rows[i] % 10);
  }
  std::string keyText(const Batch& batch, size_t i) const override {
    return std::to_string(batch.rows<int64_t>()[i] % 10);
  }
};

template <typename Op>
std::shared_ptr<const OperatorFactory> make() {
  auto create = [] { return std::make_unique<Op>(); };
  return std::make_shared<MadeBy<decltype(create)>>(std::move(create));
}

inline JobGraph countingJob(int64_t records, int sources, int counters) {
  Pipeline pipeline(readBy(PositionReader(records)), sources);
  pipeline.then("pass", passOn(), sources)
      .then("count", make<CountByKey>(), counters, PartitionKind::kHash,
            {.kind = PartitionKind::kHash, .hasher = std::make_shared<ByRecord>()});
  return pipeline.job();
}

inline int64_t countedIn(const StateHandle& keyed) {
  RestoredKeyedState restored;
  restored.add(keyed.inlined, {0, 128});
  KeyedStateBackend backend(typeOps<int64_t>(), {}, std::move(restored));
  int64_t sum = 0;
  backend.applyToAllKeys<int64_t>(ValueStateDescriptor<int64_t>("count"),
                                  [&](int64_t, ValueState<int64_t>& count) { sum += count.get(); });
  return sum;
}

inline int64_t positionIn(const StateHandle& operatorState) {
  ByteReader in(operatorState.inlined);
  const OperatorStateImage image = OperatorStateImage::decode(in);
  ByteReader split(image.states.at(0).items.at(0));
  split.string();
  return std::stoll(std::string(split.string()));
}

/// Triggers checkpoints 1 to `count` at moments that the seed chooses.
inline void triggerSome(TestWorker& test, int count, Timestamp overtakesFrom = Timestamp::max()) {
  auto last = std::make_shared<uint64_t>(0);
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(test.sim.offload().submit("trigger", [&test, last, overtakesFrom] {
      const Barrier barrier{.checkpoint = CheckpointId(++*last),
                            .triggered = test.sim.clock().wallTime(),
                            .overtakesFrom = overtakesFrom};
      for (const auto& task : test.worker->tasks()) task->triggerCheckpoint(barrier);
    }));
  }
}

}  // namespace flott
