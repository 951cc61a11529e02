// What a client says of a job that is to be started: the request of POST /jars/:id/run, as Flink has it.
//
// Pure; any thread.
//
//   const JobRequest job = jobRequestOf(request, program.id);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flott/cluster/manager/job_manager.h"
#include "flott/rest/rest_handler.h"

namespace flott {

/// Fields of the body go before parameters of the query. Throws Refusal{400} for what cannot be read.
JobRequest jobRequestOf(const RestRequest& request, const std::string& program);

/// Words as a shell takes a line apart at blanks, with '…' and "…" around those that have some. Throws
/// Error(kUser) for a quote without an end.
std::vector<std::string> wordsOf(std::string_view line);

}  // namespace flott
