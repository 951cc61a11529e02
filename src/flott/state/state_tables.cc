#include "flott/state/state_tables.h"

namespace flott {

StateTable& StateTables::at(int64_t nameSpace) {
  const auto next = tables_.lower_bound(nameSpace);
  if (next != tables_.end() && next->first == nameSpace) return *next->second;
  auto table = std::make_unique<StateTable>(name_, key_, value_, home_, nameSpace, cold_);
  if (next == tables_.end() && !tables_.empty()) {
    table->expect(tables_.rbegin()->second->sizeInMemory());
  } else if (droppedBytes_ < home_.pool.heldBytes() - home_.pool.usedBytes()) {
    table->expect(droppedEntries_);
  }
  return *tables_.emplace_hint(next, nameSpace, std::move(table))->second;
}

StateTable* StateTables::find(int64_t nameSpace) const {
  const auto found = tables_.find(nameSpace);
  return found != tables_.end() ? found->second.get() : nullptr;
}

StateTable* StateTables::after(int64_t nameSpace) const {
  const auto found = tables_.upper_bound(nameSpace);
  return found != tables_.end() ? found->second.get() : nullptr;
}

void StateTables::drop(int64_t nameSpace) {
  const auto found = tables_.find(nameSpace);
  if (found == tables_.end()) return;
  droppedEntries_ = found->second->sizeInMemory();
  droppedBytes_ = found->second->bytes();
  found->second->clear();
  tables_.erase(found);
}

size_t StateTables::entries() const {
  size_t all = 0;
  for (const auto& [nameSpace, table] : tables_) all += table->size();
  return all;
}

size_t StateTables::bytes() const {
  size_t all = 0;
  for (const auto& [nameSpace, table] : tables_) all += table->bytes();
  return all;
}

size_t StateTables::entriesInMemory() const {
  size_t all = 0;
  for (const auto& [nameSpace, table] : tables_) all += table->sizeInMemory();
  return all;
}

void StateTables::cut(SegmentSink& sink, LiveOnly liveOnly) {
  for (const auto& [nameSpace, table] : tables_) table->cut(sink, liveOnly);
}

bool StateTables::encodeSome(size_t& budgetBytes) {
  for (const auto& [nameSpace, table] : tables_) {
    if (!table->encodeSome(budgetBytes)) return false;
  }
  return true;
}

void StateTables::flush() {
  for (const auto& [nameSpace, table] : tables_) table->flush();
}

std::map<int64_t, uint64_t> StateTables::sizes() const {
  std::map<int64_t, uint64_t> all;
  for (const auto& [nameSpace, table] : tables_) {
    if (table->size() > 0) all[nameSpace] = table->size();
  }
  return all;
}

void StateTables::evict(uint64_t bytes) {
  for (const auto& [nameSpace, table] : tables_) {
    if (home_.budget.used() <= bytes) return;
    table->evict(bytes);
  }
}

void StateTables::trackChanges() {
  for (const auto& [nameSpace, table] : tables_) table->trackChanges();
}

void StateTables::abandonCut() {
  for (const auto& [nameSpace, table] : tables_) table->abandonCut();
}

}  // namespace flott
