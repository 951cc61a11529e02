// What a user's window function is and sees, and how a window's result is put out.
//
// A window function is called once for each key and window that fires, with all that the window holds: its
// records in the order of arrival or, behind an incremental aggregation, the one result of that. A lambda
// with the same parameters will do, too.
//
//   struct TopClick : ProcessWindowFunction<Click, Top, std::string> {
//     void process(const std::string& user, Context& ctx, std::span<const Click> clicks,
//                  Collector<Top>& out) override {
//       out.collect({user, ctx.window().start, dearest(clicks)});
//     }
//   };
#pragma once

#include <span>
#include <type_traits>
#include <utility>

#include "flott/operators/function.h"
#include "flott/operators/process_functions.h"
#include "flott/operators/window/time_window.h"

namespace flott {

/// Good during the call it is passed to.
class WindowContext {
 public:
  const TimeWindow& window() const { return window_; }
  /// Timestamp::min() before the first watermark.
  Timestamp currentWatermark() const { return watermark_; }
  /// As of the beginning of this step.
  Timestamp currentProcessingTime() const { return processingTime_; }

  // What follows is for operators.

  void setTimes(Timestamp watermark, Timestamp processingTime) {
    watermark_ = watermark;
    processingTime_ = processingTime;
  }
  void setWindow(const TimeWindow& window) { window_ = window; }

 private:
  TimeWindow window_;
  Timestamp watermark_;
  Timestamp processingTime_;
};

/// State of the runtime context is that of the key, shared by its windows.
template <typename In, typename Out, typename K>
class ProcessWindowFunction : public RichFunction {
 public:
  using Result = Out;
  using Context = WindowContext;

  virtual void process(const K& key, Context& context, std::span<const In> elements, Collector<Out>& out) = 0;
};

/// For windows over all records of a stream.
template <typename In, typename Out>
class ProcessAllWindowFunction : public RichFunction {
 public:
  using Result = Out;
  using Context = WindowContext;

  virtual void process(Context& context, std::span<const In> elements, Collector<Out>& out) = 0;
};

template <typename F, typename K, typename In, typename Out>
concept WindowFunctionClass = requires(F& f, const K& key, WindowContext& c, std::span<const In> in,
                                       Collector<Out>& out) {
  f.process(key, c, in, out);
};
template <typename F, typename K, typename In, typename Out>
concept WindowLambda = requires(F& f, const K& key, WindowContext& c, std::span<const In> in,
                                Collector<Out>& out) {
  f(key, c, in, out);
};
template <typename F, typename In, typename Out>
concept AllWindowFunctionClass = requires(F& f, WindowContext& c, std::span<const In> in,
                                          Collector<Out>& out) {
  f.process(c, in, out);
};
template <typename F, typename In, typename Out>
concept AllWindowLambda = requires(F& f, WindowContext& c, std::span<const In> in, Collector<Out>& out) {
  f(c, in, out);
};

// Emissions: what is done with a window's result.

/// The result itself goes out.
template <typename R>
struct EmitResult {
  using Out = R;
  template <typename K>
  void operator()(const K&, WindowContext&, const R& result, Collector<Out>& out) {
    out.collect(result);
  }
  template <typename K>
  void operator()(const K&, WindowContext&, R&& result, Collector<Out>& out) {
    out.collect(std::move(result));
  }
};

/// A pair of the key and the result.
template <typename K, typename R>
struct EmitWithKey {
  using Out = std::pair<K, R>;
  void operator()(const K& key, WindowContext&, const R& result, Collector<Out>& out) {
    out.emplace(key, result);
  }
};

/// A window function, which gets the result as its elements.
template <typename R, typename F>
struct EmitByFunction {
  using Out = R;
  F function;

  void open(RuntimeContext& context) { openFunction(function, context); }
  void close() { closeFunction(function); }
  template <typename K, typename In>
  void operator()(const K& key, WindowContext& context, std::span<const In> elements, Collector<Out>& out) {
    if constexpr (WindowFunctionClass<F, K, In, Out>) {
      function.process(key, context, elements, out);
    } else if constexpr (AllWindowFunctionClass<F, In, Out>) {
      function.process(context, elements, out);
    } else if constexpr (WindowLambda<F, K, In, Out>) {
      function(key, context, elements, out);
    } else {
      function(context, elements, out);
    }
  }
  template <typename K, typename In>
  void operator()(const K& key, WindowContext& context, const In& result, Collector<Out>& out) {
    (*this)(key, context, std::span<const In>(&result, 1), out);
  }
};

}  // namespace flott
