// The operator behind AsyncDataStream: starts a request for each record and puts out what the requests come
// to.
//
// It takes records until `capacity` of them are under way or wait to be put out, and then no more until there
// is room: the task stops and back-pressure does the rest. Completions come from any thread through
// AsyncCompletions; the operator settles all that have come in one go and puts their results out as a batch.
// What is under way is operator state, written before each barrier: after a restore those requests are made
// again. Watermarks that wait are not state: those of the restored sources come again.
//
// Owned by one task, called by its lane only.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flott/data/print.h"
#include "flott/operators/async/async_function.h"
#include "flott/operators/async/async_queue.h"
#include "flott/operators/async/retry_strategy.h"
#include "flott/state/operator_state.h"

namespace flott {

/// What the job fails with when a request took too long and the function has no timeout(…).
Error asyncTimeoutError(Duration timeout, int tries);

struct AsyncWaitOptions {
  AsyncOrder order = AsyncOrder::kOrdered;
  Duration timeout;
  size_t capacity = 100;
};

/// A request that is under way at a checkpoint.
template <typename In>
struct PendingRequest {
  In record;
  std::optional<int64_t> timestamp;
};

/// F is derived from AsyncFunction<In, Out>; Retry is a retry strategy, or NoRetry.
template <typename In, typename Out, typename F, typename Retry = NoRetry>
class AsyncWaitOperator final : public Operator {
  static constexpr bool kRetries = !std::is_same_v<Retry, NoRetry>;

  struct Entry final : AsyncEntry {
    In record;
    std::shared_ptr<AsyncTryOf<Out>> running;
    std::vector<Out> results;
  };

 public:
  AsyncWaitOperator(AsyncWaitOptions options, F function, Retry retry)
      : options_(options),
        function_(std::move(function)),
        retry_(std::move(retry)),
        queue_(options.order, options.capacity, options.timeout) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    collector_.open(context.pools());
    completions_ = std::make_shared<AsyncCompletions>(context.resumeFromAnyThread());
    if constexpr (kRetries) retriesMade_ = &context.metrics().counter("numAsyncRetries");
    pending_ = &context.operatorState().template list<PendingRequest<In>>("in-flight-requests");
    restored_ = pending_->get();
    pending_->clear();
    if (!restored_.empty()) context.askToResume();
    openFunction(function_, context);
  }
  void close() noexcept override {
    if (completions_) completions_->close();
    closeFunction(function_);
  }

  Step onBatch(int, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    next_ = 0;
    return goOn(output);
  }
  Step onWatermark(int, Watermark watermark, Output& output) override {
    queue_.add(watermark);
    return goOn(output);
  }
  Step onStatus(int, WatermarkStatus status, Output& output) override {
    queue_.add(status);
    return goOn(output);
  }
  Step onEndOfInput(int, Output& output) override {
    ended_ = true;
    return goOn(output);
  }
  Step resume(Output& output) override { return goOn(output); }

  Step beforeBarrier(CheckpointId, Output&) override {
    std::vector<const Entry*> underWay;
    for (const auto& entry : entries_) {
      if (entry->state != AsyncEntry::State::kFree) underWay.push_back(entry.get());
    }
    std::sort(underWay.begin(), underWay.end(),
              [](const Entry* a, const Entry* b) { return a->arrival < b->arrival; });
    std::vector<PendingRequest<In>> requests;
    for (const Entry* entry : underWay) requests.push_back({entry->record, entry->timestamp});
    requests.insert(requests.end(), restored_.begin() + static_cast<ptrdiff_t>(nextRestored_),
                    restored_.end());
    pending_->set(std::move(requests));
    return Step::kDone;
  }

 private:
  Step goOn(Output& output) {
    collector_.clearFull();
    bool progress = true;
    bool stopped = false;
    while (progress && !stopped) {
      progress = settleCompleted();
      progress |= runDue();
      stopped = !putOut(output);
      if (!stopped) progress |= startSome();
    }
    collector_.flush();
    if (stopped) return Step::kMore;
    const int64_t due = queue_.nextDueNanos();
    if (due != wakeAt_) context_->wakeAtNanos(wakeAt_ = due);
    return batch_ || (ended_ && !queue_.empty()) ? Step::kWait : Step::kDone;
  }

  bool canStart() const { return queue_.hasRoom() && (batch_ || nextRestored_ < restored_.size()); }

  /// Whether some requests were started.
  bool startSome() {
    const bool some = canStart();
    while (canStart()) {
      Entry& entry = freeEntry();
      if (nextRestored_ < restored_.size()) {
        PendingRequest<In>& request = restored_[nextRestored_++];
        entry.record = std::move(request.record);
        entry.timestamp = request.timestamp;
        if (nextRestored_ == restored_.size()) restored_ = {}, nextRestored_ = 0;
      } else {
        Rows<In>& rows = batch_.rows<In>();
        entry.record = std::move(rows[next_]);
        entry.timestamp = rows.hasTimestamps() ? std::optional(rows.timestamps()[next_]) : std::nullopt;
        if (++next_ == rows.size()) batch_.reset();
      }
      queue_.add(entry, context_->monotonicNanos());
      attempt(entry);
    }
    return some;
  }

