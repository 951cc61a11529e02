// Aggregations of a keyed stream that stand up to skewed keys: records are combined before they meet at the
// subtask of their key.
//
//   clicks.keyBy(&Click::user).preAggregate().sum(&Click::amount)   // combined where the clicks come from
//   clicks.keyBy(&Click::user).salted(8).sum(&Click::amount)        // each user spread over 8 subtasks first
//
// The results are those of the plain aggregations, key for key, but there is one for each partial result, not
// for each record: how many depends on the bounds, the watermarks and the batches; the last one of a key is
// the same. preAggregate() is for streams with few keys or some very busy ones; salted(n) for the same where
// combining itself is too much for the subtasks that the records come from, or where one source has most of
// them. The metric hotKeys of an exchange names the keys that make the difference.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/operators/skew/local_combine.h"
#include "flott/operators/window/accumulations.h"

namespace flott {

namespace internal {

/// The streams themselves, without the partitioning by key.
StreamHandle unpartitioned(const StreamHandle& keyed);
/// With the parallelism of the stream it follows, so that both are one task.
void beAsParallelAs(StreamNode& node, const StreamHandle& stream);
void checkSalts(int salts);

/// An aggregate function over its own accumulators.
template <typename K, typename F>
struct MergePartials {
  using Acc = std::remove_cvref_t<decltype(std::declval<F&>().createAccumulator())>;
  F function;
  void open(RuntimeContext& context) { openFunction(function, context); }
  void close() { closeFunction(function); }
  Acc createAccumulator() { return function.createAccumulator(); }
  void add(const std::pair<K, Acc>& partial, Acc& acc) { function.merge(acc, partial.second); }
  auto getResult(const Acc& acc) { return function.getResult(acc); }
};

}  // namespace internal

template <typename T, typename Selector>
class PreAggregatedStream {
  using K = typename Selector::Key;

 public:
  /// `stream` is what goes into the combining operator; `asParallel`: at the parallelism of what comes
  /// before.
  PreAggregatedStream(StreamHandle stream, Selector selector, PreAggregateOptions options, bool asParallel)
      : handle_(std::move(stream)),
        selector_(std::move(selector)),
        options_(options),
        asParallel_(asParallel) {
    checkPreAggregateOptions(options_);
  }

  // As those of a KeyedStream.

  template <typename N>
  SingleOutputStreamOperator<T> sum(N internal::MembersOf<T>::*member) const {
    return records(SumOf<T, N>{member}).sum(member);
  }
  template <typename N>
  SingleOutputStreamOperator<T> min(N internal::MembersOf<T>::*member) const {
    return records(LeastOf<T, N>{member}).min(member);
  }
  template <typename N>
  SingleOutputStreamOperator<T> max(N internal::MembersOf<T>::*member) const {
    return records(GreatestOf<T, N>{member}).max(member);
  }
  template <typename N>
  SingleOutputStreamOperator<T> minBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return records(RecordOfLeast<T, N>{member, tie}).minBy(member, tie);
  }
  template <typename N>
  SingleOutputStreamOperator<T> maxBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return records(RecordOfGreatest<T, N>{member, tie}).maxBy(member, tie);
  }
  /// f(const T&, const T&) -> T, associative: it also combines what it returned. The result has to have the
  /// key of its arguments.
  template <typename F>
  SingleOutputStreamOperator<T> reduce(F function) const {
    static_assert(ReduceFunction<F, T>,
                  "reduce: the function must be callable as f(const T&, const T&) and return T");
    return records(UserReduce<T, F>{function}).reduce(function);
  }
  SingleOutputStreamOperator<std::pair<K, int64_t>> count() const {
    return partials(CountAccumulation<T>()).sum(&std::pair<K, int64_t>::second).name("Count");
  }
  /// An aggregate function that also has merge(Acc& accumulator, const Acc& other).
  template <typename F>
  auto aggregate(F function) const {
    using Acc = std::remove_cvref_t<decltype(function.createAccumulator())>;
    constexpr bool kMerges = requires(Acc & acc, const Acc& other) { function.merge(acc, other); };
    static_assert(kMerges,
                  "aggregate: a function whose accumulators are combined needs merge(Acc& accumulator, const "
                  "Acc& other)");
    if constexpr (kMerges) {
      return partials(AggregateAccumulation<T, F>{function})
          .aggregate(internal::MergePartials<K, F>{std::move(function)});
    }
  }

 private:
  /// The combined records, keyed as they were.
  template <typename Fold>
  KeyedStream<T, Selector> records(Fold fold) const {
    return {combined<RecordPartial<T>>(RecordAccumulation<T, Fold>{std::move(fold)}), selector_};
  }
  /// The accumulators, with their keys.
  template <typename Accumulation>
  auto partials(Accumulation accumulation) const {
    using Acc = typename Accumulation::Acc;
    return KeyedStream<std::pair<K, Acc>, PartialKey<K, Acc>>(
        combined<KeyPartial<K, Acc>>(std::move(accumulation)), {&std::pair<K, Acc>::first});
  }

  template <typename Partial, typename Accumulation>
  StreamHandle combined(Accumulation accumulation) const {
    using Op = LocalCombineOperator<T, Selector, Accumulation, Partial>;
    StreamNode node =
        operatorNode("Pre-Aggregate", operatorFactory<Op>(options_, selector_, std::move(accumulation)),
                     recordType<typename Partial::Out>());
    if (asParallel_) internal::beAsParallelAs(node, handle_);
    return handle_.apply(std::move(node));
  }

  StreamHandle handle_;
  Selector selector_;
  PreAggregateOptions options_;
  bool asParallel_;
};

template <typename T, typename Selector>
PreAggregatedStream<T, Selector> KeyedStream<T, Selector>::preAggregate(PreAggregateOptions options) const {
  return {internal::unpartitioned(handle_), selector_, options, true};
}

template <typename T, typename Selector>
PreAggregatedStream<T, Selector> KeyedStream<T, Selector>::salted(int salts,
                                                                  PreAggregateOptions options) const {
  internal::checkSalts(salts);
  Partitioning spread{
      .kind = PartitionKind::kHash,
      .hasher = std::make_shared<SaltedHasher<T, Selector>>(selector_, static_cast<uint32_t>(salts)),
      .router = {}};
  return {handle_.with(PartitionKind::kHash, std::move(spread)), selector_, options, false};
}

}  // namespace flott
