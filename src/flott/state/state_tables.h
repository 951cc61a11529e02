// All tables of one state: a single one, or one for each namespace (a window's slice).
//
// A new table is made ready for as many entries as the one before it has, where it is the last in the order
// of namespaces (time goes on); else for as many as the last one dropped had, as long as that takes only
// memory that the pool has to spare. A segment gets its memory with its first entry. Made by the backend when
// a state is registered; owns the tables. Used on the task's thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "flott/state/state_table.h"

namespace flott {

class StateTables {
 public:
  /// What it gets must outlive it.
  StateTables(std::string_view name, const KeyType& key, const TypeOps& value, TableHome& home,
              ColdPlace cold = {})
      : name_(name), key_(key), value_(value), home_(home), cold_(cold) {}

  const TypeOps& value() const { return value_; }
  /// In all tables.
  size_t entries() const;
  size_t entriesInMemory() const;
  /// Of memory, about.
  size_t bytes() const;

  /// Made if it is not there.
  StateTable& at(int64_t nameSpace = kNoNamespace);
  StateTable* find(int64_t nameSpace) const;
  /// The table with the least namespace greater than this one; null when there is none.
  StateTable* after(int64_t nameSpace) const;
  /// Drops the table; an unfinished cut gets its share first.
  void drop(int64_t nameSpace);

  void cut(SegmentSink& sink, LiveOnly liveOnly = {});
  bool encodeSome(size_t& budgetBytes);
  void abandonCut();
  void trackChanges();

  // With a cold side, as for a StateTable.
  const ColdPlace& cold() const { return cold_; }
  void flush();
  /// How many entries each table has, by namespace; those without any are left out.
  std::map<int64_t, uint64_t> sizes() const;
  void evict(uint64_t bytes);

 private:
  std::string_view name_;
  const KeyType& key_;
  const TypeOps& value_;
  TableHome& home_;
  const ColdPlace cold_;
  std::map<int64_t, std::unique_ptr<StateTable>> tables_;
  size_t droppedEntries_ = 0;  // in memory, of the table dropped last,
  size_t droppedBytes_ = 0;    // and what it took
};

}  // namespace flott
