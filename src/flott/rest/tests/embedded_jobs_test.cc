// Jobs of this process behind a server, on real threads: asked while they run, ended, forgotten.
#include "flott/rest/embedded_jobs.h"

#include <gtest/gtest.h>

#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"
#include "flott/master/tests/simulated_job.h"
#include "flott/rest/http_client.h"
#include "flott/rest/http_server.h"
#include "flott/rest/rest_api.h"
#include "flott/rest/tests/listed_job.h"
#include "flott/rest/tests/loopback.h"

namespace flott {
namespace {

class CountingSink final : public Operator {
 public:
  void open(OperatorContext& context) override { seen_ = &context.accumulators().get<LongCounter>("seen"); }
  Step onBatch(int, Batch batch, Output&) override {
    seen_->add(static_cast<int64_t>(batch.size()));
    return Step::kDone;
  }

 private:
  LongCounter* seen_ = nullptr;
};

std::shared_ptr<const OperatorFactory> countingSink() {
  auto make = [] { return std::make_unique<CountingSink>(); };
  return std::make_shared<MadeBy<decltype(make)>>(make);
}

class EmbeddedJobsTest : public testing::Test {
 protected:
  std::unique_ptr<EmbeddedJob> make(Pipeline pipeline, const Configuration& configuration = {}) {
    EmbeddedJob::MakeScheduler scheduler = [this](int lanes, const Configuration&) {
      return makeThreadedScheduler(world.env, {.lanes = lanes});
    };
    return std::make_unique<EmbeddedJob>(pipeline.job(), configuration, world.env, world.real, scheduler);
  }
  std::unique_ptr<EmbeddedJob> start(Pipeline pipeline, const Configuration& configuration = {}) {
    std::unique_ptr<EmbeddedJob> job = make(std::move(pipeline), configuration);
    jobs.list(*job);
    job->start();
    return job;
  }
  static Pipeline waiting() {
    Pipeline pipeline(readBy(IdleReader()));
    pipeline.then("sink", countingSink(), 2, PartitionKind::kRebalance);
    return pipeline;
  }
  static Pipeline counting(int64_t each) {
    Pipeline pipeline(numbers(each));
    pipeline.then("sink", countingSink(), 2, PartitionKind::kRebalance);
    return pipeline;
  }
  JobStatus statusOf(const EmbeddedJob& job) {
    const std::optional<ListedJob> listed = jobs.find(job.id());
    return listed ? listed->details.status : JobStatus::kCreated;
  }

