// A stream cut into windows, and what can be made of each window.
//
//   clicks.keyBy(&Click::user).window(TumblingEventTimeWindows::of(1h)).sum(&Click::amount)
//   clicks.windowAll(TumblingProcessingTimeWindows::of(5s)).count()
//   clicks.keyBy(&Click::user).window(EventTimeSessionWindows::withGap(30min)).allowedLateness(1h).count()
//
// A window puts out its results when it is complete, with its last millisecond as their timestamp, and again
// for each late record that is allowed. Keyed windows give one result for each key that has records in the
// window. What the windows consist of chooses the operator that keeps them.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/assigners.h"
#include "flott/operators/window/count_window_operator.h"
#include "flott/operators/window/evictors.h"
#include "flott/operators/window/global_windows.h"
#include "flott/operators/window/late_records.h"
#include "flott/operators/window/session_window_operator.h"
#include "flott/operators/window/slice_window_operator.h"
#include "flott/operators/window/triggers.h"
#include "flott/operators/window/window_assigner.h"
#include "flott/operators/window/window_operator.h"

namespace flott {

/// The trigger that an assigner has of itself.
struct DefaultTrigger {};

namespace internal {

template <typename Assigner>
consteval auto usualTrigger() {
  if constexpr (requires(Assigner & assigner) { assigner.defaultTrigger(); }) {
    return std::type_identity<decltype(std::declval<Assigner&>().defaultTrigger())>();
  } else if constexpr (std::is_same_v<WindowOf<Assigner>, GlobalWindow>) {
    return std::type_identity<NeverTrigger>();
  } else if constexpr (Assigner::kDomain == TimeDomain::kEventTime) {
    return std::type_identity<EventTimeTrigger>();
  } else {
    return std::type_identity<ProcessingTimeTrigger>();
  }
}

/// What DefaultTrigger stands for.
template <typename Assigner>
using UsualTrigger = typename decltype(usualTrigger<Assigner>())::type;

template <typename Assigner>
UsualTrigger<Assigner> usualTriggerOf(Assigner assigner) {
  if constexpr (requires { assigner.defaultTrigger(); }) {
    return assigner.defaultTrigger();
  } else {
    return {};
  }
}

/// The record type that a window function puts out; void where it cannot be seen.
template <typename F>
consteval auto windowResult() {
  if constexpr (requires { typename F::Result; }) {
    return std::type_identity<typename F::Result>();
  } else if constexpr (requires { &F::process; }) {
    return std::type_identity<typename CallSignature<decltype(&F::process)>::Collected>();
  } else {
    return std::type_identity<CollectedBy<F>>();
  }
}

/// A function that apply(…) takes, as a window function.
template <typename F, typename W, typename In, typename Out>
struct AppliedToWindow {
  F function;

  void open(RuntimeContext& context) { openFunction(function, context); }
  void close() noexcept { closeFunction(function); }
  /// Whether it can be called, with the key before the window or without one.
  template <typename... Before>
  static constexpr bool kTakes =
      std::invocable<F&, Before..., const W&, std::span<const In>, Collector<Out>&>;

  template <typename K>
  requires(kTakes<const K&>) void operator()(const K& key, BasicWindowContext<W>& context,
                                             std::span<const In> elements, Collector<Out>& out) {
    function(key, context.window(), elements, out);
  }
  void operator()(BasicWindowContext<W>& context, std::span<const In> elements,
                  Collector<Out>& out) requires(kTakes<>) {
    function(context.window(), elements, out);
  }
};

template <typename F, typename K, typename In, typename Out, typename W>
concept WindowFunctionOf = (std::is_same_v<K, NoKey> &&
                            (AllWindowFunctionClass<F, In, Out, W> || AllWindowLambda<F, In, Out, W>)) ||
                           (!std::is_same_v<K, NoKey> &&
                            (WindowFunctionClass<F, K, In, Out, W> || WindowLambda<F, K, In, Out, W>));

}  // namespace internal

/// For windowAll the selector is NoKeySelector<T>.
template <typename T, typename Selector, typename Assigner, typename Trigger, typename Evictor>
class WindowedStream {
 public:
  using Record = T;
  using KeyType = typename Selector::Key;
  using Window = WindowOf<Assigner>;

