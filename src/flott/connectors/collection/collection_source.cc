#include "flott/connectors/collection/collection_source.h"

namespace flott {

void throwCollectionShrunk(uint64_t next, size_t size) {
  throw Error(ErrorKind::kUser, "the job had put out " + std::to_string(next) +
                                    " values of its collection, which now has only " + std::to_string(size) +
                                    ": restore with the program that made the snapshot");
}

}  // namespace flott
