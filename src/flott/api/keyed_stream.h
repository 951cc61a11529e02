// A stream partitioned by key: all records of a key go to the same subtask, which keeps their state.
//
//   clicks.keyBy(&Click::user).sum(&Click::amount)
//
// The aggregations put out one record for each that comes in: the key's aggregate so far.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/api/data_stream.h"
#include "flott/operators/rolling.h"
#include "flott/operators/skew/local_combine.h"

namespace flott {

template <typename T, typename Partitions>
class PartitionWindowedStream;
template <typename T, typename Selector>
struct KeyPartitions;

template <typename T, typename Selector>
class PreAggregatedStream;

template <typename T, typename Selector>
class KeyedStream {
 public:
  using Record = T;
  using KeyType = typename Selector::Key;

  KeyedStream(const StreamHandle& stream, Selector selector)
      : handle_(stream.with(PartitionKind::kHash,
                            {.kind = PartitionKind::kHash,
                             .hasher = std::make_shared<SelectorHasher<T, Selector>>(selector),
                             .router = {}})),
        selector_(std::move(selector)) {
    static_assert(requireKey<KeyType>());
  }
  const StreamHandle& handle() const { return handle_; }
  const Selector& selector() const { return selector_; }

  // Functions that may use state of the key, through the runtime context of their open(…).

  /// A class derived from KeyedProcessFunction<KeyType, T, Out>, or f(const T&,
  /// KeyedProcessContext<KeyType>&, Collector<Out>&).
  template <typename Out = void, typename F>
  auto process(F function) const;
  template <typename F>
  auto map(F function) const;
  template <typename F>
  SingleOutputStreamOperator<T> filter(F predicate) const;
  template <typename Out = void, typename F>
  auto flatMap(F function) const;

  /// Both streams go into one operator. `other` is keyed by the same type, not keyed, or a BroadcastStream.
  template <typename Other>
  auto connect(const Other& other) const;

  /// Pairs of records of both streams with the same key and event times close to each other: .between(lower,
  /// upper).process(…), see interval_join.h. `other` is keyed by the same type.
  template <typename Other>
  auto intervalJoin(const Other& other) const;

  /// Windows of each key, by an assigner such as TumblingEventTimeWindows::of(10s).
  template <typename Assigner>
  WindowedStream<T, Selector, Assigner> window(Assigner assigner) const;
  /// Windows of `size` records of each key.
  WindowedStream<T, Selector, CountWindows> countWindow(int64_t size) const;
  /// The last `size` records of a key, or as many as there are, at every slide-th.
  WindowedStream<T, Selector, CountWindows> countWindow(int64_t size, int64_t slide) const;

  /// All records of each key together, once the input has ended (partition_windowed_stream.h).
  PartitionWindowedStream<T, KeyPartitions<T, Selector>> fullWindowPartition() const;

  // Aggregations.

  /// f(const T& soFar, const T& record) -> T.
  template <typename F>
  SingleOutputStreamOperator<T> reduce(F function) const {
    static_assert(ReduceFunction<F, T>,
                  "reduce: the function must be callable as f(const T&, const T&) and return T");
    return fold("Reduce", UserReduce<T, F>{std::move(function)});
  }

  /// An aggregate function: createAccumulator() -> Acc, add(const T&, Acc&), getResult(const Acc&) -> Out.
  template <typename F>
  auto aggregate(F function) const {
    using Acc = std::remove_cvref_t<decltype(function.createAccumulator())>;
    using Out = std::remove_cvref_t<decltype(function.getResult(std::declval<const Acc&>()))>;
    return transform<Out>("Aggregate", operatorFactory<AggregateOperator<T, Selector, F, Acc, Out>>(
                                           selector_, std::move(function)));
  }

