#include "flott/connectors/collection/collection_source.h"

#include <algorithm>

namespace flott {

std::vector<CollectionSplit> partsOfCollection(size_t size, size_t most) {
  const size_t count = std::clamp<size_t>(size, 1, most);
  std::vector<CollectionSplit> parts;
  for (size_t i = 0; i < count; ++i) parts.push_back({size * i / count, size * (i + 1) / count});
  return parts;
}

void throwCollectionShrunk(uint64_t end, size_t size) {
  throw Error(ErrorKind::kUser, "the collection of the snapshot's job had at least " + std::to_string(end) +
                                    " values, and has only " + std::to_string(size) +
                                    " now: restore with the program that made the snapshot");
}

}  // namespace flott
