// What becomes of records that come too late for all of their windows: a side output for those who asked for
// it, else they are dropped and counted in numLateRecordsDropped.
//
// One for each operator instance, used on its task's thread.
#pragma once

#include <optional>
#include <utility>

#include "flott/operators/context.h"
#include "flott/operators/side_output.h"

namespace flott {

/// As the user said it.
template <typename T>
struct LatePolicy {
  Duration allowedLateness{};
  std::optional<OutputTag<T>> sideOutput{};
};

/// Throws Error(kUser) for a lateness that is negative or too long.
Duration checkedLateness(Duration lateness);

template <typename T>
class LateRecords {
 public:
  explicit LateRecords(LatePolicy<T> policy) : tag_(std::move(policy.sideOutput)) {}

  void open(OperatorContext& context, SideOutputs& sides) {
    dropped_ = &context.metrics().counter("numLateRecordsDropped");
    sides_ = &sides;
  }
  void drop(const T& record, int64_t timestamp) {
    if (!tag_) return dropped_->add(1);
    sides_->setTimestamp(timestamp);
    sides_->emit(*tag_, record);
  }

 private:
  std::optional<OutputTag<T>> tag_;
  Counter* dropped_ = nullptr;
  SideOutputs* sides_ = nullptr;
};

}  // namespace flott
