#include "flott/operators/window/windows.h"

#include "flott/base/error.h"

namespace flott {

std::string windowText(const TimeWindow& window) {
  return "window from " + toString(window.start) + " to " + toString(window.end);
}

std::string windowText(const GlobalWindow&) { return "the global window"; }

void throwWhileFiring(const std::string& window, const std::string& key) {
  Error error = currentError();
  if (!error.context().empty()) throw error;
  throw std::move(error).at(key.empty() ? window : window + " of key " + key);
}

}  // namespace flott
