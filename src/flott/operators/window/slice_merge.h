// Several slices of time as one: walks their tables side by side, key by key.
//
// Every table is in the order of the key hash, so that equal keys are met together and nothing is looked up.
// The tables must neither change during a walk nor give entries to a store on disk. Owned by a window
// operator, used on its task's thread.
//
//   merge.add(table);                                  // slices in the order of time
//   while (merge.next()) use(merge.key(), merge.parts());
//   merge.clear();
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "flott/state/typed_table.h"

namespace flott {

template <typename K, typename Acc>
class SliceMerge {
 public:
  /// Before the first next().
  void add(TypedTable<K, Acc> table) {
    Source& source = sources_.emplace_back();
    source.table = &table.untyped();
    hashes_.push_back(0);
    parts_.push_back(nullptr);
    held_.push_back(0);
    ++left_;
    advance(sources_.size() - 1);
  }
  /// Moves to the next key. False when there is none.
  bool next() {
    count_ = 0;
    if (left_ == 0) return false;
    hash_ = *std::min_element(hashes_.begin(), hashes_.end());
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (hashes_[i] != hash_ || sources_[i].ended()) continue;
      const StateTable::Entry& entry = sources_[i].entry();
      const K& key = *static_cast<const K*>(entry.key);
      if constexpr (!kWordKey<K>) {  // two keys with one hash: those before come later
        if (count_ > 0 && !keyEquals(key, *key_)) [[unlikely]] {
          if (compareEncoded(typeOps<K>(), &key, key_) > 0) continue;
          count_ = 0;
        }
      }
      key_ = &key;
      parts_[count_] = reinterpret_cast<const Acc*>(entry.value);
      held_[count_] = i;
      ++count_;
    }
    return true;
  }
  /// After next(): on to the entries behind this key. What it was is void.
  void pass() {
    for (size_t n = 0; n < count_; ++n) advance(held_[n]);
    count_ = 0;
  }
  void clear() {
    sources_.clear();
    hashes_.clear();
    parts_.clear();
    held_.clear();
    count_ = 0;
    left_ = 0;
  }
  bool begun() const { return !sources_.empty(); }

  uint64_t hash() const { return hash_; }
  const K& key() const { return *key_; }
  /// What the slices hold for the key, in the order in which they were added.
  std::span<const Acc* const> parts() const { return {parts_.data(), count_}; }

 private:
  static constexpr size_t kAtOnce = 32;  // entries read from a table

  struct Source {
    const StateTable* table = nullptr;
    StateTable::Cursor cursor;
    std::array<StateTable::Entry, kAtOnce> entries;
    size_t at = 0;
    size_t count = 0;  // 0: the table has ended

    bool ended() const { return count == 0; }
    const StateTable::Entry& entry() const { return entries[at]; }
  };

  void advance(size_t i) {
    Source& source = sources_[i];
    if (++source.at >= source.count) {
      source.at = 0;
      source.count = source.table->nextSome(source.cursor, source.entries);
      if (source.ended()) {
        --left_;
        hashes_[i] = ~uint64_t{0};
        return;
      }
    }
    hashes_[i] = source.entry().hash;
  }

  std::vector<Source> sources_;
  std::vector<uint64_t> hashes_;  // of the entry that each source is at
  size_t left_ = 0;               // sources that have not ended
  uint64_t hash_ = 0;
  const K* key_ = nullptr;
  size_t count_ = 0;               // of the key:
  std::vector<const Acc*> parts_;  // what it has,
  std::vector<size_t> held_;       // and the sources it is from
};

}  // namespace flott
