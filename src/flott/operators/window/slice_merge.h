// Several slices of time as one: walks their tables side by side, key by key.
//
// Every table is in the order of the key hash, so that equal keys are met together and nothing is looked up.
// The tables must not change during a walk. Owned by a window operator, used on its task's thread.
//
//   merge.add(table);                                  // slices in the order of time
//   while (merge.next()) use(merge.key(), merge.parts());
//   merge.clear();
#pragma once

#include <algorithm>
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
    advance(sources_.size() - 1);
  }
  /// Moves to the next key. False when there is none.
  bool next() {
    parts_.clear();
    if (left_ == 0) return false;
    hash_ = *std::min_element(hashes_.begin(), hashes_.end());
    key_ = nullptr;
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (hashes_[i] != hash_ || sources_[i].ended) continue;
      const K& key = keyOf(i);
      if (key_ == nullptr) {
        key_ = &key;
      } else if (!keyEquals(key, *key_)) [[unlikely]] {
        if (compareEncoded(typeOps<K>(), &key, key_) > 0) continue;
        key_ = &key;  // two keys with one hash: those before come later
        parts_.clear();
        held_.clear();
      }
      parts_.push_back(reinterpret_cast<const Acc*>(sources_[i].entry.value));
      held_.push_back(i);
    }
    return true;
  }
  /// After next(): on to the entries behind this key. What it was is void.
  void pass() {
    for (const size_t i : held_) advance(i);
    held_.clear();
  }
  void clear() {
    sources_.clear();
    hashes_.clear();
    parts_.clear();
    held_.clear();
    left_ = 0;
  }
  bool begun() const { return !sources_.empty(); }

  uint64_t hash() const { return hash_; }
  const K& key() const { return *key_; }
  /// What the slices hold for the key, in the order in which they were added.
  std::span<const Acc* const> parts() const { return parts_; }

 private:
  struct Source {
    const StateTable* table = nullptr;
    StateTable::Cursor cursor;
    StateTable::Entry entry{};
    bool ended = true;
  };

  const K& keyOf(size_t i) const { return *static_cast<const K*>(sources_[i].entry.key); }
  void advance(size_t i) {
    Source& source = sources_[i];
    left_ -= source.ended ? 0 : 1;
    source.ended = !source.table->next(source.cursor, source.entry);
    left_ += source.ended ? 0 : 1;
    hashes_[i] = source.ended ? ~uint64_t{0} : source.entry.hash;
  }

  std::vector<Source> sources_;
  std::vector<uint64_t> hashes_;  // of the entry that each source is at
  size_t left_ = 0;               // sources that have not ended
  uint64_t hash_ = 0;
  const K* key_ = nullptr;
  std::vector<const Acc*> parts_;
  std::vector<size_t> held_;  // the sources of the parts
};

}  // namespace flott
