// The name of one run of a job: 32 hexadecimal digits, as Flink's, in REST paths and in the names of folders
// for checkpoints.
//
// Drawn when the job is made. A plain value, any thread.
//
//   const JobId id = drawJobId("clicks", env);
//   toString(id);                          // "7f3a0c…"
//   parseJobId(toString(id)) == id;
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "flott/env/env.h"

namespace flott {

struct JobId {
  uint64_t high = 0;
  uint64_t low = 0;
  constexpr auto operator<=>(const JobId&) const = default;
};

/// Of one name at one moment there is one.
JobId drawJobId(std::string_view jobName, const Env& env);
std::string toString(const JobId& id);
/// Nothing for a text that is not 32 hexadecimal digits.
std::optional<JobId> parseJobId(std::string_view text);

}  // namespace flott
