#include "flott/connectors/collect/collect_queue.h"

#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "flott/operators/function.h"

namespace flott {

struct CollectQueue::Shared {
  struct Sink {
    MoveFunction<void()> wake;  // empty once it has left
    bool waits = false;
  };

  Shared(BatchPool::Make makeBatch, size_t mostRecords) : make(makeBatch), capacity(mostRecords) {}

  const BatchPool::Make make;
  const size_t capacity;
  std::mutex mutex;
  std::deque<Batch> batches;
  size_t records = 0;
  std::vector<Sink> sinks;
  MoveFunction<void()> ring;

  /// With the lock held.
  void append(Batch batch) {
    records += batch.size();
    if (batches.empty() || batches.back()->size() + batch.size() > batches.back()->capacity())
      batches.emplace_back(make());
    batches.back()->append(std::move(batch));
  }
};

CollectQueue::CollectQueue(BatchPool::Make make, size_t capacity)
    : shared_(std::make_unique<Shared>(make, capacity)) {}
CollectQueue::~CollectQueue() = default;

int CollectQueue::join(MoveFunction<void()> wake) {
  const std::lock_guard lock(shared_->mutex);
  shared_->sinks.push_back({.wake = std::move(wake)});
  return static_cast<int>(shared_->sinks.size()) - 1;
}

void CollectQueue::leave(int sink) {
  const std::lock_guard lock(shared_->mutex);
  shared_->sinks[static_cast<size_t>(sink)] = {};
}

bool CollectQueue::offer(int sink, Batch& batch) {
  batch->dropTimestamps();
  batch->dropHashes();
  const std::lock_guard lock(shared_->mutex);
  if (shared_->records >= shared_->capacity) {
    shared_->sinks[static_cast<size_t>(sink)].waits = true;
    return false;
  }
  shared_->append(std::move(batch));
  if (shared_->ring) shared_->ring();
  return true;
}

Batch CollectQueue::take() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->batches.empty()) return {};
  Batch batch = std::move(shared_->batches.front());
  shared_->batches.pop_front();
  shared_->records -= batch.size();
  if (shared_->records >= shared_->capacity) return batch;
  for (Shared::Sink& sink : shared_->sinks) {
    if (std::exchange(sink.waits, false)) sink.wake();
  }
  return batch;
}

void CollectQueue::onArrival(MoveFunction<void()> ring) {
  const std::lock_guard lock(shared_->mutex);
  shared_->ring = std::move(ring);
  if (shared_->ring && !shared_->batches.empty()) shared_->ring();
}

namespace {

class CollectOperator final : public Operator {
 public:
  explicit CollectOperator(std::shared_ptr<CollectQueue> queue) : queue_(std::move(queue)) {}

  void open(OperatorContext& context) override { sink_ = queue_->join(context.resumeFromAnyThread()); }
  void close() noexcept override {
    if (sink_) queue_->leave(*sink_);
  }

  Step onBatch(int, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    return resume(output);
  }
  Step resume(Output&) override {
    if (batch_ && !queue_->offer(*sink_, batch_)) return Step::kWait;
    return Step::kDone;
  }

 private:
  const std::shared_ptr<CollectQueue> queue_;
  std::optional<int> sink_;
  Batch batch_;
};

}  // namespace

std::shared_ptr<const OperatorFactory> collectOperator(std::shared_ptr<CollectQueue> queue) {
  return operatorFactory<CollectOperator>(std::move(queue));
}

}  // namespace flott