  Loopback world;
  EmbeddedJobs jobs{world.env, 2};
};

TEST_F(EmbeddedJobsTest, TellAboutARunningJob) {
  const auto job = start(waiting());
  while (statusOf(*job) != JobStatus::kRunning) {
  }
  const ListedJob listed = *jobs.find(job->id());
  EXPECT_EQ(listed.job->name, "job");
  ASSERT_EQ(listed.job->vertices.size(), 2u);
  EXPECT_EQ(listed.job->vertices[0].id.size(), 32u);
  EXPECT_TRUE(listed.job->vertices[0].chain[0].source);
  EXPECT_TRUE(listed.job->vertices[0].chain[0].sends);
  EXPECT_FALSE(listed.job->vertices[1].chain[0].sends);
  EXPECT_EQ(listed.job->vertices[1].inputs[0].shipStrategy, "REBALANCE");
  EXPECT_EQ(listed.details.tasks.size(), 3u);
  EXPECT_NE(merged(*jobs.accumulators(job->id())).find("seen"), nullptr);
  EXPECT_EQ(jobs.watermarks(job->id())->operators.size(), 2u);
  EXPECT_EQ(jobs.cluster().slots, 2);
  EXPECT_FALSE(jobs.find(JobId{.high = 5}));
  EXPECT_FALSE(jobs.accumulators(JobId{.high = 5}));
  EXPECT_EQ(jobs.cancel(JobId{.high = 5}), AskOutcome::kUnknown);

  EXPECT_EQ(jobs.cancel(job->id()), AskOutcome::kAccepted);
  job->wait();
  EXPECT_EQ(statusOf(*job), JobStatus::kCancelled) << "at once";
  EXPECT_EQ(jobs.cancel(job->id()), AskOutcome::kAccepted);
  EXPECT_EQ(jobs.cluster().slots, 0);
}

TEST_F(EmbeddedJobsTest, KeepTheLastWordOfJobsThatAreGone) {
  JobId id;
  {
    const auto job = start(counting(500));
    id = job->id();
    job->wait();
  }
  const ListedJob listed = *jobs.find(id);
  EXPECT_EQ(listed.details.status, JobStatus::kFinished);
  int64_t in = 0;
  for (const NamedMetric& metric : vertexMetrics(listed, listed.job->vertices[1]))
    if (metric.id.ends_with(".sink.numRecordsIn")) in += std::stoll(metric.value);
  EXPECT_EQ(in, 500);
  EXPECT_EQ(merged(*jobs.accumulators(id)).find("seen")->text(), "500");
  EXPECT_TRUE(jobs.watermarks(id)->operators.empty());
  EXPECT_EQ(jobs.cancel(id), AskOutcome::kTooLate);
}

TEST_F(EmbeddedJobsTest, ForgetTheOldestThatHaveEnded) {
  const auto running = start(waiting());
  std::vector<JobId> ids;
  for (int i = 0; i < 4; ++i) {
    const auto job = start(counting(10));
    ids.push_back(job->id());
    job->wait();
  }
  std::vector<JobId> known;
  for (const ListedJob& listed : jobs.jobs()) known.push_back(listed.job->id);
  EXPECT_EQ(known, (std::vector<JobId>{ids[3], ids[2], running->id()})) << "newest first; what runs is kept";
  EXPECT_FALSE(jobs.find(ids[0]));
  running->cancel();
  running->wait();
}

TEST_F(EmbeddedJobsTest, ForgetWhatWasNotStarted) {
  const auto job = make(waiting());
  jobs.list(*job);
  jobs.forget(*job);
  EXPECT_TRUE(jobs.jobs().empty());
}

// Asked from all sides while it ends and is destroyed.
TEST_F(EmbeddedJobsTest, AnswerWhileJobsComeAndGo) {
  std::atomic<bool> over{false};
  std::vector<std::unique_ptr<Thread>> asking;
  for (int i = 0; i < 3; ++i) {
    asking.push_back(world.env.threads.start({.name = "asking"}, [this, &over] {
      while (!over) {
        for (const ListedJob& listed : jobs.jobs()) {
          jobs.watermarks(listed.job->id);
          jobs.accumulators(listed.job->id);
        }
      }
    }));
  }
  for (int i = 0; i < 30; ++i) {
    const auto job = start(counting(i % 3 == 0 ? 1 : 3000));
    if (i % 4 == 1) jobs.cancel(job->id());
    job->wait();
    EXPECT_TRUE(isFinal(statusOf(*job)));
  }
  over = true;
  for (const auto& thread : asking) thread->join();
}

TEST_F(EmbeddedJobsTest, AreServedAndCancelledOverHttp) {
  RestApi api(jobs, {}, world.env);
  const HttpServer server(world.env, {.ports = {{0, 0}}}, api);
  const auto job = start(waiting());
  const std::string path = "/jobs/" + toString(job->id());
  // A job runs once its tasks are deployed; each of them a moment later.
  auto json = parsed(world.ask(server.port(), path).body);
  while (json["state"] != "RUNNING" || json["vertices"][1]["tasks"]["RUNNING"] != 2) {
    ASSERT_NE(json["state"], "FAILED");
    json = parsed(world.ask(server.port(), path).body);
  }
  const std::string vertex = json["vertices"][1]["id"];
  EXPECT_EQ(parsed(world.ask(server.port(), path + "/vertices/" + vertex).body)["subtasks"].size(), 2u);
  EXPECT_EQ(world.ask(server.port(), path + "?mode=cancel", "PATCH").status, 202);
  EXPECT_TRUE(job->waitFor(Duration::seconds(60)));
  EXPECT_EQ(parsed(world.ask(server.port(), "/jobs/overview").body)["jobs"][0]["state"], "CANCELED");
}

TEST_F(EmbeddedJobsTest, SavepointsAndStopsAreAskedForOverHttp) {
  const std::string folder =
      testing::TempDir() + "/flott-embedded-jobs-" + std::to_string(world.env.random.seed());
  RestApi api(jobs, {}, world.env);
  const HttpServer server(world.env, {.ports = {{0, 0}}}, api);
  const HttpClient client(world.env, "127.0.0.1", server.port());
  const auto job = start(waiting());
  const std::string path = "/jobs/" + toString(job->id());
  const auto ask = [&](const std::string& method, const std::string& at, const std::string& body = {}) {
    return parsed(client.request({.method = method, .path = path + at, .body = body}).body);
  };
  const auto outcome = [&](const std::string& kind, const nlohmann::ordered_json& trigger) {
    for (;;) {
      const auto json = ask("GET", kind + trigger["request-id"].get<std::string>());
      if (json["status"]["id"] == "COMPLETED") return json["operation"];
    }
  };
  while (ask("GET", "")["vertices"][1]["tasks"]["RUNNING"] != 2) {
  }
  EXPECT_EQ(outcome("/checkpoints/", ask("POST", "/checkpoints"))["checkpointId"], 1);
  EXPECT_NE(outcome("/savepoints/", ask("POST", "/savepoints"))["failure-cause"]["stack-trace"]
                .get<std::string>()
                .find("nothing says where to"),
            std::string::npos);
  const std::string where = outcome(
      "/savepoints/", ask("POST", "/savepoints", R"({"target-directory":")" + folder + "\"}"))["location"];
  EXPECT_TRUE(world.env.files.stat(where + "/_metadata")) << where;
  auto checkpoints = ask("GET", "/checkpoints");
  EXPECT_EQ(checkpoints["latest"]["savepoint"]["is_savepoint"], true);
  EXPECT_EQ(checkpoints["latest"]["savepoint"]["external_path"], where);
  EXPECT_EQ(checkpoints["latest"]["completed"]["checkpoint_type"], "CHECKPOINT");
  EXPECT_EQ(checkpoints["counts"]["completed"], 2);

