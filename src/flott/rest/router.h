// Which route a request takes: paths with open parts, as OpenAPI writes them.
//
// A handler keeps its routes in a table, and a Router over their patterns. Immutable; any thread.
//
//   const Router router({{"GET", "/jobs/overview"}, {"GET", "/jobs/{jobid}"}});
//   const Router::Found found = router.find("GET", "/v1/jobs/5f2c");  // route 1, open {"5f2c"}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flott {

struct RoutePattern {
  /// Empty: any.
  std::string_view method;
  /// Parts in braces are open: "/jobs/{jobid}/status". "**" as the last one stands for any rest.
  std::string_view path;
};

/// What stands between the slashes of a path, without a leading "v1". A path of more than kMostPathParts is
/// none of ours, and gets one part that no route has.
std::vector<std::string_view> pathParts(std::string_view path);
inline constexpr size_t kMostPathParts = 12;

class Router {
 public:
  struct Found {
    size_t route = 0;                    // in the order of the patterns
    std::vector<std::string_view> open;  // views of the request's path, for the parts in braces
  };

  /// What the patterns refer to outlives it.
  explicit Router(const std::vector<RoutePattern>& patterns);

  /// Of several paths that fit, the one that says more: an earlier part as it stands goes before an open one,
  /// that before a rest. HEAD takes the route of GET. Throws Refusal: 404 where no path fits, 405 with the
  /// methods there are where the method does not.
  Found find(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string_view method;
    std::vector<std::string_view> parts;
    std::string vagueness;  // of each part; the smaller one says more
  };
  static bool fits(const Route& route, const std::vector<std::string_view>& parts);

  std::vector<Route> routes_;
};

}  // namespace flott
