#include "flott/api/async_data_stream.h"

namespace flott::internal {

void checkAsyncOptions(const AsyncWaitOptions& options) {
  if (options.capacity == 0) {
    throw Error(
        ErrorKind::kUser,
        "asynchronous requests with a capacity of 0: give the number of records that may be under way "
        "in a subtask, at least 1");
  }
  if (options.timeout.ms < 0) {
    throw Error(ErrorKind::kUser, "asynchronous requests with a time-out of " + toString(options.timeout) +
                                      ": give a positive one, or zero for none");
  }
}

}  // namespace flott::internal