  WindowedStream(StreamHandle stream, Selector selector, Assigner assigner, Trigger trigger = {},
                 Evictor evictor = {}, LatePolicy<T> late = {})
      : handle_(std::move(stream)),
        selector_(std::move(selector)),
        assigner_(std::move(assigner)),
        trigger_(std::move(trigger)),
        evictor_(std::move(evictor)),
        late_(std::move(late)) {
    static_assert(
        WindowAssigner<Assigner, T>,
        "window: an assigner needs `using Window`, kDomain, kName and assignWindows(const T& record, "
        "Timestamp, AssignerContext&), which returns a window or a range of windows");
  }

  /// Decides when the windows fire (triggers.h), in place of the trigger that the assigner has of itself.
  template <typename Other>
  auto trigger(Other trigger) const {
    constexpr bool kIs = TriggerFor<Other, T, Window>;
    static_assert(kIs,
                  "trigger: the class needs onElement(const T& record, Timestamp, const Window&, "
                  "TriggerContext<State>&), onEventTime and onProcessingTime(Timestamp, const Window&, "
                  "TriggerContext<State>&), all of which return a TriggerResult, and clear(const Window&, "
                  "TriggerContext<State>&)");
    constexpr bool kMerges = !MergingAssigner<Assigner> || MergingTrigger<Other, Window>;
    static_assert(
        kMerges,
        "trigger: windows of this assigner merge, which this trigger is not made for: it needs "
        "onMerge(const Window&, TriggerContext<State>&), and mergeState(State&, const State&) when it "
        "has a State");
    if constexpr (kIs && kMerges) {
      return WindowedStream<T, Selector, Assigner, Other, Evictor>(handle_, selector_, assigner_,
                                                                   std::move(trigger), evictor_, late_);
    }
  }
  /// Decides which records are dropped from a window when it fires (evictors.h). The window then keeps all
  /// its records until it ends.
  template <typename Other>
  auto evictor(Other evictor) const {
    constexpr bool kIs = EvictorFor<Other, T, Window>;
    static_assert(
        kIs,
        "evictor: the class needs evictBefore and evictAfter(std::vector<TimestampedValue<T>>&, const "
        "Window&, EvictorContext&)");
    if constexpr (kIs) {
      return WindowedStream<T, Selector, Assigner, Trigger, Other>(handle_, selector_, assigner_, trigger_,
                                                                   std::move(evictor), late_);
    }
  }

  /// Keeps a window so much longer for late records; each that comes makes it fire again. On event time only.
  /// Throws Error(kUser) when it is negative.
  WindowedStream allowedLateness(Duration lateness) const {
    static_assert(Assigner::kDomain == TimeDomain::kEventTime,
                  "allowedLateness: on processing time no record is late");
    WindowedStream stream = *this;
    stream.late_.allowedLateness = checkedLateness(lateness);
    return stream;
  }
  /// Records that come too late for all of their windows go to this side output of the result, instead of
  /// being dropped and counted.
  WindowedStream sideOutputLateData(const OutputTag<T>& tag) const {
    static_assert(Assigner::kDomain == TimeDomain::kEventTime,
                  "sideOutputLateData: on processing time no record is late");
    WindowedStream stream = *this;
    stream.late_.sideOutput = tag;
    return stream;
  }

