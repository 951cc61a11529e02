// How one state of a backend expires: what its handles ask at each access, and the clean-up.
//
// Reads hide what has expired and remove what they come upon. The rest goes in the background, so that memory
// stays bounded by what is alive: a cursor goes round the state's tables, some entries further for each
// access (as Flink's incremental clean-up), and also as time goes by, so that state goes even when nobody
// comes for it. Both happen between records, never while a user's function runs: nothing vanishes between
// contains() and get(). What lies on disk is not read for it: the store drops it (cold_expiry.h). Owned by
// the backend, used on the task's thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "flott/state/expiring.h"
#include "flott/state/state_tables.h"
#include "flott/state/state_ttl.h"

namespace flott {

class Expiry {
 public:
  /// `now` is the backend's processing time. What it gets must outlive it.
  Expiry(const StateTtl& ttl, const ExpiringOps& ops, StateTables& tables, const Timestamp& now);

  const StateTtl& ttl() const { return ttl_; }

  // For handles.

  Timestamp now() const { return now_; }
  /// What was last touched then or before has expired.
  Timestamp expired() const {
    int64_t ms;
    return __builtin_sub_overflow(now_.ms, ttl_.timeToLive().ms, &ms) ? Timestamp::min() : Timestamp(ms);
  }
  bool hidesExpired() const { return hidesExpired_; }
  bool readsTouch() const { return readsTouch_; }
  void noteRead() { due_ += entriesAnAccess_; }
  void noteWrite() {
    due_ += entriesAnAccess_;
    if (roundAt_ == Timestamp::max()) planRound(1);
  }

  // For the backend.

  /// Whether a read would see something.
  bool visible(const StateTable& table, const KeyRef& key) const;
  /// What a cut leaves out.
  LiveOnly inSnapshots() const;
  /// Between two records: looks at the entries that accesses have asked for.
  void beforeRecord() {
    due_ += entriesARecord_;
    if (due_ != 0) workOff();
  }
  /// When clean-up is due without any access; Timestamp::max() while there is nothing to clean up.
  Timestamp roundAt() const { return roundAt_; }
  /// Does a part of a round.
  void goRound();
  /// Of so many entries; after state was loaded, or a first entry added.
  void planRound(size_t entries);

 private:
  void workOff();
  bool lookAt(size_t entries);
  size_t dropExpired(StateTable& table, const StateTable::Entry& entry);

  const StateTtl ttl_;
  const ExpiringOps& ops_;
  StateTables& tables_;
  const Timestamp& now_;
  const bool hidesExpired_;
  const bool readsTouch_;
  const uint32_t entriesAnAccess_;
  const uint32_t entriesARecord_;
  uint64_t due_ = 0;  // entries to look at
  Timestamp roundAt_ = Timestamp::max();
  // Where the next look begins.
  int64_t nameSpace_ = kNoNamespace;
  StateTable::Cursor cursor_;
};

}  // namespace flott
