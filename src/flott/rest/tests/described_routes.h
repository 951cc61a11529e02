// What a description of REST says there is: "GET /jobs/{jobid}" and so on.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "flott/rest/router.h"

namespace flott {

/// Reads the lines between `paths:` and `components:` by their indentation.
inline std::set<std::string> describedRoutes(std::string_view openApi) {
  std::set<std::string> routes;
  std::string path;
  bool inPaths = false;
  while (!openApi.empty()) {
    const size_t end = std::min(openApi.find('\n'), openApi.size());
    const std::string_view line = openApi.substr(0, end);
    openApi.remove_prefix(std::min(end + 1, openApi.size()));
    if (!line.starts_with(' ')) inPaths = line == "paths:";
    if (!inPaths || !line.ends_with(':')) continue;
    const std::string_view name = line.substr(0, line.size() - 1);
    if (name.starts_with("  /")) path = name.substr(2);
    for (const std::string method : {"get", "post", "put", "patch", "delete"}) {
      if (name != "    " + method) continue;
      std::string route;
      for (const char c : method) route += static_cast<char>(c - 'a' + 'A');
      route += " " + path;
      EXPECT_TRUE(routes.insert(route).second) << route << " is there twice";
    }
  }
  return routes;
}

inline void add(std::set<std::string>& routes, const std::vector<RoutePattern>& patterns,
                std::string_view below = "") {
  for (const RoutePattern& pattern : patterns) {
    if (pattern.path.starts_with(below) && !pattern.path.ends_with("**"))
      routes.insert(std::string(pattern.method) + " " + std::string(pattern.path));
  }
}

}  // namespace flott