  /// Adds up a member; the other members are those of the window's first record of the key. Overflow of an
  /// integer fails the job.
  template <typename N>
  SingleOutputStreamOperator<T> sum(N internal::MembersOf<T>::*member) const {
    return number("Sum", SumOf<T, N>{member});
  }
  /// The smallest value of a member; the other members are those of the window's first record of the key.
  template <typename N>
  SingleOutputStreamOperator<T> min(N internal::MembersOf<T>::*member) const {
    return number("Min", LeastOf<T, N>{member});
  }
  template <typename N>
  SingleOutputStreamOperator<T> max(N internal::MembersOf<T>::*member) const {
    return number("Max", GreatestOf<T, N>{member});
  }
  /// The whole record with the smallest value of a member.
  template <typename N>
  SingleOutputStreamOperator<T> minBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return record("Min By", RecordOfLeast<T, N>{member, tie});
  }
  template <typename N>
  SingleOutputStreamOperator<T> maxBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return record("Max By", RecordOfGreatest<T, N>{member, tie});
  }
  /// (key, number of its records in the window); for windowAll the number alone.
  auto count() const {
    if constexpr (kKeyed) {
      return apply("Count", CountAccumulation<T>(), EmitWithKey<KeyType, int64_t>());
    } else {
      return apply("Count", CountAccumulation<T>(), EmitResult<int64_t>());
    }
  }

  /// f(const T& soFar, const T& record) -> T.
  template <typename F>
  SingleOutputStreamOperator<T> reduce(F function) const {
    return record("Reduce", userReduce(std::move(function)));
  }
  /// The same, and then a window function that gets the one result as its elements.
  template <typename Out = void, typename F, typename W>
  auto reduce(F function, W windowFunction) const {
    return applyFunction<Out, T>("Reduce, Process",
                                 RecordAccumulation<T, UserReduce<T, F>>{userReduce(std::move(function))},
                                 std::move(windowFunction));
  }

  /// An aggregate function: createAccumulator() -> Acc, add(const T&, Acc&), getResult(const Acc&) -> Result.
  template <typename F>
  auto aggregate(F function) const {
    if constexpr (requireAggregate<F>()) {
      return apply("Aggregate", AggregateAccumulation<T, F>{std::move(function)},
                   EmitResult<AggregateResult<F>>());
    }
  }
  /// The same, and then a window function that gets the one result as its elements.
  template <typename Out = void, typename F, typename W>
  auto aggregate(F function, W windowFunction) const {
    if constexpr (requireAggregate<F>()) {
      return applyFunction<Out, AggregateResult<F>>(
          "Aggregate, Process", AggregateAccumulation<T, F>{std::move(function)}, std::move(windowFunction));
    }
  }

  /// A window function over all records of the window, which are kept until it fires: a class derived from
  /// ProcessWindowFunction<T, Out, KeyType>, or f(const KeyType&, WindowContext&, std::span<const T>,
  /// Collector<Out>&). For windowAll ProcessAllWindowFunction<T, Out>, and f without the key.
  template <typename Out = void, typename W>
  auto process(W windowFunction) const {
    return applyFunction<Out, T>("Process", ElementsAccumulation<T>(), std::move(windowFunction));
  }

  /// process(…) with a function that asks for no more than the window: f(const KeyType&, const Window&,
  /// std::span<const T>, Collector<Out>&), for windowAll without the key. A class may have open() and
  /// close().
  template <typename Out = void, typename F>
  auto apply(F function) const {
    using Found = internal::PutOut<Out, F>;
    static_assert(!std::is_void_v<Found>,
                  "apply: the record type it puts out cannot be seen; declare the last parameter as "
                  "Collector<YourRecord>&, or write apply<YourRecord>(…)");
    if constexpr (!std::is_void_v<Found>) {
      using Applied = internal::AppliedToWindow<F, Window, T, Found>;
      constexpr bool kCallable =
          kKeyed ? Applied::template kTakes<const KeyType&> : Applied::template kTakes<>;
      static_assert(
          kCallable,
          "apply: the function must be callable as f(const Key&, const Window&, std::span<const T>, "
          "Collector<Out>&), without the key for windowAll");
      if constexpr (kCallable) {
        return apply("Apply", ElementsAccumulation<T>(),
                     EmitByFunction<Found, Applied>{{std::move(function)}});
      }
    }
  }

 private:
  static constexpr bool kKeyed = !std::is_same_v<KeyType, NoKey>;

  /// Does not compile unless F is an aggregate function.
  template <typename F>
  static consteval bool requireAggregate() {
    constexpr bool kIs = requires(F & f, const T& record) {
      f.createAccumulator();
      requires requires(std::remove_cvref_t<decltype(f.createAccumulator())> & acc) {
        f.add(record, acc);
        f.getResult(std::as_const(acc));
      };
    };
    static_assert(kIs,
                  "aggregate: the class needs createAccumulator(), add(const T& record, Acc&) and "
                  "getResult(const Acc&)");
    return kIs;
  }
  template <typename F>
  using AggregateResult = std::remove_cvref_t<decltype(std::declval<F&>().getResult(
      std::declval<const typename AggregateAccumulation<T, F>::Acc&>()))>;

  template <typename F>
  static UserReduce<T, F> userReduce(F function) {
    static_assert(ReduceFunction<F, T>,
                  "reduce: the function must be callable as f(const T&, const T&) and return T");
    return {std::move(function)};
  }

  template <typename Fold>
  SingleOutputStreamOperator<T> number(const char* what, Fold fold) const {
    using N = std::remove_cvref_t<decltype(std::declval<T&>().*fold.member)>;
    if constexpr (kIsKeyAndNumber<T, Selector, N>) {
      if (isNumberBesideKey(selector_, fold.member)) {
        return apply(what, NumberAccumulation<T, KeyType, N, Fold>{selector_.member, fold}, EmitResult<T>());
      }
    }
    return record(what, fold);
  }

  template <typename Fold>
  SingleOutputStreamOperator<T> record(const char* what, Fold fold) const {
    return apply(what, RecordAccumulation<T, Fold>{std::move(fold)}, EmitResult<T>());
  }

  template <typename Out, typename In, typename Accumulation, typename W>
  auto applyFunction(const char* what, Accumulation accumulation, W function) const {
    using Found =
        std::conditional_t<std::is_void_v<Out>, typename decltype(internal::windowResult<W>())::type, Out>;
    static_assert(!std::is_void_v<Found>,
                  "process: the record type that the window function puts out cannot be seen; declare its "
                  "last parameter as Collector<YourRecord>&, or write process<YourRecord>(…)");
    if constexpr (!std::is_void_v<Found>) {
      static_assert(internal::WindowFunctionOf<W, KeyType, In, Found, Window>,
                    "process: the window function must be callable as f(const Key&, WindowContext&, "
                    "std::span<const In>, Collector<Out>&), without the key for windowAll, or be a class "
                    "derived from ProcessWindowFunction or ProcessAllWindowFunction; over global windows "
                    "with GlobalWindowContext and GlobalWindow");
      return apply(what, std::move(accumulation), EmitByFunction<Found, W>{std::move(function)});
    }
  }

  static constexpr bool kUsual =
      std::is_same_v<Trigger, DefaultTrigger> && std::is_same_v<Evictor, NoEvictor>;

  /// The operator that keeps windows of this kind.
  template <typename Accumulation, typename Emission>
  std::shared_ptr<const OperatorFactory> factory(Accumulation accumulation, Emission emission) const {
    if constexpr (MergingAssigner<Assigner> && std::is_same_v<Evictor, NoEvictor>)
      static_assert(requireMerge<Accumulation>());
    if constexpr (kUsual && madeOfSlices<Accumulation>()) {
      using Op = SliceWindowOperator<T, Selector, Assigner, Accumulation, Emission>;
      return operatorFactory<Op>(selector_, assigner_, std::move(accumulation), std::move(emission), late_);
    } else if constexpr (kUsual && kIsSessions<Assigner>) {
      using Op = SessionWindowOperator<T, Selector, Assigner, Accumulation, Emission>;
      return operatorFactory<Op>(selector_, assigner_, std::move(accumulation), std::move(emission), late_);
    } else if constexpr (kUsual && std::is_same_v<Assigner, CountWindows>) {
      if (assigner_.size() == assigner_.slide()) {
        using Op = CountWindowOperator<T, Selector, Accumulation, Emission>;
        return operatorFactory<Op>(selector_, assigner_.size(), std::move(accumulation), std::move(emission));
      }
      using Op = SlidingCountWindowOperator<T, Selector, Accumulation, Emission>;
      return operatorFactory<Op>(selector_, assigner_, std::move(accumulation), std::move(emission));
    } else {
      return general(std::move(accumulation), std::move(emission));
    }
  }

  template <typename Accumulation, typename Emission>
  std::shared_ptr<const OperatorFactory> general(Accumulation accumulation, Emission emission) const {
    if constexpr (std::is_same_v<Trigger, DefaultTrigger>) {
      using Usual = internal::UsualTrigger<Assigner>;
      return WindowedStream<T, Selector, Assigner, Usual, Evictor>(
                 handle_, selector_, assigner_, internal::usualTriggerOf(assigner_), evictor_, late_)
          .general(std::move(accumulation), std::move(emission));
    } else {
      using Parts = WindowParts<T, Selector, Assigner, Trigger, Evictor, Accumulation, Emission>;
      return operatorFactory<WindowOperator<Parts>>(Parts{
          selector_, assigner_, trigger_, evictor_, std::move(accumulation), std::move(emission), late_});
    }
  }

  /// Windows that overlap share slices, whose accumulations must be such that they can be merged.
  template <typename Accumulation>
  static consteval bool madeOfSlices() {
    if constexpr (SlicingAssigner<Assigner>) {
      return !Assigner::kOverlap || MergeableAccumulation<Accumulation>;
    } else {
      return false;
    }
  }

  template <typename Accumulation>
  static consteval bool requireMerge() {
    static_assert(MergeableAccumulation<Accumulation>,
                  "aggregate: windows of this assigner merge, for which the aggregate function needs "
                  "merge(Acc& accumulator, const Acc& other)");
    return true;
  }

  template <typename Accumulation, typename Emission>
  auto apply(const std::string& what, Accumulation accumulation, Emission emission) const {
    using Out = typename Emission::Out;
    StreamNode node = operatorNode(Assigner::kName, factory(std::move(accumulation), std::move(emission)),
                                   recordType<Out>());
    node.description = "Window(" + assignerText(assigner_) + ", " + what + ")";
    if constexpr (!kKeyed) {
      node.parallelism = 1;
      node.parallelismFixed = true;
    }
    return SingleOutputStreamOperator<Out>(handle_.apply(std::move(node)));
  }

  template <typename, typename, typename, typename, typename>
  friend class WindowedStream;

  StreamHandle handle_;
  Selector selector_;
  Assigner assigner_;
  Trigger trigger_;
  Evictor evictor_;
  LatePolicy<T> late_;
};

