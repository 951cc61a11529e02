// What user functions may be, and how operators carry them.
//
// A function is a lambda or any class with the right call; a rich one also has open(RuntimeContext&) and
// close(). Each parallel instance gets a copy of what the user passed, so captured values are per instance.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/data/batch.h"
#include "flott/operators/collector.h"
#include "flott/operators/operator.h"
#include "flott/operators/runtime_context.h"

namespace flott {

template <typename F, typename In>
concept MapFunction = std::invocable<F&, const In&>;

template <typename F, typename In>
concept FilterFunction = std::predicate<F&, const In&>;

template <typename F, typename In, typename Out>
concept FlatMapFunction = std::invocable < F&,
        const In&, Collector<Out>
& > ;

template <typename F, typename T>
concept ReduceFunction = requires(F& f, const T& a, const T& b) {
  { f(a, b) } -> std::convertible_to<T>;
};

template <typename F>
void openFunction(F& function, RuntimeContext& context) {
  if constexpr (requires { function.open(context); }) function.open(context);
}
template <typename F>
void openFunction(F& function, OperatorContext& context, KeyedStateBackend* keyed = nullptr) {
  RuntimeContext runtime(context, keyed);
  openFunction(function, runtime);
}

template <typename F>
void closeFunction(F& function) noexcept {
  if constexpr (requires { function.close(); }) function.close();
}

/// Inside a catch block: throws what is being handled on, with the record it happened at, unless an operator
/// further down the chain has named its own.
[[noreturn]] void throwAtRecord(const BatchBody& batch, size_t i);
/// The same for a record that is in no batch any more, by its text.
[[noreturn]] void throwAtRecord(std::string record);

/// body(i) for all records of the batch from `from`; stops where body returns false, and returns the next
/// index.
template <typename Body>
size_t forEachRow(const BatchBody& batch, size_t from, Body&& body) {
  size_t i = from;
  const size_t count = batch.size();
  try {
    for (; i < count; ++i) {
      if constexpr (std::is_void_v<decltype(body(i))>) {
        body(i);
      } else {
        if (!body(i)) return i + 1;
      }
    }
  } catch (...) {
    throwAtRecord(batch, i);
  }
  return i;
}

/// Takes the factory over.
std::shared_ptr<const OperatorFactory> shareFactory(const OperatorFactory* factory);

/// Makes operators of one class by make(), which returns a new one that the caller owns.
template <typename Op, typename Make>
class CopyingFactory final : public OperatorFactory {
 public:
  explicit CopyingFactory(Make make) : make_(std::move(make)) {}
  std::unique_ptr<Operator> create() const override { return std::unique_ptr<Operator>(make_()); }
  std::string_view refusesCheckpoints() const override {
    if constexpr (requires { Op::kRefusesCheckpoints; }) return Op::kRefusesCheckpoints;
    return {};
  }

 private:
  Make make_;
};

/// Makes operators of one class from copies of what the user passed.
template <typename Op, typename... A>
std::shared_ptr<const OperatorFactory> operatorFactory(A... parts) {
  // Plain closures and pointers: there is a factory for each operator of a program, and the compiler takes
  // several times as long for tuples and shared pointers of their own.
  auto make = [... parts = std::move(parts)] { return static_cast<Operator*>(new Op(parts...)); };
  return shareFactory(new CopyingFactory<Op, decltype(make)>(std::move(make)));
}

}  // namespace flott
