// Several slices of time as one: walks their tables side by side, key by key.
//
// Every table is in the order of the key hash, so that equal keys are met together and nothing is looked up.
// Where a key is in all slices, the next one mostly is as well: then the words of the slots at hand are
// compared, and no hash is needed. Otherwise a heap tells which slices come first.
//
// The tables must neither change during a walk nor give entries to a store on disk. Owned by a window
// operator, used on its task's thread.
//
//   merge.add(table);                                  // slices in the order of time
//   while (merge.next()) {
//     use(merge.key(), merge.parts());
//     merge.pass();
//   }
//   merge.clear();
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "flott/state/typed_table.h"

namespace flott {

template <typename K, typename Acc>
class SliceMerge {
 public:
  /// Before the first next().
  void add(TypedTable<K, Acc> table) {
    const size_t source = sources_.size();
    sources_.push_back({&table.untyped(), {}});
    Place place{nullptr, nullptr, 0, source};
    if (refill(place)) places_.push_back(place);
    parts_.resize(sources_.size());
  }
  /// Moves to the next key. False when there is none.
  bool next() {
    if (places_.empty()) return false;
    if (together_ && gatherFromAll()) return true;
    gatherFirst();
    return true;
  }
  /// After next(): on to the entries behind this key. What it was is void.
  void pass() {
    if (together_) {
      for (Place& place : places_) advance(place);
    } else {
      for (const uint32_t i : held_) advance(places_[i]);
      together_ = held_.size() == places_.size();
      for (const uint32_t i : held_) {
        if (places_[i].at != nullptr) push(i);
      }
    }
    if (someEnded_) [[unlikely]] {
      std::erase_if(places_, [](const Place& place) { return place.at == nullptr; });
      someEnded_ = false;
      inOrder_ = false;
    }
  }
  void clear() {
    sources_.clear();
    places_.clear();
    together_ = true;
    inOrder_ = false;
  }
  bool begun() const { return !sources_.empty(); }

  const K& key() const { return keyAt(*first_); }
  uint64_t hash() const {
    const uint64_t word = loadWord(first_->at);
    return kWordKey<K> || word == hashWord(0) ? hashKey(key()) : word;
  }
  /// What the slices hold for the key, in the order in which they were added.
  std::span<const Acc* const> parts() const { return {parts_.data(), count_}; }

 private:
  static constexpr SlotLayout kLayout = SlotLayout::of<K, Acc>();

  struct Source {
    const StateTable* table = nullptr;
    StateTable::Cursor cursor;
  };
  /// Where the walk through a table is.
  struct Place {
    std::byte* at;     // the slot of its next entry; null when it has ended
    std::byte* slots;  // of the stretch at hand
    uint64_t left;     // entries of the stretch from `at` on, a bit each
    size_t source;
  };
  /// The next entry of a place, by its place in the order of tables.
  struct Head {
    uint64_t order;
    uint32_t place;
  };

  static const K& keyAt(const Place& place) {
    return *reinterpret_cast<const K*>(place.at + kLayout.keyOffset);
  }
  static const Acc* partAt(const Place& place) {
    const std::byte* value = place.at + kLayout.valueOffset;
    if constexpr (kLayout.boxedValue) std::memcpy(&value, value, sizeof value);
    return reinterpret_cast<const Acc*>(value);
  }
  static uint64_t orderAt(const Place& place) {
    if constexpr (kWordKey<K>) return hashKey(keyAt(place));
    return loadWord(place.at);
  }

  void advance(Place& place) {
    place.left &= place.left - 1;
    if (place.left == 0) [[unlikely]] {
      someEnded_ |= !refill(place);
      return;
    }
    place.at = place.slots + static_cast<size_t>(std::countr_zero(place.left)) * kLayout.stride;
  }
  bool refill(Place& place) {
    Source& source = sources_[place.source];
    const StateTable::Stretch stretch = source.table->nextStretch(source.cursor);
    if (stretch.entries == 0) {
      place.at = nullptr;
      return false;
    }
    place.slots = stretch.slots;
    place.left = stretch.entries;
    place.at = place.slots + static_cast<size_t>(std::countr_zero(place.left)) * kLayout.stride;
    return true;
  }

  /// Takes the next key from all places, when they all have the same. Else the heap has to tell.
  bool gatherFromAll() {
    const uint64_t word = loadWord(places_[0].at);
    uint64_t differ = 0;
    for (const Place& place : places_) differ |= loadWord(place.at) ^ word;
    bool same = differ == 0;
    if constexpr (!kWordKey<K>) {
      for (size_t i = 1; same && i < places_.size(); ++i)
        same = keyEquals(keyAt(places_[0]), keyAt(places_[i]));
    }
    if (!same) {
      together_ = false;
      inOrder_ = false;
      return false;
    }
    count_ = places_.size();
    for (size_t i = 0; i < count_; ++i) parts_[i] = partAt(places_[i]);
    first_ = places_.data();
    return true;
  }

  void gatherFirst() {
    if (!inOrder_) {
      heads_.clear();
      for (uint32_t i = 0; i < places_.size(); ++i) heads_.push_back({orderAt(places_[i]), i});
      std::make_heap(heads_.begin(), heads_.end(), Later{places_});
      inOrder_ = true;
    }
    held_.clear();
    count_ = 0;
    const uint64_t order = heads_.front().order;
    first_ = &places_[heads_.front().place];
    do {
      const uint32_t i = heads_.front().place;
      if constexpr (!kWordKey<K>) {
        if (count_ > 0 && !keyEquals(keyAt(places_[i]), key())) break;
      }
      std::pop_heap(heads_.begin(), heads_.end(), Later{places_});
      heads_.pop_back();
      held_.push_back(i);
      parts_[count_++] = partAt(places_[i]);
    } while (!heads_.empty() && heads_.front().order == order);
  }
  void push(uint32_t i) {
    if (together_) return;  // the heap is not needed
    heads_.push_back({orderAt(places_[i]), i});
    std::push_heap(heads_.begin(), heads_.end(), Later{places_});
  }

  /// Two keys with one hash are in the order of their bytes, entries of one key in that of the slices.
  struct Later {
    const std::vector<Place>& places;

    bool operator()(const Head& a, const Head& b) const {
      if (a.order != b.order) return a.order > b.order;
      if constexpr (!kWordKey<K>) {
        const K& left = keyAt(places[a.place]);
        const K& right = keyAt(places[b.place]);
        if (!keyEquals(left, right)) return compareEncoded(typeOps<K>(), &left, &right) > 0;
      }
      return a.place > b.place;
    }
  };

  std::vector<Source> sources_;
  std::vector<Place> places_;  // those that have not ended, in the order of the slices
  bool together_ = true;       // the last key was in all of them
  bool inOrder_ = false;       // heads_ has all places, but for those of the key at hand
  bool someEnded_ = false;
  std::vector<Head> heads_;  // a heap: the first in the order of tables in front
  // Of the key:
  const Place* first_ = nullptr;
  std::vector<uint32_t> held_;  // the places that have it, unless all do
  std::vector<const Acc*> parts_;
  size_t count_ = 0;
};

}  // namespace flott
