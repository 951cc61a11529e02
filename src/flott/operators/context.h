// What an operator may ask of its task.
//
// The runtime implements it, one object for each operator instance; tests use the harness. Every call comes
// from the task's own thread, from open() to close().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/pool.h"
#include "flott/operators/accumulators.h"
#include "flott/operators/metrics.h"

namespace flott {

class Configuration;
struct Env;
class KeyedStateBackend;
class OperatorStateBackend;
struct TypeOps;

/// Who this operator instance is.
struct OperatorInfo {
  std::string jobName;
  std::string name;
  std::string uid;  // empty when the user gave none
  OperatorId id;
  SubtaskIndex subtask;
  int parallelism = 1;
  int maxParallelism = 128;
  int attempt = 0;
  /// The same in all attempts of the job, another one for each start.
  std::string jobId = {};
};

class OperatorContext {
 public:
  virtual ~OperatorContext() = default;

  virtual const OperatorInfo& info() const = 0;
  virtual const Configuration& configuration() const = 0;
  /// For connectors, to reach files, network and console. Nothing that blocks, except through offload().
  virtual Env& env() = 0;
  /// The lane's pools of batches.
  virtual BatchPools& pools() = 0;
  virtual MetricGroup& metrics() = 0;
  virtual Accumulators& accumulators() = 0;

  /// Keyed state of this operator, for keys described by `key`. The first call makes it; later ones must ask
  /// for the same type of key.
  virtual KeyedStateBackend& keyedState(const TypeOps& key) = 0;
  virtual OperatorStateBackend& operatorState() = 0;

  /// Processing time as of the beginning of this step: one clock read a step, not one a call.
  virtual Timestamp processingTime() const = 0;
  /// Calls onProcessingTime once, when processing time has reached `at`. There is one alarm: the last call
  /// decides.
  virtual void setAlarm(Timestamp at) = 0;
  /// The monotonic clock as of the beginning of this step.
  virtual int64_t monotonicNanos() const = 0;
  /// The same clock without the time during which back-pressure kept the task from taking input.
  virtual int64_t availableNanos() const = 0;
  /// Calls resume() once in a later step, when the output has room. For operators that wait for off-loaded
  /// work.
  virtual void askToResume() = 0;
  /// As askToResume(), once the monotonic clock has reached `nanos`: for waits that an alarm is too coarse
  /// for. Replaces the time of an earlier call.
  virtual void wakeAtNanos(int64_t nanos) = 0;
  /// What it returns does the same as askToResume(), but may be called on any thread, until close().
  virtual MoveFunction<void()> resumeFromAnyThread() = 0;

  /// Runs `work` on a thread where it may block, then `done` on the task's own thread in a later step. `work`
  /// must not touch the operator. An exception of `work` fails the task. When the pool's queue is full the
  /// task tries again.
  virtual void offload(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) = 0;

  virtual void warn(const std::string& text) = 0;
};

}  // namespace flott