  const auto trigger = ask("POST", "/stop", R"({"drain":true,"targetDirectory":")" + folder + "\"}");
  EXPECT_TRUE(outcome("/savepoints/", trigger).contains("location"));
  EXPECT_TRUE(job->waitFor(Duration::seconds(60)));
  EXPECT_EQ(ask("GET", "")["state"], "FINISHED");
  EXPECT_EQ(client.request({.method = "POST", .path = path + "/stop"}).status, 409);
  for (const FileInfo& file : world.env.files.listFiles(folder)) world.env.files.remove(file.path);
}

TEST_F(EmbeddedJobsTest, WhatAJobDoesNotAnswerBeforeItEndsIsSaid) {
  const auto job = start(waiting());
  struct Watch {
    explicit Watch(std::atomic<int>& count) : deaths(count) {}
    Watch(Watch&& other) noexcept : deaths(other.deaths) { other.counts = false; }
    ~Watch() { deaths += counts ? 1 : 0; }
    void operator()(const CheckpointOutcome&) {}
    std::atomic<int>& deaths;
    bool counts = true;
  };
  std::atomic<int> deaths{0};
  EXPECT_EQ(jobs.cancel(job->id()), AskOutcome::kAccepted);
  job->wait();
  EXPECT_EQ(jobs.triggerCheckpoint(job->id(), Watch(deaths)), AskOutcome::kTooLate);
  EXPECT_EQ(deaths, 1);
  EXPECT_EQ(jobs.triggerCheckpoint(JobId{.high = 5}, Watch(deaths)), AskOutcome::kUnknown);
  EXPECT_EQ(deaths, 2);
}

}  // namespace
}  // namespace flott
