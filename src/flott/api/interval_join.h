// The interval join of two keyed streams: pairs of records with the same key whose event times are close to
// each other.
//
//   clicks.keyBy(&Click::user)
//       .intervalJoin(orders.keyBy(&Order::user))
//       .between(-10min, 0s)                       // orders up to ten minutes before the click
//       .process([](const Click& click, const Order& order, Collector<Both>& out) { … });
//
// A left record at time t meets the right ones from t + lower to t + upper, bounds included. It is an inner
// join on event time; the timestamp of a result is the later one of the pair.
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/api/process.h"
#include "flott/operators/join/interval_join.h"

namespace flott {

[[noreturn]] void throwIntervalJoinInProcessingTime();

/// First and Second are KeyedStreams.
template <typename First, typename Second>
class IntervalJoined {
  using Left = typename First::Record;
  using Right = typename Second::Record;

 public:
  IntervalJoined(First first, Second second, Duration lower, Duration upper)
      : first_(std::move(first)), second_(std::move(second)), lower_(lower), upper_(upper) {}

  IntervalJoined& lowerBoundExclusive() {
    lowerExclusive_ = true;
    return *this;
  }
  IntervalJoined& upperBoundExclusive() {
    upperExclusive_ = true;
    return *this;
  }
  /// Left records that come behind the watermark; without it they are counted in numLateRecordsDropped.
  IntervalJoined& sideOutputLeftLateData(OutputTag<Left> tag) {
    lateLeft_ = std::move(tag);
    return *this;
  }
  IntervalJoined& sideOutputRightLateData(OutputTag<Right> tag) {
    lateRight_ = std::move(tag);
    return *this;
  }

  /// A class derived from ProcessJoinFunction<Left, Right, Out>, f(const Left&, const Right&,
  /// Collector<Out>&), or f(const Left&, const Right&, JoinContext&, Collector<Out>&). Throws Error(kUser)
  /// when no time lies between the bounds.
  template <typename Out = void, typename F>
  auto process(F function) const {
    using Found = typename decltype(resultOf<Out, F>())::type;
    static_assert(
        !std::is_void_v<Found>,
        "process: the record type that the join puts out cannot be seen; declare the last parameter "
        "as Collector<YourRecord>&, or write process<YourRecord>(…)");
    if constexpr (!std::is_void_v<Found>) {
      constexpr bool kCallable = JoinFunctionClass<F, Left, Right, Found> ||
                                 JoinLambda<F, Left, Right, Found> ||
                                 JoinLambdaWithContext<F, Left, Right, Found>;
      static_assert(kCallable,
                    "process: the function must be derived from ProcessJoinFunction<Left, Right, Out>, or be "
                    "callable as f(const Left&, const Right&, Collector<Out>&), with a JoinContext& before "
                    "the collector if it likes");
      if constexpr (kCallable) return apply<Found>(std::move(function));
    }
  }

 private:
  template <typename Named, typename F>
  static consteval auto resultOf() {
    if constexpr (!std::is_void_v<Named>) {
      return std::type_identity<Named>();
    } else if constexpr (requires { typename F::Result; }) {
      return std::type_identity<typename F::Result>();
    } else {
      return std::type_identity<internal::CollectedBy<F>>();
    }
  }

  template <typename Out, typename F>
  SingleOutputStreamOperator<Out> apply(F function) const {
    using LeftSelector = std::remove_cvref_t<decltype(first_.selector())>;
    using RightSelector = std::remove_cvref_t<decltype(second_.selector())>;
    using Op = IntervalJoinOperator<Left, LeftSelector, Right, RightSelector, Out, F>;
    const JoinInterval interval = JoinInterval::between(lower_, lowerExclusive_, upper_, upperExclusive_);
    StreamNode node = operatorNode("Interval Join",
                                   operatorFactory<Op>(first_.selector(), second_.selector(), interval,
                                                       lateLeft_, lateRight_, std::move(function)),
                                   recordType<Out>());
    node.description = "IntervalJoin(" + toString(Duration(interval.lower)) + " to " +
                       toString(Duration(interval.upper)) + ")";
    return SingleOutputStreamOperator<Out>(first_.handle().apply(std::move(node), {second_.handle()}));
  }

  First first_;
  Second second_;
  Duration lower_;
  Duration upper_;
  bool lowerExclusive_ = false;
  bool upperExclusive_ = false;
  std::optional<OutputTag<Left>> lateLeft_;
  std::optional<OutputTag<Right>> lateRight_;
};

template <typename First, typename Second>
class IntervalJoin {
 public:
  IntervalJoin(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {}

  /// What it is anyway.
  IntervalJoin& inEventTime() { return *this; }
  /// Throws Error(kUser): there is none.
  IntervalJoin& inProcessingTime() { throwIntervalJoinInProcessingTime(); }
  /// Right minus left, either sign.
  IntervalJoined<First, Second> between(Duration lower, Duration upper) const {
    return {first_, second_, lower, upper};
  }

 private:
  First first_;
  Second second_;
};

template <typename T, typename Selector>
template <typename Other>
auto KeyedStream<T, Selector>::intervalJoin(const Other& other) const {
  constexpr bool kSameKeys = requires { requires std::same_as<KeyType, typename Other::KeyType>; };
  static_assert(
      kSameKeys,
      "intervalJoin: the other stream needs keys of the same type; call keyBy(…) on it, and let both "
      "selectors return the same type");
  if constexpr (kSameKeys) return IntervalJoin<KeyedStream, Other>(*this, other);
}

}  // namespace flott
