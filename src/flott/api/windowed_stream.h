// A stream cut into windows, and what can be made of each window.
//
//   clicks.keyBy(&Click::user).window(TumblingEventTimeWindows::of(1h)).sum(&Click::amount)
//   clicks.windowAll(TumblingProcessingTimeWindows::of(5s)).count()
//
// A window puts out its results once, when it is complete: their timestamp is its last millisecond. Keyed
// windows give one result for each key that has records in the window.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/assigners.h"
#include "flott/operators/window/slice_window_operator.h"

namespace flott {

namespace internal {

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

template <typename F, typename K, typename In, typename Out>
concept WindowFunctionOf = (std::is_same_v<K, NoKey> &&
                            (AllWindowFunctionClass<F, In, Out> || AllWindowLambda<F, In, Out>)) ||
                           (!std::is_same_v<K, NoKey> &&
                            (WindowFunctionClass<F, K, In, Out> || WindowLambda<F, K, In, Out>));

}  // namespace internal

/// For windowAll the selector is NoKeySelector<T>.
template <typename T, typename Selector, typename Assigner>
class WindowedStream {
 public:
  using Record = T;
  using KeyType = typename Selector::Key;

  WindowedStream(StreamHandle stream, Selector selector, Assigner assigner)
      : handle_(std::move(stream)), selector_(std::move(selector)), assigner_(std::move(assigner)) {}

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
      static_assert(internal::WindowFunctionOf<W, KeyType, In, Found>,
                    "process: the window function must be callable as f(const Key&, WindowContext&, "
                    "std::span<const In>, Collector<Out>&), without the key for windowAll, or be a class "
                    "derived from ProcessWindowFunction or ProcessAllWindowFunction");
      return apply(what, std::move(accumulation), EmitByFunction<Found, W>{std::move(function)});
    }
  }

  template <typename Accumulation, typename Emission>
  auto apply(const std::string& what, Accumulation accumulation, Emission emission) const {
    using Out = typename Emission::Out;
    using Op = SliceWindowOperator<T, Selector, Assigner, Accumulation, Emission>;
    StreamNode node =
        operatorNode(Assigner::kName,
                     operatorFactory<Op>(selector_, assigner_, std::move(accumulation), std::move(emission)),
                     typeText<Out>());
    node.description = "Window(" + assigner_.toString() + ", " + what + ")";
    if constexpr (!kKeyed) {
      node.parallelism = 1;
      node.parallelismFixed = true;
    }
    return SingleOutputStreamOperator<Out>(handle_.apply(std::move(node)));
  }

  StreamHandle handle_;
  Selector selector_;
  Assigner assigner_;
};

template <typename T, typename Selector>
template <typename Assigner>
WindowedStream<T, Selector, Assigner> KeyedStream<T, Selector>::window(Assigner assigner) const {
  return {handle_, selector_, std::move(assigner)};
}

template <typename T>
template <typename Assigner>
WindowedStream<T, NoKeySelector<T>, Assigner> DataStream<T>::windowAll(Assigner assigner) const {
  return {handle_, NoKeySelector<T>(), std::move(assigner)};
}

}  // namespace flott
