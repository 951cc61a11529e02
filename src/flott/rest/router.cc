#include "flott/rest/router.h"

#include <algorithm>
#include <utility>

#include "flott/rest/refusal.h"

namespace flott {
namespace {

constexpr std::string_view kRest = "**";

bool isOpen(std::string_view part) { return part.starts_with('{'); }

char vaguenessOf(std::string_view part) {
  if (part == kRest) return '2';
  return isOpen(part) ? '1' : '0';
}

}  // namespace

std::vector<std::string_view> pathParts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.push_back(path.substr(0, end));
    if (parts.size() > kMostPathParts) return {"/"};
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (!parts.empty() && parts.front() == "v1") parts.erase(parts.begin());
  return parts;
}

Router::Router(const std::vector<RoutePattern>& patterns) {
  routes_.reserve(patterns.size());
  for (const RoutePattern& pattern : patterns) {
    Route route{.method = pattern.method, .parts = pathParts(pattern.path), .vagueness = {}};
    for (const std::string_view part : route.parts) route.vagueness += vaguenessOf(part);
    routes_.push_back(std::move(route));
  }
}

bool Router::fits(const Route& route, const std::vector<std::string_view>& parts) {
  for (size_t i = 0; i < route.parts.size(); ++i) {
    if (route.parts[i] == kRest) return true;
    if (i == parts.size() || (route.parts[i] != parts[i] && !isOpen(route.parts[i]))) return false;
  }
  return route.parts.size() == parts.size();
}

Router::Found Router::find(std::string_view method, std::string_view path) const {
  const std::vector<std::string_view> parts = pathParts(path);
  const std::string* best = nullptr;
  for (const Route& route : routes_) {
    if (fits(route, parts) && (best == nullptr || route.vagueness < *best)) best = &route.vagueness;
  }
  if (best == nullptr) throw Refusal{404, "there is nothing at " + std::string(path.substr(0, 256))};
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::string allowed;
  for (size_t i = 0; i < routes_.size(); ++i) {
    const Route& route = routes_[i];
    if (route.vagueness != *best || !fits(route, parts)) continue;
    if (!route.method.empty() && route.method != wanted) {
      allowed.append(allowed.empty() ? "" : ", ").append(route.method);
      continue;
    }
    Found found{.route = i, .open = {}};
    for (size_t part = 0; part < route.parts.size(); ++part)
      if (isOpen(route.parts[part])) found.open.push_back(parts[part]);
    return found;
  }
  throw Refusal{405,
                std::string(method.substr(0, 16)) + " is not for " + std::string(path.substr(0, 256)) +
                    "; there is " + allowed,
                allowed};
}

}  // namespace flott
