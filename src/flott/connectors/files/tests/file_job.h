// A job of one file source and nothing else, run in the test's thread: a master with the enumerator, and
// readers.
//
//   FileJob job(textFiles("in").factory, world.env(), 2);
//   job.run();
//   EXPECT_EQ(job.taken<std::string>(), …);
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/env.h"
#include "flott/formats/bad_record.h"
#include "flott/operators/tests/test_task.h"

namespace flott {

class FileJob final : private SplitEnumeratorContext {
 public:
  FileJob(std::shared_ptr<const SourceFactory> factory, Env env, int readers,
          const std::string& restored = {})
      : factory_(std::move(factory)), env_(env), enumerator_(factory_->createEnumerator(restored)) {
    for (int i = 0; i < readers; ++i) {
      Reader& reader = readers_.emplace_back();
      reader.task = std::make_unique<TestTask>(&env_);
      reader.reader = factory_->createReader();
      reader.reader->open(*reader.task);
    }
    enumerator_->start(*this);
    for (int i = 0; i < readers; ++i) enumerator_->addReader(SubtaskIndex(i));
  }

  /// One turn of each reader and of the master. False when nothing could be done.
  bool step() {
    bool moved = false;
    if (!async_.empty()) {
      auto [work, done] = std::move(async_.front());
      async_.pop_front();
      work();
      done();
      moved = true;
    }
    for (int i = 0; i < parallelism(); ++i) moved |= stepReader(i);
    return moved;
  }
  /// Until nothing moves.
  void run() {
    while (step()) {
    }
  }
  /// Lets the interval of discovery pass.
  void passTime() {
    for (auto& then : std::exchange(later_, {})) then();
  }
  bool ended() const {
    return std::all_of(readers_.begin(), readers_.end(), [](const Reader& reader) { return reader.ended; });
  }

  /// What all readers put out so far, reader by reader.
  template <typename T>
  std::vector<T> taken() {
    std::vector<T> all;
    for (Reader& reader : readers_) {
      for (Element& element : reader.task->emitted) {
        Batch& batch = std::get<Batch>(element);
        if (batch->tag() != &kRowsTag<T>) continue;
        for (const T& row : batch.rows<T>()) all.push_back(row);
      }
    }
    return all;
  }
  /// Each record as print() shows it.
  std::vector<std::string> printed() {
    std::vector<std::string> all;
    for (Reader& reader : readers_) {
      for (Element& element : reader.task->emitted) {
        Batch& batch = std::get<Batch>(element);
        if (batch->tag() == &kRowsTag<BadRecord>) continue;
        for (size_t i = 0; i < batch.size(); ++i) all.push_back(batch->print(i));
      }
    }
    return all;
  }
  std::string metric(const std::string& name) {
    int64_t sum = 0;
    for (Reader& reader : readers_) sum += reader.task->metrics().counter(name).value();
    return std::to_string(sum);
  }
  size_t splitsHandedOut() const { return handedOut_; }

  struct Snapshot {
    std::string enumerator;
    std::vector<SourceSplit> splits;
  };
  Snapshot snapshot() {
    Snapshot snapshot{.enumerator = enumerator_->snapshot(), .splits = {}};
    for (Reader& reader : readers_) {
      for (SourceSplit& split : reader.reader->snapshot()) snapshot.splits.push_back(std::move(split));
      for (const SourceSplit& split : reader.onTheWay) snapshot.splits.push_back(split);
    }
    return snapshot;
  }
  /// To a job of other readers, before it runs.
  void giveBack(std::vector<SourceSplit> splits) {
    enumerator_->addSplitsBack(std::move(splits), SubtaskIndex(0));
  }

 private:
  struct Reader {
    std::unique_ptr<TestTask> task;
    std::unique_ptr<SourceReader> reader;
    std::vector<SourceSplit> onTheWay;
    int answered = 0;  // requests for splits
    bool noMore = false;
    bool ended = false;
  };

  bool stepReader(int index) {
    Reader& reader = readers_[static_cast<size_t>(index)];
    if (reader.ended) return false;
    bool moved = false;
    if (!reader.onTheWay.empty()) {
      reader.reader->addSplits(std::exchange(reader.onTheWay, {}));
      moved = true;
    }
    if (std::exchange(reader.noMore, false)) reader.reader->onNoMoreSplits();
    const Poll poll = reader.reader->poll(*reader.task);
    reader.ended = poll == Poll::kEnd;
    moved |= poll != Poll::kIdle;
    if (poll == Poll::kIdle) moved |= reader.task->runOffloaded();
    if (reader.answered < reader.task->splitRequests) {
      ++reader.answered;
      enumerator_->handleSplitRequest(SubtaskIndex(index));
      moved = true;
    }
    return moved;
  }

  Env& env() override { return env_; }
  int parallelism() const override { return static_cast<int>(readers_.size()); }
  void assign(SubtaskIndex reader, SourceSplit split) override {
    ++handedOut_;
    readers_[static_cast<size_t>(reader.value)].onTheWay.push_back(std::move(split));
  }
  void signalNoMoreSplits(SubtaskIndex reader) override {
    readers_[static_cast<size_t>(reader.value)].noMore = true;
  }
  void sendEvent(SubtaskIndex, std::string) override {}
  void callAsync(std::string, MoveFunction<void()> work, MoveFunction<void()> done) override {
    async_.emplace_back(std::move(work), std::move(done));
  }
  void callAfter(Duration, MoveFunction<void()> then) override { later_.push_back(std::move(then)); }

  std::shared_ptr<const SourceFactory> factory_;
  Env env_;
  std::vector<Reader> readers_;
  std::deque<std::pair<MoveFunction<void()>, MoveFunction<void()>>> async_;
  std::vector<MoveFunction<void()>> later_;
  size_t handedOut_ = 0;
  std::unique_ptr<SplitEnumerator> enumerator_;
};

}  // namespace flott
