// What the tables of one backend share for the entries that are not in memory: the store, and the budget of
// the cache that the tables then are.
//
// A key of the store is
//
//   [state, 2 bytes][0, or 1 and the namespace in 8 bytes][order of the key hash, 8 bytes][encoded key]
//
// with numbers big-endian, so that a table is one stretch of the store, in the table's own order. A value is
// encoded as in a snapshot. Owned by a backend, used on its task's thread only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "flott/state/cold/cold_expiry.h"
#include "flott/state/cold/cold_store.h"

namespace flott {

class MemoryBudget;

/// Where a state is in the store.
struct ColdKey {
  uint16_t state = 0;
  int64_t nameSpace = 0;
  uint64_t order = 0;
  std::string_view key;  // encoded

  /// The bytes before the order of the hash.
  static std::string prefix(uint16_t state, int64_t nameSpace);
  static void appendOrder(uint64_t order, std::string& out);
  /// What all keys that begin so are before.
  static std::string behind(std::string prefix);
  /// Takes a key of the store apart. Throws Error(kCorruption).
  static ColdKey parse(std::string_view stored);
};

class ColdSide {
 public:
  /// `cacheBytes` is what the tables in memory may take before they give entries to the store.
  ColdSide(std::shared_ptr<ColdStore> store, uint64_t cacheBytes);

  bool overBudget(const MemoryBudget& used) const;
  /// What an eviction comes down to, so that the next one is some way off.
  uint64_t evictTo() const { return cacheBytes_ - cacheBytes_ / 8; }
  uint16_t newState();
  /// The store has these states already: new ones get numbers behind theirs.
  void continueAfter(uint16_t state) { states_ = std::max<uint16_t>(states_, state + 1); }
  /// The store forgets what has expired of this state, by the time that it is told: how many entries a table
  /// has there is then an upper bound.
  void expire(uint16_t state, ColdExpiry::Rule rule);
  /// What has expired by now, for who reads the store as a whole; null: nothing ever does.
  std::unique_ptr<const ColdFilter> expired() const;
  void setNow(Timestamp now) { clock_->store(now.ms, std::memory_order_relaxed); }

  // Writing. What is put is there for readers after commit() only: so it must be in memory until then.

  void put(std::string_view key, std::string_view value);
  void append(std::string_view key, std::string_view list);
  /// Gathered, and hidden from now on.
  void erase(std::string_view key);
  void eraseRange(std::string_view from, std::string_view to);
  void commit();

  // Reading.

  /// Whether the store may have it: else it was erased a moment ago.
  bool mayHave(std::string_view key) const { return erased_.empty() || !erased_.contains(key); }
  const std::vector<std::optional<std::string_view>>& get(std::span<const std::string_view> keys) {
    return store_->get(keys);
  }
  /// Commits first.
  std::unique_ptr<ColdScan> scan(std::string_view from, std::string_view to);
  /// Of all that was put. Commits first.
  std::unique_ptr<ColdFiles> files();

  // Room to work in, for one call of a table at a time: the keys to look up next, one after the other.

  std::string wanted;
  std::vector<size_t> wantedEnds;
  std::vector<std::string_view> keys;
  std::string encodedKey;
  std::string encodedValue;

 private:
  std::shared_ptr<ColdStore> store_;
  const uint64_t cacheBytes_;
  uint16_t states_ = 0;
  std::set<std::string, std::less<>> erased_;  // not committed
  ColdExpiry::Rules expiry_;
  const std::shared_ptr<ColdExpiry::Clock> clock_;
};

}  // namespace flott
