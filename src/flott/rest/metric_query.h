// What a request for metrics asks: which by ?get=a,b, how they are put together by ?agg=min,max.
//
// Pure; any thread.
//
//   return metricsDocument(jobMetrics(job, now), chosenMetrics(request));
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "flott/rest/rest_handler.h"

namespace flott {

/// What stands between commas, without empty ones.
std::vector<std::string> listFrom(std::string_view text);

/// Those of `get`; nothing without it.
std::optional<std::vector<std::string>> chosenMetrics(const RestRequest& request);
/// Those of `agg`, of min, max, avg, sum and skew; all of them without it. Throws Refusal{400} for others.
std::vector<std::string> chosenAggregations(const RestRequest& request);
/// Those of `subtasks`: "1,3,5-9"; nothing without it. Throws Refusal{400} for what is no such list.
std::optional<std::set<int>> chosenSubtasks(const RestRequest& request);
/// -1: it is none.
int subtaskNumber(std::string_view text);

}  // namespace flott
