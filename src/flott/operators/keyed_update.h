// The loop of operators that keep one value for each key: looks up the keys of a batch and updates their
// values.
//
// Called on the task's thread with a batch that has key hashes. An exception of a user's function leaves with
// the record it happened at.
//
//   updateByKey(table_, batch.rows<Click>(), selector_, [](Click& first, int64_t& count) { count = 1; },
//               [](Click& click, int64_t& count) { ++count; });
#pragma once

#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/state/typed_table.h"

namespace flott {

/// For each record, those of a key in order: onFirst(T&, V&) with a fresh, value-initialised value when its
/// key had none, else onNext(T&, V&).
template <typename K, typename V, typename T, typename Selector, typename OnFirst, typename OnNext>
void updateByKey(TypedTable<K, V> table, Rows<T>& rows, const Selector& selector, OnFirst&& onFirst,
                 OnNext&& onNext) {
  size_t i = 0;
  try {
    T* const records = rows.data();
    const auto same = [](size_t n) { return n; };
    table.upsert(
        {rows.hashes(), rows.size()}, i, KeyOfRow<T, Selector, decltype(same)>{records, selector, same},
        [&](V& fresh, size_t n) { onFirst(records[n], fresh); },
        [&](V& value, size_t n) { onNext(records[n], value); });
  } catch (...) {
    throwAtRecord(rows, i);
  }
}

}  // namespace flott
