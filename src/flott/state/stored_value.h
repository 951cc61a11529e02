// Values of a keyed state as a snapshot has them: a type that may be older than the program's, and perhaps
// the times at which they were last touched.
//
// Made by the backend for a restored state whose bytes are not to be decoded as they are. Never changed
// afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flott/data/migration.h"

namespace flott {

/// Where the times of an expiring value stand (expiring.h).
enum class TimesPlace : uint8_t {
  kNone,        // it does not expire
  kBefore,      // one, before the value
  kBehindList,  // a list of them, behind the list
  kBehindMap,   // one for each entry, behind the map
};

/// Of a state of this kind: "value", "list", …
TimesPlace timesPlace(std::string_view kind, bool expires);

/// Rewrites values of the stored type into the program's; their times stay.
class ValueRewriter {
 public:
  /// As Migration's.
  ValueRewriter(const TypeDescription& stored, const TypeDescription& now, TimesPlace times)
      : migration_(stored, now), times_(times) {}

  void run(ByteReader& in, ByteWriter& out) const;

 private:
  Migration migration_;
  TimesPlace times_;
};

/// Reads past stored values.
class StoredValueSkipper {
 public:
  /// As ValueSkipper's.
  StoredValueSkipper(const TypeDescription& stored, TimesPlace times, const TypeDescription* known)
      : skipper_(stored, known), times_(times) {}

  std::string obstacle() const { return skipper_.obstacle(); }
  void skip(ByteReader& in) const;

 private:
  ValueSkipper skipper_;
  TimesPlace times_;
};

}  // namespace flott
