// The classes that users derive from to write process functions.
//
// A function sees each record with a context, puts out any number of records, and on keyed streams sets
// timers. Each parallel instance has a copy of the object that was passed to process(…); open() comes before
// and close() after everything else, all on the task's thread, one call at a time. What a function throws
// fails the job with the record or timer it happened at. The engine knows the most derived class and calls it
// directly.
//
//   class Dedup : public KeyedProcessFunction<UserId, Click, Click> {
//     ValueState<bool> seen_;
//    public:
//     void open(RuntimeContext& ctx) override { seen_ = ctx.state(ValueStateDescriptor<bool>("seen")); }
//     void processElement(const Click& click, Context& ctx, Collector<Click>& out) override {
//       if (!seen_.get()) { seen_.set(true); out.collect(click); }
//     }
//   };
#pragma once

#include "flott/operators/collector.h"
#include "flott/operators/process_context.h"
#include "flott/operators/runtime_context.h"

namespace flott {

/// What all of them have.
class RichFunction {
 public:
  virtual ~RichFunction() = default;
  /// In every attempt: get state, metrics and accumulators here.
  virtual void open(RuntimeContext&) {}
  /// Always the last call, also after a failure; must not throw.
  virtual void close() {}
};

template <typename In, typename Out>
class ProcessFunction : public RichFunction {
 public:
  using Context = ProcessContext;

  virtual void processElement(const In& record, Context& ctx, Collector<Out>& out) = 0;
};

template <typename K, typename In, typename Out>
class KeyedProcessFunction : public RichFunction {
 public:
  using Context = KeyedProcessContext<K>;
  using OnTimerContext = TimerContext<K>;

  virtual void processElement(const In& record, Context& ctx, Collector<Out>& out) = 0;
  /// A timer of the current key, set for `at`, is due; it is then no longer set. Results carry `at` as their
  /// timestamp for an event-time timer and none for a processing-time one.
  virtual void onTimer(Timestamp, OnTimerContext&, Collector<Out>&) {}
};

template <typename In1, typename In2, typename Out>
class CoProcessFunction : public RichFunction {
 public:
  using Context = ProcessContext;

  virtual void processElement1(const In1& record, Context& ctx, Collector<Out>& out) = 0;
  virtual void processElement2(const In2& record, Context& ctx, Collector<Out>& out) = 0;
};

/// Both inputs share state and timers of a key.
template <typename K, typename In1, typename In2, typename Out>
class KeyedCoProcessFunction : public RichFunction {
 public:
  using Context = KeyedProcessContext<K>;
  using OnTimerContext = TimerContext<K>;

  virtual void processElement1(const In1& record, Context& ctx, Collector<Out>& out) = 0;
  virtual void processElement2(const In2& record, Context& ctx, Collector<Out>& out) = 0;
  /// As KeyedProcessFunction's.
  virtual void onTimer(Timestamp, OnTimerContext&, Collector<Out>&) {}
};

}  // namespace flott
