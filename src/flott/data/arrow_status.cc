#include "flott/data/arrow_status.h"

#include <arrow/status.h>

#include <string>

namespace flott {

Error arrowError(const arrow::Status& status, std::string_view what) {
  const bool world = status.IsIOError() || status.IsOutOfMemory();
  return Error(world ? ErrorKind::kTransient : ErrorKind::kUser, std::string(what) + ": " + status.message());
}

void check(const arrow::Status& status, std::string_view what) {
  if (!status.ok()) [[unlikely]]
    throw arrowError(status, what);
}

}  // namespace flott
