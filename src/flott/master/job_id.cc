#include "flott/master/job_id.h"

#include <charconv>
#include <cstdio>

namespace flott {

JobId drawJobId(std::string_view jobName, const Env& env) {
  Random random =
      env.random.fork("job " + std::string(jobName) + " at " + std::to_string(env.clock.monotonicNanos()));
  const uint64_t high = random.next();
  return {.high = high, .low = random.next()};
}

std::string toString(const JobId& id) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(id.high),
                static_cast<unsigned long long>(id.low));
  return text;
}

std::optional<JobId> parseJobId(std::string_view text) {
  if (text.size() != 32) return {};
  JobId id;
  uint64_t* part = &id.high;
  for (const char* at : {text.data(), text.data() + 16}) {
    const auto [end, problem] = std::from_chars(at, at + 16, *part, 16);
    if (problem != std::errc() || end != at + 16) return {};
    part = &id.low;
  }
  return id;
}

}  // namespace flott
