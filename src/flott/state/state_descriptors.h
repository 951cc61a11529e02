// What a user says about a state: its name, its types, what it starts from, how long it lives.
//
// The name, unique within the operator, is how a snapshot finds the state again; the types are checked
// against earlier uses of the name. Plain values, made in open() and forgotten there.
//
//   count_ = ctx.state(ValueStateDescriptor<int64_t>("count").defaultValue(0));
//   longest_ = ctx.state(ReducingStateDescriptor<int64_t>("longest", [](int64_t a, int64_t b) { return max(a,
//   b); }));
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>

#include "flott/state/shared_function.h"
#include "flott/state/state_ttl.h"

namespace flott {

template <typename T>
class ValueState;
template <typename T>
class ListState;
template <typename K, typename V>
class MapState;
template <typename T>
class ReducingState;
template <typename In, typename Acc, typename Out>
class AggregatingState;

/// What all of them say; D is the descriptor itself.
template <typename D>
class StateDescriptor {
 public:
  explicit StateDescriptor(std::string name) : name_(std::move(name)) {}

  /// What is stored expires. Keyed state only.
  D&& ttl(StateTtl ttl) && {
    ttl_ = ttl;
    return static_cast<D&&>(*this);
  }
  D& ttl(StateTtl ttl) & {
    ttl_ = ttl;
    return static_cast<D&>(*this);
  }

  const std::string& name() const { return name_; }
  const StateTtl& ttl() const { return ttl_; }

 private:
  std::string name_;
  StateTtl ttl_ = StateTtl::disabled();
};

template <typename T>
class ValueStateDescriptor : public StateDescriptor<ValueStateDescriptor<T>> {
 public:
  using Handle = ValueState<T>;

  explicit ValueStateDescriptor(std::string name) : StateDescriptor<ValueStateDescriptor>(std::move(name)) {}
  /// What get() returns while nothing is stored; without this a value-initialised T.
  ValueStateDescriptor&& defaultValue(T value) && {
    default_ = std::move(value);
    return std::move(*this);
  }
  ValueStateDescriptor& defaultValue(T value) & {
    default_ = std::move(value);
    return *this;
  }

  const T& defaultValue() const { return default_; }

 private:
  T default_{};
};

template <typename T>
class ListStateDescriptor : public StateDescriptor<ListStateDescriptor<T>> {
 public:
  using Handle = ListState<T>;

  explicit ListStateDescriptor(std::string name) : StateDescriptor<ListStateDescriptor>(std::move(name)) {}
};

template <typename K, typename V>
class MapStateDescriptor : public StateDescriptor<MapStateDescriptor<K, V>> {
 public:
  using Handle = MapState<K, V>;

  explicit MapStateDescriptor(std::string name) : StateDescriptor<MapStateDescriptor>(std::move(name)) {}
};

/// `reduce` is T(const T& stored, const T& added).
template <typename T>
class ReducingStateDescriptor : public StateDescriptor<ReducingStateDescriptor<T>> {
 public:
  using Handle = ReducingState<T>;
  using Reduce = SharedFunction<T(const T&, const T&)>;

  template <typename F>
  ReducingStateDescriptor(std::string name, F reduce)
      : StateDescriptor<ReducingStateDescriptor>(std::move(name)), reduce_(std::move(reduce)) {}
  const Reduce& reduce() const { return reduce_; }

 private:
  Reduce reduce_;
};

/// What Flink's AggregateFunction asks for, of any class with these methods.
template <typename F, typename In, typename Acc, typename Out>
concept AggregatorOf = requires(F& f, const In& in, Acc& acc, const Acc& stored) {
  { f.createAccumulator() } -> std::convertible_to<Acc>;
  f.add(in, acc);
  { f.getResult(stored) } -> std::convertible_to<Out>;
};

template <typename In, typename Acc, typename Out>
class AggregatingStateDescriptor : public StateDescriptor<AggregatingStateDescriptor<In, Acc, Out>> {
 public:
  using Handle = AggregatingState<In, Acc, Out>;

  template <AggregatorOf<In, Acc, Out> F>
  AggregatingStateDescriptor(std::string name, F function)
      : AggregatingStateDescriptor(std::move(name), std::make_shared<F>(std::move(function))) {}

  const SharedFunction<Acc()>& create() const { return create_; }
  const SharedFunction<void(const In&, Acc&)>& add() const { return add_; }
  const SharedFunction<Out(const Acc&)>& result() const { return result_; }

 private:
  template <typename F>
  AggregatingStateDescriptor(std::string name, std::shared_ptr<F> f)
      : StateDescriptor<AggregatingStateDescriptor>(std::move(name)),
        create_([f]() -> Acc { return f->createAccumulator(); }),
        add_([f](const In& in, Acc& acc) { f->add(in, acc); }),
        result_([f](const Acc& acc) -> Out { return f->getResult(acc); }) {}

  SharedFunction<Acc()> create_;
  SharedFunction<void(const In&, Acc&)> add_;
  SharedFunction<Out(const Acc&)> result_;
};

}  // namespace flott
