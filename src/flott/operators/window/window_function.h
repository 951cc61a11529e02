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

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "flott/operators/function.h"
#include "flott/operators/process_functions.h"
#include "flott/operators/side_output.h"
#include "flott/operators/window/windows.h"

namespace flott {

[[noreturn]] void throwNoStateOfMergingWindows();

/// Keyed states for the current key: of one window, or of the key over all its windows.
class StatesOfKey {
 public:
  StatesOfKey(KeyedStateBackend& backend, std::optional<int64_t> window)
      : backend_(backend), window_(window) {}

  /// A handle by descriptor, as from the runtime context; good during the call.
  template <typename Descriptor>
  auto state(const Descriptor& descriptor) const {
    return window_ ? backend_.stateIn(*window_, descriptor) : backend_.state(descriptor);
  }

 private:
  KeyedStateBackend& backend_;
  std::optional<int64_t> window_;
};

/// What a window function sees beside the records. Good during the call it is passed to.
template <Window W>
class BasicWindowContext {
 public:
  const W& window() const { return window_; }
  /// Timestamp::min() before the first watermark.
  Timestamp currentWatermark() const { return watermark_; }
  /// As of the beginning of this step.
  Timestamp currentProcessingTime() const { return processingTime_; }

  /// State of this window of the key; it ends with the window. Throws Error(kUser) for windows that merge.
  StatesOfKey windowState() const {
    if (windowsMerge_) throwNoStateOfMergingWindows();
    return {*keyed_, windowNumber(window_)};
  }
  /// State of the key, shared by its windows: the same as that of the runtime context.
  StatesOfKey globalState() const { return {*keyed_, std::nullopt}; }

  /// To a side output, with the timestamp of the window's results.
  template <typename T>
  void output(const OutputTag<T>& tag, const std::type_identity_t<T>& value) {
    sides_->emit(tag, value);
  }
  template <typename T>
  void output(const OutputTag<T>& tag, std::type_identity_t<T>&& value) {
    sides_->emit(tag, std::move(value));
  }

  // What follows is for operators.

  void open(KeyedStateBackend& keyed, SideOutputs& sides, bool windowsMerge) {
    keyed_ = &keyed;
    sides_ = &sides;
    windowsMerge_ = windowsMerge;
  }
  void setTimes(Timestamp watermark, Timestamp processingTime) {
    watermark_ = watermark;
    processingTime_ = processingTime;
  }
  void setWindow(const W& window) { window_ = window; }

 private:
  W window_{};
  Timestamp watermark_;
  Timestamp processingTime_;
  KeyedStateBackend* keyed_ = nullptr;
  SideOutputs* sides_ = nullptr;
  bool windowsMerge_ = false;
};

/// Of functions over windows of time.
using WindowContext = BasicWindowContext<TimeWindow>;
using GlobalWindowContext = BasicWindowContext<GlobalWindow>;

/// State of the runtime context is that of the key, shared by its windows.
template <typename In, typename Out, typename K, typename W = TimeWindow>
class ProcessWindowFunction : public RichFunction {
 public:
  using Result = Out;
  using Context = BasicWindowContext<W>;

  virtual void process(const K& key, Context& context, std::span<const In> elements, Collector<Out>& out) = 0;
  /// The window of the current key has ended and is forgotten. Its state goes by itself; this is for other
  /// state that the function keeps because of it.
  virtual void clear(Context&) {}
};

/// For windows over all records of a stream.
template <typename In, typename Out, typename W = TimeWindow>
class ProcessAllWindowFunction : public RichFunction {
 public:
  using Result = Out;
  using Context = BasicWindowContext<W>;

  virtual void process(Context& context, std::span<const In> elements, Collector<Out>& out) = 0;
  /// The window has ended and is forgotten. Its state goes by itself.
  virtual void clear(Context&) {}
};

template <typename F, typename K, typename In, typename Out, typename W = TimeWindow>
concept WindowFunctionClass = requires(F& f, const K& key, BasicWindowContext<W>& c, std::span<const In> in,
                                       Collector<Out>& out) {
  f.process(key, c, in, out);
};
template <typename F, typename K, typename In, typename Out, typename W = TimeWindow>
concept WindowLambda = requires(F& f, const K& key, BasicWindowContext<W>& c, std::span<const In> in,
                                Collector<Out>& out) {
  f(key, c, in, out);
};
template <typename F, typename In, typename Out, typename W = TimeWindow>
concept AllWindowFunctionClass = requires(F& f, BasicWindowContext<W>& c, std::span<const In> in,
                                          Collector<Out>& out) {
  f.process(c, in, out);
};
template <typename F, typename In, typename Out, typename W = TimeWindow>
concept AllWindowLambda = requires(F& f, BasicWindowContext<W>& c, std::span<const In> in,
                                   Collector<Out>& out) {
  f(c, in, out);
};

// Emissions: what is done with a window's result.

/// The result itself goes out.
template <typename R>
struct EmitResult {
  using Out = R;
  template <typename K, typename W>
  void operator()(const K&, BasicWindowContext<W>&, const R& result, Collector<Out>& out) {
    out.collect(result);
  }
  template <typename K, typename W>
  void operator()(const K&, BasicWindowContext<W>&, R&& result, Collector<Out>& out) {
    out.collect(std::move(result));
  }
};

/// A pair of the key and the result.
template <typename K, typename R>
struct EmitWithKey {
  using Out = std::pair<K, R>;
  template <typename W>
  void operator()(const K& key, BasicWindowContext<W>&, const R& result, Collector<Out>& out) {
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
  template <typename K, typename W, typename In>
  void operator()(const K& key, BasicWindowContext<W>& context, std::span<const In> elements,
                  Collector<Out>& out) {
    if constexpr (WindowFunctionClass<F, K, In, Out, W>) {
      function.process(key, context, elements, out);
    } else if constexpr (AllWindowFunctionClass<F, In, Out, W>) {
      function.process(context, elements, out);
    } else if constexpr (WindowLambda<F, K, In, Out, W>) {
      function(key, context, elements, out);
    } else {
      function(context, elements, out);
    }
  }
  template <typename K, typename W, typename In>
  void operator()(const K& key, BasicWindowContext<W>& context, const In& result, Collector<Out>& out) {
    (*this)(key, context, std::span<const In>(&result, 1), out);
  }
  /// The window of the current key has ended.
  template <typename W>
  requires requires(F& f, BasicWindowContext<W>& context) { f.clear(context); }
  void clear(BasicWindowContext<W>& context) { function.F::clear(context); }
};

}  // namespace flott
