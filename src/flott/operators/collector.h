// Where a user's function puts its results: fills batches and hands them on when they are full.
//
// Belongs to one operator instance and is only good during the call it is passed to. collect() is inlined and
// costs a move into the batch; the timestamp of the record at hand is attached when the input has timestamps.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/base/function.h"
#include "flott/data/rows.h"
#include "flott/operators/operator.h"

namespace flott {

/// A member of an aggregate, made in its place; by an explicit constructor too, but not by narrowing.
template <typename A>
struct MemberFrom {
  A&& from;

  template <typename Member>
  requires(std::is_constructible_v<Member, A>) operator Member() const {
    if constexpr (std::is_class_v<Member>) {
      return Member(std::forward<A>(from));
    } else {
      return Member{std::forward<A>(from)};
    }
  }
};

template <typename T>
class Collector {
 public:
  Collector() = default;
  ~Collector() { settle(); }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void collect(const T& value) { emplace(value); }
  void collect(T&& value) { emplace(std::move(value)); }
  /// Makes the record where it will lie, from the arguments of a constructor or from one for each member:
  /// with a string_view for a std::string, say, nothing is moved.
  template <typename... A>
  void emplace(A&&... args) {
    if (next_ == end_) [[unlikely]]
      begin();
    if constexpr (std::is_constructible_v<T, A...>) {
      ::new (static_cast<void*>(next_)) T(std::forward<A>(args)...);
    } else if constexpr (requires { T{std::forward<A>(args)...}; }) {
      ::new (static_cast<void*>(next_)) T{std::forward<A>(args)...};
    } else {
      ::new (static_cast<void*>(next_)) T{MemberFrom<A>{std::forward<A>(args)}...};
    }
    if (stamped_) rows_->timestamps()[next_ - rows_->data()] = timestamp_;
    if (++next_ == end_) [[unlikely]]
      flush();
  }

  // What follows is for operators.

  /// Before the first record.
  void open(BatchPools& pools, SideOutputIndex side = SideOutputIndex(-1)) {
    pool_ = &rowsPool<T>(pools);
    side_ = side;
  }
  /// Records of this call go to `output`, with timestamps if `stamped`. A batch that is open without them
  /// goes first.
  void start(Output& output, bool stamped) {
    output_ = &output;
    if (stamped != stamped_) {
      flush();
      stamped_ = stamped;
    }
  }
  void setTimestamp(int64_t timestamp) { timestamp_ = timestamp; }
  int64_t timestamp() const { return timestamp_; }
  bool stamped() const { return stamped_; }
  /// Stop at the next record: a batch was handed on and the output is full since, or results have to wait.
  bool full() const { return full_; }
  /// More results belong here than are to be put out now. more(collector) puts out some until full(), and
  /// returns whether that was all; it is called from clearFull() on. Where records are worked off one by one,
  /// an operator that calls clearFull() and looks at full() before the next needs to do nothing else.
  void goOnWith(MoveFunction<bool(Collector&)> more) {
    later_.push_back({std::move(more), timestamp_});
    full_ = true;
  }
  void flush() {
    if (rows_ == nullptr) return;
    settle();
    if (side_.value < 0) {
      output_->emit(std::move(batch_));
    } else {
      output_->emitSide(side_, std::move(batch_));
    }
    full_ = output_->full() || !later_.empty();
  }
  /// The output may have room again: goes on with results that had to wait.
  void clearFull() {
    full_ = false;
    if (!later_.empty()) [[unlikely]]
      goOn();
  }

 private:
  /// Results that had to wait, with their timestamp.
  struct Later {
    MoveFunction<bool(Collector&)> more;
    int64_t timestamp;
  };

  void goOn() {
    const int64_t timestamp = timestamp_;
    std::vector<Later> waiting = std::move(later_);
    later_.clear();
    size_t done = 0;
    for (; done < waiting.size() && !full_; ++done) {
      timestamp_ = waiting[done].timestamp;
      if (!waiting[done].more(*this)) break;
    }
    timestamp_ = timestamp;
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(done));
    later_ = std::move(waiting);
    full_ |= !later_.empty();
  }

  void begin() {
    batch_ = pool_->acquire();
    rows_ = &batch_.template rows<T>();
    next_ = rows_->beginFilling();
    end_ = next_ + Rows<T>::kRows;
    if (stamped_) rows_->enableTimestamps();
  }
  void settle() {
    if (rows_ != nullptr) rows_->endFilling(next_);
    rows_ = nullptr;
    next_ = end_ = nullptr;
  }

  Rows<T>* rows_ = nullptr;  // of batch_, while it is being filled
  T* next_ = nullptr;        // where the next row goes,
  T* end_ = nullptr;         // and where the batch is full
  int64_t timestamp_ = 0;
  bool stamped_ = false;
  bool full_ = false;
  std::vector<Later> later_;
  SideOutputIndex side_{-1};
  Batch batch_;
  BatchPool* pool_ = nullptr;
  Output* output_ = nullptr;
};

}  // namespace flott
