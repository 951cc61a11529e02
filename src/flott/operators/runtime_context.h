// What a rich function sees of its surroundings: who it is, its state, metrics and accumulators.
//
// Passed to open() and to process functions' contexts; used on the task's thread only. State handles, metrics
// and accumulators are got once, in open().
#pragma once

#include <string>

#include "flott/operators/accumulators.h"
#include "flott/operators/context.h"
#include "flott/operators/metrics.h"
#include "flott/state/keyed_backend.h"

namespace flott {

class RuntimeContext {
 public:
  explicit RuntimeContext(OperatorContext& context, KeyedStateBackend* keyed = nullptr)
      : context_(context), keyed_(keyed) {}

  /// Index of this parallel instance, from 0.
  int subtaskIndex() const { return context_.info().subtask.value; }
  int parallelism() const { return context_.info().parallelism; }
  int maxParallelism() const { return context_.info().maxParallelism; }
  int attemptNumber() const { return context_.info().attempt; }
  const std::string& operatorName() const { return context_.info().name; }
  const std::string& jobName() const { return context_.info().jobName; }
  const Configuration& configuration() const { return context_.configuration(); }

  Counter& counter(const std::string& name) { return context_.metrics().counter(name); }
  Gauge& gauge(const std::string& name) { return context_.metrics().gauge(name); }
  Meter& meter(const std::string& name) { return context_.metrics().meter(name); }
  Histogram& histogram(const std::string& name) { return context_.metrics().histogram(name); }

  template <typename A>
  A& accumulator(const std::string& name) {
    return context_.accumulators().get<A>(name);
  }

  /// A handle on keyed state: ValueState, ListState, MapState, ReducingState, AggregatingState by descriptor.
  /// Throws Error(kUser) outside a keyed stream.
  template <typename Descriptor>
  auto state(const Descriptor& descriptor) {
    if (keyed_ == nullptr) failNotKeyed(descriptor.name());
    return keyed_->state(descriptor);
  }

  OperatorContext& operatorContext() { return context_; }

 private:
  [[noreturn]] static void failNotKeyed(const std::string& state);

  OperatorContext& context_;
  KeyedStateBackend* keyed_;
};

}  // namespace flott
