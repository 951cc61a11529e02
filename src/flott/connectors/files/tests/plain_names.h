// Names of parts as tests compare them.
#pragma once

#include <algorithm>
#include <string>

namespace flott {

/// A name without what differs from run to run.
inline std::string plainName(const std::string& path) {
  std::string out;
  for (size_t at = 0; at < path.size();) {
    const size_t end = path.find_first_not_of("0123456789abcdef", at);
    const size_t length = (end == std::string::npos ? path.size() : end) - at;
    if (length == 18) {
      out += "ID";
      at += length;
    } else {
      out += path.substr(at, std::max<size_t>(length, 1));
      at += std::max<size_t>(length, 1);
    }
  }
  return out;
}

}  // namespace flott
