// A sink made of one function, called as f(const T&) with each record.
//
// Each subtask has its own copy, with open(RuntimeContext&) and close() if it has them. It must not block.
//
//   stream.sinkTo(FunctionSink<Click, F>([](const Click& click) { … }));
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "flott/operators/sink.h"

namespace flott {

template <typename T, typename F>
class FunctionWriter final : public SinkWriter<T> {
 public:
  explicit FunctionWriter(F function) : function_(std::move(function)) {}
  void open(OperatorContext& context) override { openFunction(function_, context); }
  void write(const T& value, const SinkContext&) override { function_(value); }
  void close() noexcept override { closeFunction(function_); }

 private:
  F function_;
};

template <typename T, typename F>
class FunctionSink {
  static_assert(std::copy_constructible<F> && std::invocable<F&, const T&>,
                "the function must be callable as f(const T&), and copyable: each subtask has its own");

 public:
  explicit FunctionSink(F function) : function_(std::move(function)) {}
  std::unique_ptr<FunctionWriter<T, F>> createWriter() const {
    return std::make_unique<FunctionWriter<T, F>>(function_);
  }

 private:
  F function_;
};

}  // namespace flott
