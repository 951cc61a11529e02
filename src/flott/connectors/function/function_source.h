// A source made of one function, for the simple case.
//
// The function is called again and again as f(SourceOutput<T>&) -> bool, puts out any number of records in
// each call, and returns false after its last ones. It must not block: when it has nothing yet it returns
// true without putting out anything, and is called again a millisecond later. One reader; nothing is saved
// of where it is, so a job that is restarted begins with a new copy of the function.
//
//   functionSource<int>([n = 0](SourceOutput<int>& out) mutable { out.collect(n++); return n < 100; });
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/operators/function.h"
#include "flott/operators/static_enumerator.h"
#include "flott/operators/typed_source.h"

namespace flott {

template <typename F, typename T>
concept SourceFunction = std::copy_constructible<F> && requires(F& function, SourceOutput<T>& output) {
  { function(output) } -> std::same_as<bool>;
};

template <typename T, typename F>
class FunctionReader final : public SourceReader {
 public:
  explicit FunctionReader(F function) : function_(std::move(function)) {}

  void open(SourceReaderContext& context) override {
    context_ = &context;
    output_.open(context.pools());
    openFunction(function_, context);
  }
  void close() noexcept override { closeFunction(function_); }

  Poll poll(Output& output) override {
    output_.start(output);
    bool ended = false;
    size_t before = 0;
    do {
      before = output_.size();
      ended = !function_(output_);
    } while (!ended && !output_.full() && output_.size() > before);
    const bool any = output_.full() || output_.size() > before;
    output_.send();
    if (ended) return Poll::kEnd;
    if (any) return Poll::kMore;
    context_->wakeAtNanos(context_->monotonicNanos() + kPauseNanos);
    return Poll::kIdle;
  }

  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  static constexpr int64_t kPauseNanos = 1'000'000;

  F function_;
  SourceReaderContext* context_ = nullptr;
  SourceOutput<T> output_;
};

template <typename T, typename F>
class FunctionSourceFactory final : public SourceFactory {
 public:
  explicit FunctionSourceFactory(F function) : function_(std::move(function)) {}
  Boundedness boundedness() const override { return Boundedness::kContinuousUnbounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<NoSplits>();
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<FunctionReader<T, F>>(function_);
  }

 private:
  const F function_;
};

template <typename T, typename F>
SourceOf<T> functionSource(F function) {
  static_assert(
      SourceFunction<F, T>,
      "the function must be callable as f(SourceOutput<T>&), return whether it is to be called again "
      "(a bool), and be copyable");
  if constexpr (SourceFunction<F, T>) {
    return {.factory = std::make_shared<FunctionSourceFactory<T, F>>(std::move(function)),
            .name = "Function Source",
            .parallel = false};
  }
}

}  // namespace flott
