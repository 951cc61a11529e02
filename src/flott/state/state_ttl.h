// How long keyed state lives: said in a state's descriptor, for each entry of lists and maps.
//
// Time is processing time. What was last touched a time to live ago has expired: it is as if it were not
// there, and is removed little by little, whether somebody asks for it or not (expiry.h). A plain value, made
// in open() and copied into the descriptor.
//
//   seen_ = ctx.state(ValueStateDescriptor<bool>("seen").ttl(StateTtl::after(1h)));
//   ListStateDescriptor<Click>("recent").ttl(StateTtl::after(10min).updateTtlOnReadAndWrite())
#pragma once

#include <cstdint>

#include "flott/base/time.h"

namespace flott {

class [[nodiscard]] StateTtl {
 public:
  enum class UpdateType : uint8_t {
    kDisabled,          // nothing expires
    kOnCreateAndWrite,  // an entry lives on from when it was last written
    kOnReadAndWrite     // or read
  };
  enum class Visibility : uint8_t {
    kNeverReturnExpired,
    kReturnExpiredIfNotCleanedUp  // as long as it is there
  };

  /// State that does not expire, as without a StateTtl.
  static StateTtl disabled() { return {}; }
  /// Throws Error(kUser) unless the time is positive.
  static StateTtl after(Duration timeToLive);

  StateTtl updateTtlOnCreateAndWrite() const {
    return with(&StateTtl::update_, UpdateType::kOnCreateAndWrite);
  }
  StateTtl updateTtlOnReadAndWrite() const { return with(&StateTtl::update_, UpdateType::kOnReadAndWrite); }
  StateTtl neverReturnExpired() const {
    return with(&StateTtl::visibility_, Visibility::kNeverReturnExpired);
  }
  StateTtl returnExpiredIfNotCleanedUp() const {
    return with(&StateTtl::visibility_, Visibility::kReturnExpiredIfNotCleanedUp);
  }
  /// The only time there is.
  StateTtl useProcessingTime() const { return *this; }

  /// Leaves what has expired out of snapshots.
  StateTtl cleanupFullSnapshot() const { return with(&StateTtl::inSnapshots_, true); }
  /// Each access to the state, and if asked for each record, has so many entries looked at before the next
  /// record. Throws Error(kUser) for 0.
  StateTtl cleanupIncrementally(uint32_t entries, bool everyRecord) const;
  /// Only reads and, if asked for, snapshots then leave out what has expired, and only reads remove it: the
  /// store of state on disk does not drop it either as it merges its files.
  StateTtl disableCleanupInBackground() const { return with(&StateTtl::inBackground_, false); }

  bool enabled() const { return update_ != UpdateType::kDisabled; }
  Duration timeToLive() const { return timeToLive_; }
  UpdateType updateType() const { return update_; }
  Visibility visibility() const { return visibility_; }
  bool cleansSnapshots() const { return inSnapshots_; }
  bool cleansInBackground() const { return enabled() && inBackground_; }
  uint32_t entriesAnAccess() const { return inBackground_ ? entries_ : 0; }
  uint32_t entriesARecord() const { return inBackground_ && everyRecord_ ? entries_ : 0; }

  bool operator==(const StateTtl&) const = default;

 private:
  StateTtl() = default;
  template <typename T>
  StateTtl with(T StateTtl::*setting, T value) const {
    StateTtl changed = *this;
    if (enabled()) changed.*setting = value;
    return changed;
  }

  Duration timeToLive_;
  uint32_t entries_ = 5;  // as Flink's default
  bool everyRecord_ = false;
  bool inSnapshots_ = false;
  bool inBackground_ = true;
  UpdateType update_ = UpdateType::kDisabled;
  Visibility visibility_ = Visibility::kNeverReturnExpired;
};

}  // namespace flott
