// A job that sums numbers under a few keys, and crashes on request: what it tells at the end is known.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "flott/master/tests/recovery_world.h"
#include "flott/state/keyed_backend.h"

namespace flott {

inline constexpr int64_t kKeys = 23;

class ByRest final : public KeyHasher {
 public:
  void hash(Batch& batch) const override {
    Rows<int64_t>& rows = batch.rows<int64_t>();
    rows.enableHashes();
    for (size_t i = 0; i < rows.size(); ++i) rows.hashes()[i] = hashKey(rows[i] % kKeys);
  }
};

/// Outside of the job: survives its attempts.
struct Outside {
  std::map<int64_t, int64_t> totals;  // by key, as last told
  int64_t untilCrash = 0;             // records; 0: never
  int crashes = 0;
  MoveFunction<void()> onCrash = {};
};

// Sums under kKeys keys, and tells the sums at the end.
class SumByKey final : public Operator {
 public:
  explicit SumByKey(std::shared_ptr<Outside> outside) : outside_(std::move(outside)) {}
  void open(OperatorContext& context) override {
    state_ = &context.keyedState(typeOps<int64_t>());
    sum_ = state_->state(ValueStateDescriptor<int64_t>("sum"));
  }
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      if (outside_->untilCrash > 0 && --outside_->untilCrash == 0) {
        ++outside_->crashes;
        if (outside_->onCrash) outside_->onCrash();
        throw std::runtime_error("crash");
      }
      const int64_t key = record % kKeys;
      state_->setCurrentKey(hashKey(key), key);
      sum_.set(sum_.get() + record);
    }
    return Step::kDone;
  }
  Step onEndOfInput(int, Output&) override {
    state_->applyToAllKeys<int64_t>(
        ValueStateDescriptor<int64_t>("sum"),
        [&](int64_t key, ValueState<int64_t>& sum) { outside_->totals[key] = sum.get(); });
    return Step::kDone;
  }

 private:
  std::shared_ptr<Outside> outside_;
  KeyedStateBackend* state_ = nullptr;
  ValueState<int64_t> sum_;
};

inline std::map<int64_t, int64_t> expected(int64_t count) {
  std::map<int64_t, int64_t> sums;
  for (int64_t i = 0; i < count; ++i) sums[i % kKeys] += i;
  return sums;
}

struct JobShape {
  int sources = 1;
  int sums = 1;
  int passes = 0;  // in between, behind an exchange by turns; 0: in the sources' tasks
  Handout handout = Handout::kOnRequest;
};

inline JobGraph summing(int64_t count, const JobShape& shape, const std::shared_ptr<Outside>& outside) {
  Pipeline pipeline(sourceOf(Ranges(count, shape.handout), "numbers").factory, shape.sources);
  auto make = [outside] { return std::make_unique<SumByKey>(outside); };
  const bool apart = shape.passes > 0;
  pipeline
      .then("pass", passOn(), apart ? shape.passes : shape.sources,
            apart ? std::optional(PartitionKind::kRebalance) : std::nullopt)
      .then("sum", std::make_shared<MadeBy<decltype(make)>>(std::move(make)), shape.sums,
            PartitionKind::kHash, {.kind = PartitionKind::kHash, .hasher = std::make_shared<ByRest>()});
  return pipeline.job();
}

}  // namespace flott
