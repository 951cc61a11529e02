// State of windows: one table a slice of time, made when its first record comes and dropped as a whole.
//
// A slice is named by its end. Its table's segments go back to the backend's pool when it is dropped, still
// warm, and the next slice's table takes them. Slices are walked in the order of time, entries within in the
// order of the key hash. A view on the backend's tables: copy it freely. Used on the task's thread only.
//
//   TypedTable<int64_t, Sum> table = slices.at(sliceEnd);      // then as any table
//   while (auto end = slices.first(); end && *end <= limit) { emit(slices.at(*end)); slices.drop(*end); }
#pragma once

#include <optional>

#include "flott/base/time.h"
#include "flott/state/state_tables.h"
#include "flott/state/typed_table.h"

namespace flott {

template <typename K, typename Acc>
class SliceStore {
 public:
  SliceStore() = default;
  explicit SliceStore(StateTables& tables) : tables_(&tables) {}

  /// The table of a slice; made if it is not there. Good until the slice is dropped.
  TypedTable<K, Acc> at(Timestamp sliceEnd) { return TypedTable<K, Acc>(tables_->at(sliceEnd.ms)); }
  /// The same, without making one.
  std::optional<TypedTable<K, Acc>> find(Timestamp sliceEnd) const {
    StateTable* table = tables_->find(sliceEnd.ms);
    return table != nullptr ? std::optional(TypedTable<K, Acc>(*table)) : std::nullopt;
  }
  /// The earliest slice there is.
  std::optional<Timestamp> first() const { return after(Timestamp::min()); }
  /// The earliest slice that ends after `end`.
  std::optional<Timestamp> after(Timestamp end) const {
    StateTable* table = tables_->after(end.ms);
    return table != nullptr ? std::optional(Timestamp(table->nameSpace())) : std::nullopt;
  }
  /// Drops the slice and all that is in it.
  void drop(Timestamp sliceEnd) { tables_->drop(sliceEnd.ms); }

 private:
  StateTables* tables_ = nullptr;
};

}  // namespace flott
