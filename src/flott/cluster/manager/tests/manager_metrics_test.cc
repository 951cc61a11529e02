#include "flott/cluster/manager/manager_metrics.h"

#include <gtest/gtest.h>

namespace flott {
namespace {

TEST(ManagerMetrics, AreThoseOfTheCluster) {
  ClusterView cluster;
  cluster.jobs.resize(3);
  cluster.jobs[1].archive = std::make_shared<const JobArchive>(JobArchive::parse(R"({"archive":[]})"));
  cluster.taskManagers.resize(2);
  cluster.taskManagers[0].about.slots = 4;
  cluster.taskManagers[0].freeSlots = 1;
  cluster.taskManagers[1].about.slots = 2;
  std::string text;
  for (const MetricReading& reading : readingsOf(cluster)) text += reading.name + "=" + reading.text + " ";
  EXPECT_EQ(text, "numRunningJobs=2 numRegisteredTaskManagers=2 taskSlotsTotal=6 taskSlotsAvailable=1 ");
}

}  // namespace
}  // namespace flott
