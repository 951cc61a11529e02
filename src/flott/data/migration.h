// Rewrites encoded values of a type as it was into values of the type as it is.
//
// Made once for a state whose stored type is not the program's (compare() says kMigratable), from the two
// descriptions; then it works on bytes alone: what stayed is copied, dropped fields are skipped, added ones
// get the bytes that a default-constructed struct has there. Types that are equal need none of it. Making one
// may be slow; afterwards it is never changed, and any thread may use it.
//
//   const Migration migration(stored, describe<Order>());
//   migration.run(in, out);                 // one value from `in`; Codec<Order>::decode reads what `out` has
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "flott/data/type_description.h"

namespace flott {

class ByteReader;
class ByteWriter;

/// Finds the end of encoded values.
class ValueSkipper {
 public:
  /// Any description. Of types with a codec of their own only a program's description knows the length;
  /// `known` may be one that has such types.
  explicit ValueSkipper(const TypeDescription& type, const TypeDescription* known = nullptr);
  ~ValueSkipper();
  ValueSkipper(ValueSkipper&&) noexcept;

  /// The name of a custom type that it cannot read past; empty: there is none.
  std::string obstacle() const;
  /// Throws Error(kCorruption) where the bytes end early. Not with an obstacle.
  void skip(ByteReader& in) const;

 private:
  struct Plan;
  std::unique_ptr<const Plan> plan_;
};

class Migration {
 public:
  /// `now` is the description of a program's type, to which `stored` can be migrated. Throws Error(kUser)
  /// when a field was dropped whose custom type the program does not have.
  Migration(const TypeDescription& stored, const TypeDescription& now);
  ~Migration();
  Migration(Migration&&) noexcept;

  /// Throws Error(kCorruption) where the bytes cannot be a stored value.
  void run(ByteReader& in, ByteWriter& out) const;

 private:
  struct Plan;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace flott
