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

namespace flott {

enum class Tie : uint8_t { kFirst, kLast };  // minBy/maxBy: which of equal records stays

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

  // Aggregations.

  /// f(const T& soFar, const T& record) -> T.
  template <typename F>
  SingleOutputStreamOperator<T> reduce(F function) const {
    static_assert(ReduceFunction<F, T>,
                  "reduce: the function must be callable as f(const T&, const T&) and return T");
    return apply<T>("Reduce",
                    operatorFactory<ReduceOperator<T, Selector, F>>(selector_, std::move(function)));
  }

  /// An aggregate function: createAccumulator() -> Acc, add(const T&, Acc&), getResult(const Acc&) -> Out.
  template <typename F>
  auto aggregate(F function) const {
    using Acc = std::remove_cvref_t<decltype(function.createAccumulator())>;
    using Out = std::remove_cvref_t<decltype(function.getResult(std::declval<const Acc&>()))>;
    return apply<Out>("Aggregate", operatorFactory<AggregateOperator<T, Selector, F, Acc, Out>>(
                                       selector_, std::move(function)));
  }

  /// Adds up a member; the other members are those of the key's first record. Overflow of an integer fails
  /// the job.
  template <typename N>
  SingleOutputStreamOperator<T> sum(N internal::MembersOf<T>::*member) const {
    if constexpr (kIsKeyAndNumber<N>) {
      if (isOtherMember(member)) {
        return apply<T>("Sum", operatorFactory<SumInPlaceOperator<T, Selector, N>>(selector_, member));
      }
    }
    return named("Sum", [member](const T& soFar, const T& record) {
      T sum = soFar;
      sum.*member = addChecked(soFar.*member, record.*member);
      return sum;
    });
  }
  /// The smallest value of a member; the other members are those of the key's first record.
  template <typename N>
  SingleOutputStreamOperator<T> min(N internal::MembersOf<T>::*member) const {
    return named("Min", [member](const T& soFar, const T& record) {
      T least = soFar;
      if (record.*member < soFar.*member) least.*member = record.*member;
      return least;
    });
  }
  template <typename N>
  SingleOutputStreamOperator<T> max(N internal::MembersOf<T>::*member) const {
    return named("Max", [member](const T& soFar, const T& record) {
      T most = soFar;
      if (soFar.*member < record.*member) most.*member = record.*member;
      return most;
    });
  }
  /// The whole record with the smallest value of a member.
  template <typename N>
  SingleOutputStreamOperator<T> minBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return named("Min By", [member, tie](const T& soFar, const T& record) {
      if (record.*member < soFar.*member) return record;
      return tie == Tie::kLast && !(soFar.*member < record.*member) ? record : soFar;
    });
  }
  template <typename N>
  SingleOutputStreamOperator<T> maxBy(N internal::MembersOf<T>::*member, Tie tie = Tie::kFirst) const {
    return named("Max By", [member, tie](const T& soFar, const T& record) {
      if (soFar.*member < record.*member) return record;
      return tie == Tie::kLast && !(record.*member < soFar.*member) ? record : soFar;
    });
  }
  /// (key, number of its records so far).
  SingleOutputStreamOperator<std::pair<KeyType, int64_t>> count() const {
    return aggregate(CountRecords{selector_}).name("Count");
  }

  template <typename Out>
  SingleOutputStreamOperator<Out> apply(std::string name,
                                        std::shared_ptr<const OperatorFactory> factory) const {
    return SingleOutputStreamOperator<Out>(
        handle_.apply(operatorNode(std::move(name), std::move(factory), typeText<Out>())));
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

  /// The record has two members, the key being one of them: then a sum needs to keep only the other.
  template <typename N>
  static constexpr bool kIsKeyAndNumber =
      std::is_arithmetic_v<N>&& std::is_same_v<Selector, MemberSelector<T, KeyType>>&&
          reflect::Parts<T>::kSize == 2;
  template <typename N>
  bool isOtherMember(N internal::MembersOf<T>::*member) const {
    if constexpr (std::is_same_v<N, KeyType>) {
      return member != selector_.member;
    } else {
      return true;
    }
  }

  template <typename Out, typename Calls, typename F>
  SingleOutputStreamOperator<Out> applyCalls(const char* name, F function) const;
  template <typename F>
  SingleOutputStreamOperator<T> named(const char* name, F function) const {
    return apply<T>(name, operatorFactory<ReduceOperator<T, Selector, F>>(selector_, std::move(function)));
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

}  // namespace flott
