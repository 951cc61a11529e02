// What a user says about a state: its name, its types, and what it starts from.
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

template <typename T>
class ValueStateDescriptor {
 public:
  using Handle = ValueState<T>;

  explicit ValueStateDescriptor(std::string name) : name_(std::move(name)) {}
  /// What get() returns while nothing is stored; without this a value-initialised T.
  ValueStateDescriptor&& defaultValue(T value) && {
    default_ = std::move(value);
    return std::move(*this);
  }
  ValueStateDescriptor& defaultValue(T value) & {
    default_ = std::move(value);
    return *this;
  }

  const std::string& name() const { return name_; }
  const T& defaultValue() const { return default_; }

 private:
  std::string name_;
  T default_{};
};

template <typename T>
class ListStateDescriptor {
 public:
  using Handle = ListState<T>;

  explicit ListStateDescriptor(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

template <typename K, typename V>
class MapStateDescriptor {
 public:
  using Handle = MapState<K, V>;

  explicit MapStateDescriptor(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

/// `reduce` is T(const T& stored, const T& added).
template <typename T>
class ReducingStateDescriptor {
 public:
  using Handle = ReducingState<T>;
  using Reduce = SharedFunction<T(const T&, const T&)>;

  template <typename F>
  ReducingStateDescriptor(std::string name, F reduce) : name_(std::move(name)), reduce_(std::move(reduce)) {}
  const std::string& name() const { return name_; }
  const Reduce& reduce() const { return reduce_; }

 private:
  std::string name_;
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
class AggregatingStateDescriptor {
 public:
  using Handle = AggregatingState<In, Acc, Out>;

  template <AggregatorOf<In, Acc, Out> F>
  AggregatingStateDescriptor(std::string name, F function)
      : AggregatingStateDescriptor(std::move(name), std::make_shared<F>(std::move(function))) {}

  const std::string& name() const { return name_; }
  const SharedFunction<Acc()>& create() const { return create_; }
  const SharedFunction<void(const In&, Acc&)>& add() const { return add_; }
  const SharedFunction<Out(const Acc&)>& result() const { return result_; }

 private:
  template <typename F>
  AggregatingStateDescriptor(std::string name, std::shared_ptr<F> f)
      : name_(std::move(name)),
        create_([f]() -> Acc { return f->createAccumulator(); }),
        add_([f](const In& in, Acc& acc) { f->add(in, acc); }),
        result_([f](const Acc& acc) -> Out { return f->getResult(acc); }) {}

  std::string name_;
  SharedFunction<Acc()> create_;
  SharedFunction<void(const In&, Acc&)> add_;
  SharedFunction<Out(const Acc&)> result_;
};

}  // namespace flott
