// The routes of a JobManager, and what it tells about a job that has ended.
#include "flott/cluster/manager/cluster_api.h"

#include <gtest/gtest.h>

#include "flott/cluster/manager/archived_job.h"
#include "flott/env/simulated.h"
#include "flott/rest/job_archive.h"
#include "flott/rest/open_api.h"
#include "flott/rest/refusal.h"
#include "flott/rest/rest_api.h"
#include "flott/rest/tests/described_routes.h"
#include "flott/rest/tests/one_job.h"

namespace flott {
namespace {

TEST(ClusterApi, HasTheRoutesThatItsDescriptionHas) {
  std::set<std::string> routes{"GET /metrics", "GET /jobmanager/metrics"};  // of MetricsBeside
  add(routes, ClusterApi::patterns());
  add(routes, RestApi::patterns(), "/jobs/{jobid}");
  add(routes, RestApi::patterns(), "/savepoint-disposal");
  EXPECT_EQ(describedRoutes(openApiOfCluster()), routes);
}

TEST(ClusterApi, HasAllThatAProgramHas) {
  std::set<std::string> own;
  add(own, ClusterApi::patterns());
  for (const RoutePattern& pattern : RestApi::patterns()) {
    if (pattern.path.starts_with("/jobs/{jobid}") || pattern.path.starts_with("/savepoint-disposal"))
      continue;
    const std::string route = std::string(pattern.method) + " " + std::string(pattern.path);
    EXPECT_TRUE(own.contains(route)) << route;
  }
}

class ArchivedJob : public testing::Test {
 protected:
  ArchivedJob() {
    board.job.details.status = JobStatus::kFinished;
    archive = JobArchive::parse(archiveOf(api, board.job));
  }
  using Query = std::multimap<std::string, std::string>;
  std::string live(const std::string& path, const Query& query = {}) {
    return api.answer({.method = "GET", .path = path, .query = query}).body;
  }
  std::string archived(const std::string& path, const Query& query = {}) {
    try {
      return archivedDocument(archive, {.method = "GET", .path = path, .query = query});
    } catch (const Refusal& refusal) {
      return std::to_string(refusal.status) + " " + refusal.text;
    }
  }

  SimulatedEnv sim{1};
  OneJob board;
  RestApi api{board, {}, sim.env()};
  JobArchive archive;
  const std::string job = std::string("/jobs/") + kJobText;
  const std::string vertex = job + "/vertices/" + kSinkId;
};

TEST_F(ArchivedJob, TellsMetricsAsTheJobDid) {
  const Query gets[] = {{},
                        {{"get", "numRestarts,1.numRecordsIn,numRecordsIn,none"}},
                        {{"get", ""}},
                        {{"get", "numRecordsIn"}, {"agg", "max,SUM"}},
                        {{"get", "numRecordsIn"}, {"subtasks", "1-4"}},
                        {{"subtasks", "7"}}};
  for (const Query& get : gets) {
    for (const std::string& path : {job + "/metrics", vertex + "/metrics", vertex + "/subtasks/metrics",
                                    vertex + "/subtasks/1/metrics", vertex + "/jm-operator-metrics"}) {
      EXPECT_EQ(archived(path, get), live(path, get)) << path;
      EXPECT_EQ(archived("/v1" + path + "/", get), live(path, get)) << path;
    }
  }
  EXPECT_EQ(archived(vertex + "/subtasks/metrics", {{"agg", "most"}}),
            "400 cannot read the query parameter 'agg' from 'most'");
  EXPECT_EQ(archived(vertex + "/subtasks/metrics", {{"subtasks", "x"}}),
            "400 cannot read the query parameter 'subtasks' from 'x'");
}

TEST_F(ArchivedJob, TellsWhatItLeftAndNothingElse) {
  for (const std::string& path :
       {job, job + "/plan", job + "/jobmanager/environment", vertex, vertex + "/subtasks/0",
        vertex + "/accumulators", vertex + "/subtasks/accumulators",
        vertex + "/subtasks/1/attempts/0/accumulators"})
    EXPECT_EQ(archived(path), live(path)) << path;
  for (const std::string& path :
       {job + "/none", job + "/none/metrics", vertex + "/none/metrics", vertex + "/subtasks/2/metrics",
        vertex + "/subtasks/1/more/metrics", job + "/vertices/none/jm-operator-metrics",
        job + "/vertices/none/subtasks/metrics", job + "/vertices/" + std::string(400, 'x') + "/metrics"})
    EXPECT_EQ(archived(path).substr(0, 39), "404 the job has ended, and has left no ") << path;
}

}  // namespace
}  // namespace flott
