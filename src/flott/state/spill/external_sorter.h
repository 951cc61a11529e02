// Any number of records, given back once in an order, in bounded memory.
//
// Records are kept as they are up to a limit. Beyond it they are sorted and written to disk as a run
// (spilled_run.h), and in the end all runs are merged while they are read. With ArrivalOrder it is a queue
// that may be longer than memory. Equal records keep the order in which they came.
//
// add() and full() do not block and belong to the task's thread; all else may block and belongs to off-load
// threads. One thread at a time.
//
//   sorter.add(record); if (sorter.full()) sorter.spill();
//   sorter.finish();
//   while (Click* click = sorter.next()) use(std::move(*click));
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "flott/data/codec.h"
#include "flott/data/heap_bytes.h"
#include "flott/state/spill/spilled_run.h"

namespace flott {

template <typename T, typename Order>
class ExternalSorter {
 public:
  /// `memory` in bytes, for the records kept; reading runs takes up to kFanIn blocks for each level of merges
  /// beside it.
  ExternalSorter(SpillPlace place, uint64_t memory, Order order)
      : place_(std::move(place)), memory_(memory), order_(std::move(order)) {}

  void add(T&& record) {
    bytes_ += kBytesEach + heapBytes(record);
    rows_.push_back(std::move(record));
  }
  /// spill() must come before the next add().
  bool full() const { return bytes_ >= memory_ || rows_.size() == kMaxRows; }
  /// Bytes written to disk so far.
  uint64_t spilledBytes() const { return spilledBytes_; }
  const Order& order() const { return order_; }

  /// Writes what is in memory to disk.
  void spill() {
    RunWriter writer(place_.files(), place_.next());
    forEachSorted([&](const T& record) { write(record, writer); });
    keepRun(writer.finish(), 0);
    rows_.clear();
    entries_ = {};
    bytes_ = 0;
    mergeLevels();
  }
  /// After the last record, before the first next().
  void finish() {
    if constexpr (Order::kSorts) sortRows();
    for (Run& run : runs_) addHead(std::make_unique<RunReader>(std::move(run.file)));
    runs_.clear();
    addHead(nullptr);
    for (size_t i = heads_.size() / 2; i-- > 0;) sink(i);
  }
  /// The next record, good until the next call; the caller may move it away. Null at the end.
  T* next() {
    if (begun_) advance();
    begun_ = true;
    return heads_.empty() ? nullptr : &heads_.front()->record;
  }

 private:
  /// Runs of one level that are merged into one of the next, which bounds files and memory for reading.
  static constexpr size_t kFanIn = 32;
  static constexpr size_t kMaxRows = std::numeric_limits<uint32_t>::max();

  struct Entry {
    typename Order::Key key;
    uint32_t row;
  };
  // Sorting keeps half as many entries again.
  static constexpr uint64_t kBytesEach = sizeof(T) + (Order::kSorts ? sizeof(Entry) * 3 / 2 : 0);

  struct Run {
    SpilledRun file;
    int level = 0;  // merges it went through
  };
  /// The next record of one run, or of what is in memory.
  struct Head {
    std::unique_ptr<RunReader> reader;  // null: memory
    uint32_t rank = 0;                  // in the order of time
    T record{};
    std::optional<typename Order::Key> key;
  };

  static void write(const T& record, RunWriter& writer) {
    Codec<T>::encode(record, writer.record());
    writer.recordEnds();
  }

  void sortRows() {
    entries_.reserve(rows_.size());
    for (uint32_t row = 0; row < rows_.size(); ++row) entries_.push_back({order_.keyOf(rows_[row]), row});
    std::stable_sort(entries_.begin(), entries_.end(),
                     [&](const Entry& a, const Entry& b) { return order_.before(a.key, b.key); });
  }

  template <typename F>
  void forEachSorted(F&& f) {
    if constexpr (Order::kSorts) {
      sortRows();
      for (const Entry& entry : entries_) f(rows_[entry.row]);
    } else {
      for (const T& record : rows_) f(record);
    }
  }

  void keepRun(SpilledRun run, int level) {
    spilledBytes_ += run.bytes;
    runs_.push_back({std::move(run), level});
  }

  // The runs of a level lie side by side, older ones before younger ones: a merge of neighbours keeps the
  // order of time.
  void mergeLevels() {
    while (runs_.size() >= kFanIn && runs_[runs_.size() - kFanIn].level == runs_.back().level) {
      const int level = runs_.back().level;
      ExternalSorter part(place_, 0, order_);
      part.runs_.assign(std::make_move_iterator(runs_.end() - kFanIn), std::make_move_iterator(runs_.end()));
      runs_.erase(runs_.end() - kFanIn, runs_.end());
      part.finish();
      RunWriter writer(place_.files(), place_.next());
      while (const T* record = part.next()) write(*record, writer);
      keepRun(writer.finish(), level + 1);
    }
  }

  void addHead(std::unique_ptr<RunReader> reader) {
    auto head = std::make_unique<Head>();
    head->reader = std::move(reader);
    head->rank = static_cast<uint32_t>(heads_.size());
    if (load(*head)) heads_.push_back(std::move(head));
  }

  /// The head's next record; false at its end.
  bool load(Head& head) {
    if (head.reader != nullptr) {
      ByteReader* in = head.reader->next();
      if (in == nullptr) return false;
      Codec<T>::decode(*in, head.record);
    } else {
      if (nextRow_ == rows_.size()) return false;
      if constexpr (Order::kSorts) {
        head.record = std::move(rows_[entries_[nextRow_++].row]);
      } else {
        head.record = std::move(rows_[nextRow_++]);
      }
    }
    head.key.emplace(order_.keyOf(head.record));
    return true;
  }

  void advance() {
    if (heads_.empty()) return;
    if (!load(*heads_.front())) {
      heads_.front() = std::move(heads_.back());
      heads_.pop_back();
    }
    sink(0);
  }

  bool before(const Head& a, const Head& b) const {
    if (order_.before(*a.key, *b.key)) return true;
    return a.rank < b.rank && !order_.before(*b.key, *a.key);
  }

  /// Restores the heap when head i may have become too large for its place.
  void sink(size_t i) {
    for (;;) {
      size_t least = i;
      for (const size_t child : {2 * i + 1, 2 * i + 2}) {
        if (child < heads_.size() && before(*heads_[child], *heads_[least])) least = child;
      }
      if (least == i) return;
      std::swap(heads_[i], heads_[least]);
      i = least;
    }
  }

  SpillPlace place_;
  const uint64_t memory_;
  const Order order_;
  std::deque<T> rows_;  // in the order of arrival
  std::vector<Entry> entries_;
  size_t nextRow_ = 0;
  uint64_t bytes_ = 0;
  uint64_t spilledBytes_ = 0;
  std::vector<Run> runs_;
  std::vector<std::unique_ptr<Head>> heads_;  // a heap, the next one first
  bool begun_ = false;
};

}  // namespace flott