template <typename T, typename Selector>
template <typename Assigner>
WindowedStream<T, Selector, Assigner> KeyedStream<T, Selector>::window(Assigner assigner) const {
  return {handle_, selector_, std::move(assigner)};
}

template <typename T, typename Selector>
WindowedStream<T, Selector, CountWindows> KeyedStream<T, Selector>::countWindow(int64_t size) const {
  return window(CountWindows::of(size, size));
}
template <typename T, typename Selector>
WindowedStream<T, Selector, CountWindows> KeyedStream<T, Selector>::countWindow(int64_t size,
                                                                                int64_t slide) const {
  return window(CountWindows::of(size, slide));
}

template <typename T>
WindowedStream<T, NoKeySelector<T>, CountWindows> DataStream<T>::countWindowAll(int64_t size) const {
  return windowAll(CountWindows::of(size, size));
}
template <typename T>
WindowedStream<T, NoKeySelector<T>, CountWindows> DataStream<T>::countWindowAll(int64_t size,
                                                                                int64_t slide) const {
  return windowAll(CountWindows::of(size, slide));
}

template <typename T>
template <typename Assigner>
WindowedStream<T, NoKeySelector<T>, Assigner> DataStream<T>::windowAll(Assigner assigner) const {
  return {handle_, NoKeySelector<T>(), std::move(assigner)};
}

}  // namespace flott