  Entry& freeEntry() {
    if (free_.empty()) free_.push_back(entries_.emplace_back(std::make_unique<Entry>()).get());
    Entry& entry = *free_.back();
    free_.pop_back();
    return entry;
  }

  ResultFuture<Out> newTry(Entry& entry) {
    entry.running = std::make_shared<AsyncTryOf<Out>>(entry);
    return ResultFuture<Out>(entry.running, completions_);
  }

  void attempt(Entry& entry) {
    ++entry.tries;
    withRecord(entry, [&] { function_.F::asyncInvoke(std::as_const(entry.record), newTry(entry)); });
  }

  /// Whether some tries were complete. When none was, the next one wakes the operator, unless it is going to
  /// look again anyway.
  bool settleCompleted() {
    completions_->take(completed_, !canStart());
    const bool some = !completed_.empty();
    for (const auto& completed : completed_) {
      Entry& entry = static_cast<Entry&>(*completed->entry);
      withRecord(entry, [&] { settle(entry, static_cast<AsyncTryOf<Out>&>(*completed)); });
    }
    completed_.clear();
    return some;
  }

  void settle(Entry& entry, AsyncTryOf<Out>& completed) {
    entry.running.reset();
    if constexpr (kRetries) {
      if (!ended_ && !entry.timedOut && retry_.canRetry(entry.tries) && isToBeRetried(completed)) {
        retriesMade_->add();
        const int64_t pause = std::max<int64_t>(0, Duration(retry_.backoff(entry.tries)).ms);
        const int64_t now = context_->monotonicNanos();
        queue_.backOff(entry, now + std::min(pause, (AsyncQueue::kNever - now) / 1'000'000 - 1) * 1'000'000);
        return;
      }
    }
    if (completed.error) throw *std::move(completed.error);
    entry.results = std::move(completed.results);
    queue_.finish(entry);
  }

  bool isToBeRetried(const AsyncTryOf<Out>& completed) {
    if (completed.error) return retry_.retriesException(*completed.error);
    return retry_.retriesResult(std::span<const Out>(completed.results));
  }

  /// Time-outs and tries that are due; at the end of the input a try that waits is made at once, the last of
  /// its request.
  bool runDue() {
    bool some = false;
    const int64_t now = context_->monotonicNanos();
    while (AsyncEntry* due = queue_.takeTimedOut(now)) {
      some = true;
      timeOut(static_cast<Entry&>(*due));
    }
    while (AsyncEntry* due = queue_.takeRetry(ended_ ? AsyncQueue::kNever : now)) {
      some = true;
      attempt(static_cast<Entry&>(*due));
    }
    return some;
  }

  void timeOut(Entry& entry) {
    withRecord(entry, [&] {
      ResultFuture<Out> future =
          entry.running ? ResultFuture<Out>(entry.running, completions_) : newTry(entry);
      if constexpr (overridesTimeout<F>()) {
        function_.F::timeout(std::as_const(entry.record), std::move(future));
      } else {
        future.completeExceptionally(asyncTimeoutError(options_.timeout, entry.tries));
      }
    });
  }

  /// False when it stopped because the output is full.
  bool putOut(Output& output) {
    for (;;) {
      if (collector_.full()) return false;
      const AsyncQueue::Ready ready = queue_.takeReady();
      if (const auto* entry = std::get_if<AsyncEntry*>(&ready)) {
        putOut(static_cast<Entry&>(**entry), output);
      } else if (std::holds_alternative<std::monostate>(ready)) {
        return true;
      } else {
        collector_.flush();
        if (const auto* watermark = std::get_if<Watermark>(&ready)) output.emitWatermark(*watermark);
        if (const auto* status = std::get_if<WatermarkStatus>(&ready)) output.emitStatus(*status);
        if (output.full()) return false;
      }
    }
  }

  void putOut(Entry& entry, Output& output) {
    collector_.start(output, entry.timestamp.has_value());
    collector_.setTimestamp(entry.timestamp.value_or(0));
    for (Out& result : entry.results) collector_.collect(std::move(result));
    entry.results.clear();
    free_.push_back(&entry);
  }

  template <typename Call>
  void withRecord(const Entry& entry, Call&& call) {
    try {
      call();
    } catch (...) {
      throwAtRecord(toText(entry.record));
    }
  }

  const AsyncWaitOptions options_;
  F function_;
  Retry retry_;
  OperatorContext* context_ = nullptr;
  Counter* retriesMade_ = nullptr;
  AsyncQueue queue_;
  std::shared_ptr<AsyncCompletions> completions_;
  std::vector<std::shared_ptr<AsyncTry>> completed_;
  std::vector<std::unique_ptr<Entry>> entries_;  // as many as were ever under way at a time
  std::vector<Entry*> free_;
  Batch batch_;  // taken up to next_
  size_t next_ = 0;
  OperatorListState<PendingRequest<In>>* pending_ = nullptr;
  std::vector<PendingRequest<In>> restored_;  // taken up to nextRestored_
  size_t nextRestored_ = 0;
  int64_t wakeAt_ = AsyncQueue::kNever;
  bool ended_ = false;
  Collector<Out> collector_;
};

}  // namespace flott
