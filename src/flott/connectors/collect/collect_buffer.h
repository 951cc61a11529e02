// The client's end of a collect sink: the results of a job as values, for executeAndCollect() and tests.
//
// Made before the job starts; its sink() becomes the operator at the end of the stream. Then the client polls
// while the job runs. A client that does not read holds the job back once `capacity` records wait. The order
// is that of each sink subtask. One thread at a time, which need not be that of the job; may outlive it.
//
//   CollectBuffer<int> results;
//   stream.transformToSink("Collect", results.sink());
//   … while the job runs …
//   while (std::optional<int> value = results.poll()) use(*value);
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "flott/connectors/collect/collect_queue.h"
#include "flott/data/rows.h"

namespace flott {

template <typename T>
class CollectBuffer {
 public:
  explicit CollectBuffer(size_t capacity = 64 * 1024)
      : queue_(std::make_shared<CollectQueue>(
            []() -> std::unique_ptr<BatchBody> { return std::make_unique<Rows<T>>(); }, capacity)) {}

  std::shared_ptr<const OperatorFactory> sink() const { return collectOperator(queue_); }
  /// `ring` is called on a thread of the job whenever poll() may have something again. It must not call the
  /// buffer: it wakes who does.
  void onArrival(MoveFunction<void()> ring) { queue_->onArrival(std::move(ring)); }

  /// The next value; nothing when none is there now. After the end of the job nothing is the end.
  std::optional<T> poll() {
    if (next_ == batch_.size()) {
      batch_ = queue_->take();
      next_ = 0;
      if (batch_.size() == 0) return std::nullopt;
    }
    return std::move(batch_.template rows<T>()[next_++]);
  }
  /// All values that are there now.
  std::vector<T> takeAll() {
    std::vector<T> all;
    while (std::optional<T> value = poll()) all.push_back(*std::move(value));
    return all;
  }

 private:
  std::shared_ptr<CollectQueue> queue_;
  Batch batch_;
  size_t next_ = 0;
};

}  // namespace flott
