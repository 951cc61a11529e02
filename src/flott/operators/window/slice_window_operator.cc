#include "flott/operators/window/slice_window_operator.h"

#include "flott/base/error.h"

namespace flott {

void throwAtWindow(const TimeWindow& window, const std::string& key) {
  Error error = currentError();
  if (!error.context().empty()) throw error;
  const std::string place = "window from " + toString(window.start) + " to " + toString(window.end);
  throw std::move(error).at(key.empty() ? place : place + " of key " + key);
}

}  // namespace flott
