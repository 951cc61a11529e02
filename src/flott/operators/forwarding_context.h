// A context that passes every call on to another one: for operators that give a part of themselves, such as
// a sink's writer, a context that differs in a few calls. Used on the task's thread; the inner context
// outlives it.
//
//   class Quiet final : public ForwardingContext {
//     using ForwardingContext::ForwardingContext;
//     void warn(const std::string&) override {}
//   };
#pragma once

#include <string>
#include <utility>

#include "flott/operators/context.h"

namespace flott {

class ForwardingContext : public OperatorContext {
 public:
  explicit ForwardingContext(OperatorContext& inner) : inner_(inner) {}

  const OperatorInfo& info() const override { return inner_.info(); }
  const Configuration& configuration() const override { return inner_.configuration(); }
  Env& env() override { return inner_.env(); }
  BatchPools& pools() override { return inner_.pools(); }
  MetricGroup& metrics() override { return inner_.metrics(); }
  Accumulators& accumulators() override { return inner_.accumulators(); }
  KeyedStateBackend& keyedState(const TypeOps& key) override { return inner_.keyedState(key); }
  OperatorStateBackend& operatorState() override { return inner_.operatorState(); }
  Timestamp processingTime() const override { return inner_.processingTime(); }
  void setAlarm(Timestamp at) override { inner_.setAlarm(at); }
  int64_t monotonicNanos() const override { return inner_.monotonicNanos(); }
  int64_t availableNanos() const override { return inner_.availableNanos(); }
  void askToResume() override { inner_.askToResume(); }
  void wakeAtNanos(int64_t nanos) override { inner_.wakeAtNanos(nanos); }
  MoveFunction<void()> resumeFromAnyThread() override { return inner_.resumeFromAnyThread(); }
  void offload(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) override {
    inner_.offload(std::move(what), std::move(work), std::move(done));
  }
  void warn(const std::string& text) override { inner_.warn(text); }

 protected:
  OperatorContext& inner() { return inner_; }

 private:
  OperatorContext& inner_;
};

}  // namespace flott
