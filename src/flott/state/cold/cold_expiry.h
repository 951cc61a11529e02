// What a store on disk may forget by itself: entries of states with a time to live that have expired.
//
// A store asks as it writes and merges its files, so what nobody comes for any more goes without having been
// read into memory. It sees keys and values as bytes; where in them the times are is known without their
// types (TimesPlace). A rule is made when a state is registered, on its task's thread; drops() is called on
// the store's.
//
//   auto expiry = std::make_shared<const ColdExpiry>(rules, clock);
//   store.setFilter(expiry);
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "flott/base/time.h"
#include "flott/state/cold/cold_store.h"
#include "flott/state/stored_value.h"

namespace flott {

class ColdExpiry final : public ColdFilter {
 public:
  struct Rule {
    TimesPlace times = TimesPlace::kNone;
    Duration timeToLive;
  };
  /// By the state's number in keys of the store (ColdKey).
  using Rules = std::map<uint16_t, Rule>;
  /// Processing time, in milliseconds: set by the task.
  using Clock = std::atomic<int64_t>;

  ColdExpiry(Rules rules, std::shared_ptr<const Clock> clock)
      : rules_(std::move(rules)), clock_(std::move(clock)) {}

  /// Whether all of the value has expired. What does not look like a value stays.
  bool drops(std::string_view key, std::string_view value) const override;

 private:
  const Rules rules_;
  const std::shared_ptr<const Clock> clock_;
};

}  // namespace flott
