#include "flott/state/format_version.h"

#include <string>

#include "flott/base/error.h"

namespace flott {

void failNewerFormat(std::string_view what, uint64_t version, uint64_t known) {
  throw Error(ErrorKind::kUser, std::string(what) + " has format " + std::to_string(version) +
                                    ", and this program reads formats up to " + std::to_string(known) +
                                    ": a newer version of Flott has written it. Build the program with that "
                                    "version or a later one, or start from a savepoint of this version");
}

}  // namespace flott
