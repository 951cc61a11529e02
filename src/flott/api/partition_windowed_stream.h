// fullWindowPartition(): what can be done with all records of a subtask, or of a key, at the end of the
// input.
//
// For bounded streams: results come when the input has ended, and without timestamps. Sorting and mapping
// keep what memory cannot hold on disk (execution.sort-partition.memory, io.tmp.dirs).
//
//   clicks.fullWindowPartition().sortPartition(&Click::at, SortOrder::kDescending)
//   clicks.keyBy(&Click::user).fullWindowPartition().mapPartition(
//       [](PartitionElements<Click>& clicks, Collector<Visit>& out) { for (const Click& click : clicks) … })
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/base/options.h"
#include "flott/operators/partition/fold_partition.h"
#include "flott/operators/partition/map_partition.h"
#include "flott/operators/partition/sort_partition.h"

namespace flott {

/// The subtasks of the operator before make the partitions: the node runs as parallel as that.
StreamNode besideInput(StreamNode node, const StreamHandle& stream);

namespace internal {

template <typename T, typename Out, typename F>
consteval bool requireMapPartition() {
  static_assert(!std::is_void_v<Out>,
                "mapPartition: the record type it puts out cannot be seen; declare the second parameter as "
                "Collector<YourRecord>&, or write mapPartition<YourRecord>(…)");
  if constexpr (!std::is_void_v<Out>) {
    constexpr bool kCallable = std::invocable<F&, PartitionElements<T>&, Collector<Out>&>;
    static_assert(kCallable,
                  "mapPartition: the function must be callable as f(PartitionElements<T>&, Collector<Out>&)");
    return kCallable;
  }
  return false;
}

template <typename K>
consteval bool requireSortKey() {
  constexpr bool kOrdered = requires(const K& a, const K& b) {
    { a < b } -> std::convertible_to<bool>;
  };
  static_assert(kOrdered, "sortPartition: the key has no operator<; sort by another member or function");
  return kOrdered;
}

}  // namespace internal

/// The partitions of a stream without keys: its subtasks.
template <typename T>
struct SubtaskPartitions {
  using Group = ArrivalOrder<T>;
  static constexpr ConfigOption<MemorySize> kMemory = kSortPartitionMemory;

  Group group() const { return {}; }
  template <typename Order>
  Order sorted(Order order) const {
    return order;
  }
  template <typename Out, typename Accumulation>
  std::shared_ptr<const OperatorFactory> fold(Accumulation accumulation) const {
    return operatorFactory<FoldPartitionOperator<T, Accumulation, Out>>(std::move(accumulation));
  }
  StreamNode placed(StreamNode node, const StreamHandle& stream) const {
    return besideInput(std::move(node), stream);
  }
};

/// The partitions of a stream with keys: the keys.
template <typename T, typename Selector>
struct KeyPartitions {
  using Group = GroupedBy<T, Selector>;
  static constexpr ConfigOption<MemorySize> kMemory = kSortKeyedPartitionMemory;
  Selector selector;

  Group group() const { return Group(selector); }
  template <typename Order>
  ThenBy<Group, Order> sorted(Order order) const {
    return {group(), std::move(order)};
  }
  template <typename Out, typename Accumulation>
  std::shared_ptr<const OperatorFactory> fold(Accumulation accumulation) const {
    using Op = KeyedFoldPartitionOperator<T, Selector, Accumulation, Out>;
    return operatorFactory<Op>(selector, std::move(accumulation));
  }
  StreamNode placed(StreamNode node, const StreamHandle&) const { return node; }
};

/// The full windows of all partitions of a stream. Results of keys come key by key, in the order of the key
/// hash.
template <typename T, typename Partitions>
class PartitionWindowedStream {
 public:
  PartitionWindowedStream(StreamHandle stream, Partitions partitions)
      : stream_(std::move(stream)), partitions_(std::move(partitions)) {}

  /// f(PartitionElements<T>&, Collector<Out>&), called once for each key, or once in each subtask, also when
  /// that has no records. It may block, and it runs beside the other work of its task; state is out of its
  /// reach.
  template <typename Out = void, typename F>
  auto mapPartition(F function) const {
    using Found = internal::PutOut<Out, F>;
    if constexpr (internal::requireMapPartition<T, Found, F>()) {
      using Op = MapPartitionOperator<T, typename Partitions::Group, Found, F>;
      return apply<Found>("MapPartition",
                          operatorFactory<Op>(partitions_.group(), std::move(function), Partitions::kMemory));
    }
  }

  /// The records in the order of a member. Equal ones stay in the order in which they came.
  template <typename K>
  SingleOutputStreamOperator<T> sortPartition(K internal::MembersOf<T>::*member,
                                              SortOrder order = SortOrder::kAscending) const {
    return sort(MemberSelector<T, K>{member}, order);
  }
  /// … of what f(const T&) returns.
  template <typename F>
  requires std::invocable<const F&, const T&> SingleOutputStreamOperator<T> sortPartition(
      F selector, SortOrder order = SortOrder::kAscending)
  const { return sort(FunctionSelector<T, F>{std::move(selector)}, order); }

  /// f(const T& soFar, const T& record) -> T. A subtask without records puts out nothing.
  template <typename F>
  SingleOutputStreamOperator<T> reduce(F function) const {
    static_assert(ReduceFunction<F, T>,
                  "reduce: the function must be callable as f(const T&, const T&) and return T");
    using Accumulation = RecordAccumulation<T, UserReduce<T, F>>;
    return apply<T>("PartitionReduce", partitions_.template fold<T>(Accumulation{{std::move(function)}}));
  }
  /// An aggregate function, as KeyedStream::aggregate() takes it. A subtask without records puts out nothing.
  template <typename F>
  auto aggregate(F function) const {
    using Accumulation = AggregateAccumulation<T, F>;
    using Acc = typename Accumulation::Acc;
    using Out = std::remove_cvref_t<decltype(function.getResult(std::declval<const Acc&>()))>;
    return apply<Out>("PartitionAggregate",
                      partitions_.template fold<Out>(Accumulation{std::move(function)}));
  }

 private:
  template <typename Out>
  SingleOutputStreamOperator<Out> apply(const char* name,
                                        std::shared_ptr<const OperatorFactory> factory) const {
    return SingleOutputStreamOperator<Out>(stream_.apply(
        partitions_.placed(operatorNode(name, std::move(factory), recordType<Out>()), stream_)));
  }
  template <typename Selector>
  SingleOutputStreamOperator<T> sort(Selector selector, SortOrder direction) const {
    static_assert(internal::requireSortKey<typename Selector::Key>());
    auto order = partitions_.sorted(SortedBy<T, Selector>(std::move(selector), direction));
    using Op = SortPartitionOperator<T, decltype(order)>;
    return apply<T>("SortPartition", operatorFactory<Op>(std::move(order), Partitions::kMemory));
  }

  StreamHandle stream_;
  Partitions partitions_;
};

template <typename T>
PartitionWindowedStream<T, SubtaskPartitions<T>> DataStream<T>::fullWindowPartition() const {
  return {handle_, {}};
}

template <typename T, typename Selector>
PartitionWindowedStream<T, KeyPartitions<T, Selector>> KeyedStream<T, Selector>::fullWindowPartition() const {
  return {handle_, {selector_}};
}

}  // namespace flott
