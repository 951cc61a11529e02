#include "flott/data/codec.h"

#include <algorithm>

#include "flott/base/error.h"

namespace flott::reflect {

void EntrySorter::entryEnds() {
  const size_t begin = order_.empty() ? 0 : order_.back().end;
  order_.push_back({begin, keyEnds_, bytes_.size()});
}

void EntrySorter::appendSorted(ByteWriter& out) {
  const std::string_view bytes = bytes_;
  std::sort(order_.begin(), order_.end(), [&](const Entry& a, const Entry& b) {
    return bytes.substr(a.begin, a.keyEnd - a.begin) < bytes.substr(b.begin, b.keyEnd - b.begin);
  });
  for (const Entry& entry : order_) out.raw(bytes.data() + entry.begin, entry.end - entry.begin);
}

void failNesting() {
  throw Error(ErrorKind::kUser,
              "a value holds more than " + std::to_string(kMaxNesting) +
                  " lists, maps or optionals inside each other: it could not be read back. Keep "
                  "such a structure flat, with indexes instead of nesting");
}

}  // namespace flott::reflect
