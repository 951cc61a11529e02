#include "flott/cluster/manager/manager_metrics.h"

#include <algorithm>
#include <string>

#include "flott/base/error.h"
#include "flott/rest/http_client.h"

namespace flott {
namespace {

constexpr HttpClientOptions kPatience{.connectTimeout = Duration(300), .silence = Duration::seconds(2)};
// Prometheus waits for 10 s by default.
constexpr Duration kForAll = Duration::seconds(5);

}  // namespace

std::vector<MetricReading> readingsOf(const ClusterView& cluster) {
  int slots = 0;
  int freeSlots = 0;
  for (const TaskManagerView& one : cluster.taskManagers) {
    slots += one.about.slots;
    freeSlots += one.freeSlots;
  }
  const auto running = std::count_if(cluster.jobs.begin(), cluster.jobs.end(),
                                     [](const JobView& job) { return job.archive == nullptr; });
  return {gaugeReading("numRunningJobs", static_cast<double>(running)),
          gaugeReading("numRegisteredTaskManagers", static_cast<double>(cluster.taskManagers.size())),
          gaugeReading("taskSlotsTotal", slots), gaugeReading("taskSlotsAvailable", freeSlots)};
}

void addOtherProcesses(PrometheusPage& page, const Env& env, const ClusterView& cluster) {
  const int64_t deadline = deadlineAfter(env.clock, kForAll);
  const auto add = [&](const std::string& address, uint16_t port, const char* path) {
    if (port == 0 || env.clock.monotonicNanos() >= deadline) return;
    try {
      const HttpClient::Answer answer = HttpClient(env, address, port, kPatience).request({.path = path});
      if (answer.ok()) page.addOthers(answer.body);
    } catch (const Error&) {  // it may just be ending
    }
  };
  for (const JobView& job : cluster.jobs) {
    if (job.archive == nullptr) add("127.0.0.1", job.restPort, "/metrics");
  }
  for (const TaskManagerView& one : cluster.taskManagers)
    add(one.about.restAddress, one.about.restPort, kPagePath);
}

}  // namespace flott