  /// Adds up a member; the other members are those of the key's first record. Overflow of an integer fails
  /// the job.
  template <typename N>
  SingleOutputStreamOperator<T> sum(N internal::MembersOf<T>::*member) const {
    if constexpr (kIsKeyAndNumber<T, Selector, N>) {
      if (isNumberBesideKey(selector_, member)) {
        return transform<T>("Sum", operatorFactory<SumInPlaceOperator<T, Selector, N>>(selector_, member));
      }
    }
    return fold("Sum", SumOf<T, N>{member});
  }
  /// The smallest value of a member; the other members are those of the key's first record.
  template <typename N>
  SingleOutputStreamOperator<T> min(N internal::MembersOf<T>::*member) const {
    return fold("Min", LeastOf<T, N>{member});
  }
  template <typename N>
  SingleOutputStreamOperator<T> max(N internal::MembersOf<T>::*member) const {
    return fold("Max", GreatestOf<T, N>{member});
  }
  /// The whole record with the smallest value of a member.
  template <typename N>
  SingleOutputStreamOperator<T> minBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return fold("Min By", RecordOfLeast<T, N>{member, tie});
  }
  template <typename N>
  SingleOutputStreamOperator<T> maxBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return fold("Max By", RecordOfGreatest<T, N>{member, tie});
  }
  /// The same of an element of a tuple: sum<1>().
  template <size_t index>
  SingleOutputStreamOperator<T> sum() const {
    return foldElement<index, SumOf>("Sum");
  }
  template <size_t index>
  SingleOutputStreamOperator<T> min() const {
    return foldElement<index, LeastOf>("Min");
  }
  template <size_t index>
  SingleOutputStreamOperator<T> max() const {
    return foldElement<index, GreatestOf>("Max");
  }
  template <size_t index>
  SingleOutputStreamOperator<T> minBy(Tie tie = Tie::kFirst) const {
    static_assert(internal::requireTuple<T, index>());
    return fold("Min By", RecordOfElement<T, index, true>{tie});
  }
  template <size_t index>
  SingleOutputStreamOperator<T> maxBy(Tie tie = Tie::kFirst) const {
    static_assert(internal::requireTuple<T, index>());
    return fold("Max By", RecordOfElement<T, index, false>{tie});
  }
  /// (key, number of its records so far).
  SingleOutputStreamOperator<std::pair<KeyType, int64_t>> count() const {
    return aggregate(CountRecords{selector_}).name("Count");
  }

  // For keys some of which have far more records than others (pre_aggregated_stream.h).

  /// Aggregations that combine the records of a key before they are sent to its subtask.
  PreAggregatedStream<T, Selector> preAggregate(PreAggregateOptions options = {}) const;
  /// The same in two stages: each key's records are spread over `salts` subtasks, combined there, and then
  /// sent to the subtask of the key.
  PreAggregatedStream<T, Selector> salted(int salts, PreAggregateOptions options = {}) const;

  /// An operator of your own over this stream; batches carry the hashes of their keys.
  template <typename Out>
  SingleOutputStreamOperator<Out> transform(std::string name,
                                            std::shared_ptr<const OperatorFactory> factory) const {
    return SingleOutputStreamOperator<Out>(
        handle_.apply(operatorNode(std::move(name), std::move(factory), recordType<Out>())));
  }

 private:
  struct CountRecords {
    struct Seen {
      std::optional<KeyType> key;
      int64_t count = 0;
    };
    Selector selector;
    Seen createAccumulator() const { return {}; }
    void add(const T& record, Seen& seen) const {
      if (!seen.key) seen.key = selector(record);
      ++seen.count;
    }
    std::pair<KeyType, int64_t> getResult(const Seen& seen) const { return {*seen.key, seen.count}; }
  };

  template <typename Out, typename Calls, typename F>
  SingleOutputStreamOperator<Out> applyCalls(const char* name, F function) const;
  template <size_t index, template <typename, typename> typename MemberFold>
  SingleOutputStreamOperator<T> foldElement(const char* name) const {
    static_assert(internal::requireTuple<T, index>());
    return fold(name, FoldOfElement<T, index, MemberFold>());
  }
  template <typename Fold>
  SingleOutputStreamOperator<T> fold(const char* name, Fold fold) const {
    return transform<T>(name, operatorFactory<ReduceOperator<T, Selector, Fold>>(selector_, std::move(fold)));
  }

  StreamHandle handle_;
  Selector selector_;
};

template <typename T>
template <typename K>
KeyedStream<T, MemberSelector<T, K>> DataStream<T>::keyBy(K internal::MembersOf<T>::*member) const {
  return {handle_, MemberSelector<T, K>{member}};
}

template <typename T>
template <typename K1, typename K2, typename... Ks>
KeyedStream<T, MembersSelector<T, K1, K2, Ks...>> DataStream<T>::keyBy(
    K1 internal::MembersOf<T>::*first, K2 internal::MembersOf<T>::*second,
    Ks internal::MembersOf<T>::*... rest) const {
  return {handle_, MembersSelector<T, K1, K2, Ks...>{{first, second, rest...}}};
}

template <typename T>
template <typename F>
requires std::invocable<const F&, const T&> KeyedStream<T, FunctionSelector<T, F>> DataStream<T>::keyBy(
    F function)
const { return {handle_, FunctionSelector<T, F>{std::move(function)}}; }

template <typename T>
template <size_t first, size_t... rest>
auto DataStream<T>::keyBy() const {
  if constexpr (internal::requireTuple<T, first, rest...>()) {
    if constexpr (sizeof...(rest) == 0) {
      using Selector = ElementSelector<T, first>;
      return KeyedStream<T, Selector>(handle_, Selector());
    } else {
      using Selector = ElementsSelector<T, first, rest...>;
      return KeyedStream<T, Selector>(handle_, Selector());
    }
  }
}

}  // namespace flott
