#include "flott/operators/runtime_context.h"

#include <vector>

#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/base/options.h"

namespace flott {

StringMap RuntimeContext::getGlobalJobParameters() const {
  return configuration().find(kGlobalJobParameters).value_or(StringMap());
}

std::string RuntimeContext::getCachedFile(const std::string& name) const {
  const StringMap files = configuration().find(kCachedFiles).value_or(StringMap());
  const auto found = files.find(name);
  if (found != files.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [registered, path] : files) known.push_back(registered);
  const std::string_view nearest = nearestOf(name, known);
  throw Error(
      ErrorKind::kUser,
      "no cached file '" + name + "'" +
          (nearest.empty() ? ": register it with the environment, registerCachedFile(path, \"" + name + "\")"
                           : ": did you mean '" + std::string(nearest) + "'?"));
}

void RuntimeContext::failNotKeyed(const std::string& state) {
  throw Error(ErrorKind::kUser,
              "keyed state '" + state +
                  "' was asked for on a stream without keys: call keyBy(…) before this operator");
}

}  // namespace flott
