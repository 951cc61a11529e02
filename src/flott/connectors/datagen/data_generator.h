// A source that makes its records from their index, as fast as it can or at a rate: for tests, demonstrations
// and benchmarks.
//
// The function is called as f(index) with index 0, 1, 2, … and returns the record; or as f(index, T& record)
// and assigns every part of it, which uses the memory of strings again; or as f(const DueRecord&), to know
// when the rate wanted the record to be there. Each reader has its own copy and makes every n-th record. The
// position is the index: after a failure exactly the records behind it are made again, so the function must
// give the same record for the same index.
//
//   dataGeneratorSource<Click>([](int64_t i) { return Click{i % 100, "/"}; },
//                              {.count = 1'000'000, .recordsPerSecond = 5'000});
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/connectors/datagen/pacer.h"
#include "flott/operators/static_enumerator.h"
#include "flott/operators/typed_source.h"

namespace flott {

struct GeneratorOptions {
  /// Records in all; the default is without end.
  int64_t count = std::numeric_limits<int64_t>::max();
  /// Over all readers together; 0 is without limit.
  double recordsPerSecond = 0;
  /// Records that are due within this time may be put out together.
  int64_t pacingNanos = 50'000;
};

/// What a function may take in place of the index.
struct DueRecord {
  int64_t index = 0;
  int64_t dueNanos = 0;  // monotonic clock; the time of the call where there is no limit
};

template <typename F, typename T>
concept GeneratorFunction = std::copy_constructible<F> &&
    (std::is_invocable_r_v<T, F&, int64_t> || std::invocable<F&, int64_t, T&> ||
     std::is_invocable_r_v<T, F&, const DueRecord&>);

/// Every step-th record from `next` on.
struct GeneratorSplit {
  int32_t index = 0;
  int64_t next = 0;
  int64_t step = 1;
  int64_t left = 0;
  std::string splitId() const { return std::to_string(index); }
};

std::vector<GeneratorSplit> generatorSplits(int64_t count, int parallelism);
/// Throws Error(kUser) for options that make no sense.
void checkGeneratorOptions(const GeneratorOptions& options);
/// Inside a catch block: throws what is being handled on, with the index of the record.
[[noreturn]] void throwAtIndex(int64_t index);

template <typename T, typename F>
class GeneratorReader final : public TypedReader<T, GeneratorSplit> {
 public:
  GeneratorReader(F function, const GeneratorOptions& options)
      : function_(std::move(function)), options_(options) {}

  void open(SourceReaderContext& context) override { context_ = &context; }
  void addSplits(std::vector<GeneratorSplit> splits) override {
    splits_.insert(splits_.end(), splits.begin(), splits.end());
  }
  void onNoMoreSplits() override { noMore_ = true; }
  bool pauseSplits(const std::vector<std::string>& splits) override {
    paused_ = splits;
    return true;
  }
  std::vector<GeneratorSplit> snapshot() override { return {splits_.begin(), splits_.end()}; }

  Poll poll(SourceOutput<T>& output) override {
    if (splits_.empty()) return noMore_ ? Poll::kEnd : Poll::kIdle;
    if (!paused_.empty() && !turnToReadable()) return Poll::kIdle;
    const uint64_t due = dueNow();
    if (due == 0) {
      context_->wakeAtNanos(pacer_->nextLook(context_->monotonicNanos()));
      return Poll::kIdle;
    }
    // With several splits, after a restore with fewer readers, they take turns: none may ever end.
    GeneratorSplit split = splits_.front();
    splits_.pop_front();
    context_->enterSplit(split.splitId());
    const uint64_t room = std::min<uint64_t>(due, Rows<T>::kRows);
    generate(split, std::min(static_cast<int64_t>(room), split.left), output.rows());
    if (split.left > 0) {
      splits_.push_back(split);
    } else {
      context_->finishSplit(split.splitId());
    }
    return Poll::kMore;
  }

 private:
  /// Whether a split that is not paused is in front now.
  bool turnToReadable() {
    for (size_t looked = 0; looked < splits_.size(); ++looked) {
      if (std::find(paused_.begin(), paused_.end(), splits_.front().splitId()) == paused_.end()) return true;
      splits_.push_back(splits_.front());
      splits_.pop_front();
    }
    return false;
  }

  uint64_t dueNow() {
    if (options_.recordsPerSecond == 0) return Rows<T>::kRows;
    const int64_t now = context_->monotonicNanos();
    if (!pacer_) {
      pacer_.emplace(options_.recordsPerSecond / context_->info().parallelism, options_.pacingNanos);
      pacer_->start(now);
    }
    return pacer_->due(now);
  }

  void generate(GeneratorSplit& split, int64_t count, Rows<T>& rows) {
    int64_t index = split.next;
    try {
      for (int64_t i = 0; i < count; ++i) {
        add(index, static_cast<uint64_t>(i), rows);
        index += split.step;
      }
    } catch (...) {
      throwAtIndex(index);
    }
    split.next = index;
    split.left -= count;
    if (pacer_) pacer_->release(static_cast<uint64_t>(count));
  }

  void add(int64_t index, uint64_t place, Rows<T>& rows) {
    if constexpr (std::is_invocable_r_v<T, F&, int64_t>) {
      rows.emplace(function_(index));
    } else if constexpr (std::invocable<F&, int64_t, T&>) {
      function_(index, rows.slot());
    } else {
      const int64_t due = pacer_ ? pacer_->dueNanos(place) : context_->monotonicNanos();
      rows.emplace(function_(DueRecord{index, due}));
    }
  }

  F function_;
  const GeneratorOptions options_;
  SourceReaderContext* context_ = nullptr;
  std::deque<GeneratorSplit> splits_;
  std::vector<std::string> paused_;
  bool noMore_ = false;
  std::optional<Pacer> pacer_;
};

template <typename T, typename F>
class DataGeneratorSource final : public Source<T, GeneratorSplit> {
  using Base = Source<T, GeneratorSplit>;

 public:
  DataGeneratorSource(F function, const GeneratorOptions& options)
      : function_(std::move(function)), options_(options) {
    checkGeneratorOptions(options);
  }

  Boundedness boundedness() const override {
    const bool endless = options_.count == GeneratorOptions().count;
    return endless ? Boundedness::kContinuousUnbounded : Boundedness::kBounded;
  }
  std::unique_ptr<typename Base::Enumerator> createEnumerator(
      std::optional<typename Base::State> restored) const override {
    using Splits = StaticEnumerator<GeneratorSplit>;
    if (restored) return std::make_unique<Splits>(Handout::kEvenly, *std::move(restored));
    return std::make_unique<Splits>(Handout::kEvenly, [count = options_.count](int parallelism) {
      return generatorSplits(count, parallelism);
    });
  }
  std::unique_ptr<typename Base::Reader> createReader() const override {
    return std::make_unique<GeneratorReader<T, F>>(function_, options_);
  }

 private:
  F function_;
  GeneratorOptions options_;
};

template <typename T, typename F>
SourceOf<T> dataGeneratorSource(F function, GeneratorOptions options = {}) {
  static_assert(GeneratorFunction<F, T>,
                "the generator must be callable as f(int64_t index) -> T, f(int64_t index, T& record) or "
                "f(const DueRecord&) -> T, and copyable: each reader has its own");
  if constexpr (GeneratorFunction<F, T>) {
    return sourceOf(DataGeneratorSource<T, F>(std::move(function), options), "Data Generator Source");
  }
}

}  // namespace flott
