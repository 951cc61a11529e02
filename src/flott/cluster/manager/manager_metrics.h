// What a JobManager tells Prometheus beside its own process: the cluster, and what other processes of it
// tell.
//
// So one page is enough for a cluster: masters tell about their jobs, TaskManagers about themselves. Called
// by the threads that answer requests; blocks for a bounded time, and leaves out who does not answer.
#pragma once

#include <vector>

#include "flott/cluster/manager/job_manager.h"
#include "flott/env/env.h"
#include "flott/operators/metrics.h"
#include "flott/rest/prometheus_page.h"

namespace flott {

/// Where a TaskManager has its page; its documents are beside it.
inline constexpr const char* kPagePath = "/prometheus";

/// "numRunningJobs", "taskSlotsTotal" and the like.
std::vector<MetricReading> readingsOf(const ClusterView& cluster);
void addOtherProcesses(PrometheusPage& page, const Env& env, const ClusterView& cluster);

}  // namespace flott
