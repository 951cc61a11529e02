// The documents of Flink's REST about a cluster, as JSON text: made from values alone. Those about a job are
// in rest/documents.h.
//
// Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/config.h"
#include "flott/base/time.h"
#include "flott/cluster/manager/job_manager.h"
#include "flott/cluster/manager/program_store.h"
#include "flott/env/files.h"

namespace flott {

// /overview, /jobs
std::string clusterOverviewDocument(const ClusterView& cluster);
std::string clusterJobsDocument(const ClusterView& cluster);
/// An entry of /jobs/overview for a job that nobody else tells about.
std::string jobSummary(const JobView& job, Timestamp now);
/// {"jobs":[…]} of such entries.
std::string jobSummaries(std::span<const std::string> entries);
/// The first entry of a /jobs/overview; empty: it has none.
std::string firstJobSummary(const std::string& document);

// /taskmanagers, /taskmanagers/:id
std::string taskManagersDocument(const ClusterView& cluster);
std::string taskManagerDocument(const TaskManagerView& taskManager);

// /jars
std::string jarsDocument(const std::string& url, std::span<const StoredProgram> programs);
/// "7f3a…_count", as Flink names them.
std::string jarId(const StoredProgram& program);

// /jobmanager/config, /jobmanager/logs
std::string configDocument(const Configuration& configuration);
std::string logsDocument(std::span<const FileInfo> files);

/// Fields and values that are texts: {"jobid":"…"}.
std::string textsDocument(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace flott
