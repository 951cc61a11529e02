// Enumerators for sources whose splits are known from the beginning, and for those that have none.
//
// Called by the master, one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "flott/operators/typed_source.h"

namespace flott {

enum class Handout : uint8_t {
  kOnRequest,  // each reader gets the next split when it is through with one: for input that ends
  kEvenly,     // each reader gets its share at once: for splits that never end
};

/// Hands out a fixed list of splits in order. Splits of a failed reader are handed out first.
template <Split S>
class StaticEnumerator final : public TypedEnumerator<S> {
 public:
  using MakeSplits = MoveFunction<std::vector<S>(int parallelism)>;

  StaticEnumerator(Handout handout, std::vector<S> splits)
      : handout_(handout), unassigned_(std::move(splits)) {}
  /// For a list that depends on the parallelism.
  StaticEnumerator(Handout handout, MakeSplits make) : handout_(handout), make_(std::move(make)) {}

  void start(EnumeratorContext<S>& context) override {
    context_ = &context;
    if (make_) unassigned_ = make_(context.parallelism());
    const size_t queues = handout_ == Handout::kEvenly ? static_cast<size_t>(context.parallelism()) : 1;
    queues_.resize(queues);
    for (size_t i = 0; i < unassigned_.size(); ++i) queues_[i % queues].push_back(std::move(unassigned_[i]));
    unassigned_.clear();
  }
  void addReader(SubtaskIndex reader) override {
    if (handout_ == Handout::kEvenly) {
      while (assignNext(reader)) {
      }
      context_->signalNoMoreSplits(reader);
    }
  }
  void handleSplitRequest(SubtaskIndex reader) override {
    if (!assignNext(reader)) context_->signalNoMoreSplits(reader);
  }
  void addSplitsBack(std::vector<S> splits, SubtaskIndex reader) override {
    std::deque<S>& queue = queueOf(reader);
    queue.insert(queue.begin(), std::make_move_iterator(splits.begin()),
                 std::make_move_iterator(splits.end()));
  }
  std::vector<S> snapshot() const override {
    std::vector<S> all = unassigned_;
    for (const std::deque<S>& queue : queues_) all.insert(all.end(), queue.begin(), queue.end());
    return all;
  }

 private:
  std::deque<S>& queueOf(SubtaskIndex reader) {
    return queues_[handout_ == Handout::kEvenly ? static_cast<size_t>(reader.value) : 0];
  }
  bool assignNext(SubtaskIndex reader) {
    std::deque<S>& queue = queueOf(reader);
    if (queue.empty()) return false;
    context_->assign(reader, queue.front());
    queue.pop_front();
    return true;
  }

  const Handout handout_;
  MakeSplits make_;
  std::vector<S> unassigned_;  // before start()
  std::vector<std::deque<S>> queues_;
  EnumeratorContext<S>* context_ = nullptr;
};

/// For readers that need no splits: a socket, a function.
class NoSplits final : public SplitEnumerator {
 public:
  void start(SplitEnumeratorContext&) override {}
  void addReader(SubtaskIndex) override {}
  void handleSplitRequest(SubtaskIndex) override {}
  void addSplitsBack(std::vector<SourceSplit>, SubtaskIndex) override {}
  std::string snapshot() const override { return {}; }
};

}  // namespace flott
