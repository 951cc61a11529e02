// Lists put one behind the other as they are encoded: what a store does when a part is added to a list that
// nobody has read.
//
// A list is a count and its elements (data/codec.h), whatever they are, so that takes no types. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace flott {

class ListMerge {
 public:
  /// False when the bytes are no list.
  bool add(std::string_view list);
  /// All that was added, as one list.
  std::string finish() const;

 private:
  uint64_t count_ = 0;
  std::string elements_;
};

}  // namespace flott
