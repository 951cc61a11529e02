#include "flott/state/expiry.h"

#include <algorithm>

namespace flott {
namespace {

// Entries looked at between two records, however many accesses the first one made.
constexpr uint64_t kMostBetweenRecords = 1024;
// Entries looked at without an access at a time: some ten microseconds.
constexpr size_t kPartOfRound = 4096;
// Rounds in a time to live: state that nobody accesses is there for about a quarter longer than it lives.
constexpr int64_t kRounds = 4;

}  // namespace

Expiry::Expiry(const StateTtl& ttl, const ExpiringOps& ops, StateTables& tables, const Timestamp& now)
    : ttl_(ttl),
      ops_(ops),
      tables_(tables),
      now_(now),
      hidesExpired_(ttl.visibility() == StateTtl::Visibility::kNeverReturnExpired),
      readsTouch_(ttl.updateType() == StateTtl::UpdateType::kOnReadAndWrite),
      entriesAnAccess_(ttl.entriesAnAccess()),
      entriesARecord_(ttl.entriesARecord()) {}

bool Expiry::visible(const StateTable& table, const KeyRef& key) const {
  const std::byte* value = table.find(key);
  return value != nullptr && !(hidesExpired_ && ops_.allExpired(value, expired()));
}

LiveOnly Expiry::inSnapshots() const {
  return ttl_.cleansSnapshots() ? LiveOnly{&ops_, expired()} : LiveOnly{};
}

void Expiry::workOff() {
  const uint64_t entries = std::min(due_, kMostBetweenRecords);
  due_ -= entries;
  if (!lookAt(entries)) due_ = 0;  // more than once round is for nothing
}

void Expiry::goRound() {
  const size_t before = tables_.entriesInMemory();
  const bool more = lookAt(kPartOfRound);
  const size_t after = tables_.entriesInMemory();
  planRound(after);
  // Where much has expired, more will have.
  if (more && after < before) roundAt_ = std::min(roundAt_, now_ + Duration(1));
}

void Expiry::planRound(size_t entries) {
  if (entries == 0 || !ttl_.cleansInBackground()) {
    roundAt_ = Timestamp::max();
    return;
  }
  const auto parts = static_cast<int64_t>(entries / kPartOfRound + 1);
  const int64_t wait = std::max<int64_t>(1, ttl_.timeToLive().ms / kRounds / parts);
  roundAt_ = now_.ms < Timestamp::max().ms - wait ? now_ + Duration(wait) : Timestamp::max();
}

/// False when it came to the end of the tables; the next look is from their beginning.
bool Expiry::lookAt(size_t entries) {
  StateTable* table = tables_.find(nameSpace_);
  if (table == nullptr) {
    table = tables_.after(nameSpace_);
    cursor_ = {};
  }
  cursor_.version = 0;  // a table that was dropped and made again has the same versions
  StateTable::Entry entry;
  while (table != nullptr) {
    if (entries == 0) {
      nameSpace_ = table->nameSpace();
      return true;
    }
    if (table->nextInMemory(cursor_, entry)) {
      entries -= std::min(entries, dropExpired(*table, entry));
    } else {
      table = tables_.after(table->nameSpace());
      cursor_ = {};
    }
  }
  nameSpace_ = kNoNamespace;
  cursor_ = {};
  return false;
}

/// How many parts of the entry it looked at.
size_t Expiry::dropExpired(StateTable& table, const StateTable::Entry& entry) {
  if (!ops_.hasExpired(entry.value, expired())) return 1;
  const KeyRef key{entry.hash, table.key().word(entry.hash, entry.key), entry.key};
  const Dropped dropped = ops_.dropExpired(table.findForUpdate(key), expired());
  if (dropped.all) {
    table.erase(key);
  } else {
    table.noteHeapChange();
  }
  return dropped.looked;
}

}  // namespace flott
