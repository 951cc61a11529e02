// Documents of a job that has ended, from the archive that its master has left.
//
// Pure; any thread.
//
//   return RestResponse::json(archivedDocument(*job.archive, request));
#pragma once

#include <string>

#include "flott/rest/job_archive.h"
#include "flott/rest/rest_handler.h"

namespace flott {

/// What a GET of a path below /jobs/:jobid gets. Metrics are chosen and put together as the master would have
/// done. Throws Refusal: 400 for a parameter that cannot be read, 404 for what the job has not left.
std::string archivedDocument(const JobArchive& archive, const RestRequest& request);

}  // namespace flott
