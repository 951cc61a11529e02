// What a rich function sees of its surroundings: who it is, its state, metrics and accumulators.
//
// Passed to open() and to process functions' contexts; used on the task's thread only. State handles, metrics
// and accumulators are got once, in open().
#pragma once

#include <string>

#include "flott/base/config.h"
#include "flott/operators/accumulators.h"
#include "flott/operators/context.h"
#include "flott/operators/metrics.h"
#include "flott/state/keyed_backend.h"

namespace flott {

class RuntimeContext {
 public:
  /// `accumulators`, when given, are used in place of the task's.
  explicit RuntimeContext(OperatorContext& context, KeyedStateBackend* keyed = nullptr,
                          Accumulators* accumulators = nullptr)
      : context_(context),
        keyed_(keyed),
        accumulators_(accumulators != nullptr ? *accumulators : context.accumulators()) {}

  /// Index of this parallel instance, from 0.
  int subtaskIndex() const { return context_.info().subtask.value; }
  int parallelism() const { return context_.info().parallelism; }
  int maxParallelism() const { return context_.info().maxParallelism; }
  int attemptNumber() const { return context_.info().attempt; }
  const std::string& operatorName() const { return context_.info().name; }
  const std::string& jobName() const { return context_.info().jobName; }
  const Configuration& configuration() const { return context_.configuration(); }

  /// What the environment was given for all functions, by key.
  StringMap getGlobalJobParameters() const;
  /// Path of a file or folder that the environment registered under this name. Throws Error(kUser) that names
  /// the nearest when there is none.
  std::string getCachedFile(const std::string& name) const;

  Counter& counter(const std::string& name) { return context_.metrics().counter(name); }
  Gauge& gauge(const std::string& name) { return context_.metrics().gauge(name); }
  Meter& meter(const std::string& name) { return context_.metrics().meter(name); }
  Histogram& histogram(const std::string& name) { return context_.metrics().histogram(name); }

  template <typename A>
  A& accumulator(const std::string& name) {
    return accumulators_.get<A>(name);
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
  Accumulators& accumulators_;
};

}  // namespace flott
