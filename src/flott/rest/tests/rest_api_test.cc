// Which request gets what, and how requests are refused; without a socket.
#include "flott/rest/rest_api.h"

#include <gtest/gtest.h>

#include "flott/env/simulated.h"
#include "flott/rest/built_in.h"
#include "flott/rest/java_throwable.h"
#include "flott/rest/job_archive.h"
#include "flott/rest/tests/listed_job.h"
#include "flott/rest/tests/one_job.h"

namespace flott {
namespace {

class RestApiTest : public testing::Test {
 protected:
  RestResponse ask(const std::string& path, std::multimap<std::string, std::string> query = {},
                   const std::string& method = "GET") {
    return api.answer({.method = method, .path = path, .query = std::move(query)});
  }
  // "202 {…}"
  std::string post(const std::string& path, const std::string& body) {
    const RestResponse response = api.answer({.method = "POST", .path = path, .body = body});
    return std::to_string(response.status) + " " + response.body;
  }
  // "404 there is no job …"
  std::string refusal(const std::string& path, std::multimap<std::string, std::string> query = {},
                      const std::string& method = "GET") {
    const RestResponse response = ask(path, std::move(query), method);
    EXPECT_EQ(response.contentType, "application/json; charset=UTF-8");
    const auto json = parsed(response.body);
    EXPECT_TRUE(json.contains("errors")) << response.body;
    return std::to_string(response.status) + " " + json["errors"][0].get<std::string>();
  }

  SimulatedEnv sim{1};
  OneJob board;
  RestApi api{board, {.refreshInterval = Duration::seconds(1), .operations = 3}, sim.env()};
  const std::string job = std::string("/jobs/") + kJobText;
};

TEST_F(RestApiTest, EveryPathHasItsDocument) {
  board.job.details.checkpoints.history = {completedCheckpoint()};
  const std::string vertex = job + "/vertices/" + kSinkId;
  const std::pair<std::string, std::string> documents[] = {
      {"/config", "\"refresh-interval\":1000"},
      {"/overview", "\"slots-total\":2"},
      {"/jobs", "\"status\":\"RUNNING\""},
      {"/jobs/", "\"status\":\"RUNNING\""},
      {"/v1/jobs", "\"status\":\"RUNNING\""},
      {"/jobs/overview", "\"last-modification\""},
      {job, "\"status-counts\""},
      {job + "/status", "{\"status\":\"RUNNING\"}"},
      {job + "/config", "\"execution-config\""},
      {job + "/plan", "\"ship_strategy\""},
      {job + "/accumulators", "\"user-task-accumulators\""},
      {vertex + "/accumulators", "\"user-accumulators\":[]"},
      {vertex + "/subtasks/accumulators", "\"subtask\":1"},
      {vertex + "/subtasks/1/attempts/0/accumulators", "\"attempt\":0"},
      {job + "/jobmanager/environment", "\"classpath\":[]"},
      {job + "/exceptions", "\"exceptionHistory\""},
      {job + "/metrics", "{\"id\":\"numRestarts\"}"},
      {job + "/watermarks", "{\"operators\":[]}"},
      {job + "/checkpoints", "\"summary\""},
      {job + "/checkpoints/config", "\"exactly_once\""},
      {job + "/checkpoints/details/7", "\"className\":\"completed\""},
      {job + "/checkpoints/details/7/subtasks/" + kSinkId, "\"subtasks\""},
      {vertex, "\"aggregated\""},
      {vertex + "/metrics", "{\"id\":\"1.numRecordsIn\"}"},
      {vertex + "/watermarks", R"([{"id":"0.currentInputWatermark","value":"100"},)"},
      {vertex + "/backpressure", R"({"status":"deprecated"})"},
      {"/openapi.yml", "openapi: 3.1.0"},
      {vertex + "/subtasktimes", R"x({"subtask":1,"endpoint":"(unassigned)","duration":)x"},
      {vertex + "/taskmanagers", R"x("taskmanagers":[{"endpoint":"(unassigned)","status":"RUNNING")x"},
      {vertex + "/subtasks/1", R"({"subtask":1,"status":"RUNNING","attempt":0,)"},
      {vertex + "/subtasks/1/attempts/0", R"({"subtask":1,"status":"RUNNING","attempt":0,)"},
      {vertex + "/subtasks/1/metrics", R"({"id":"numRecordsIn"})"},
      {job + "/jobmanager/config",
       R"([{"key":"parallelism.default","value":"2"},{"key":"s3.secret-key","value":"******"}])"},
      {job + "/execution-result", R"({"status":{"id":"IN_PROGRESS"}})"},
      {"/jobs/metrics", R"({"id":"numRestarts"})"},
  };
  for (const auto& [path, part] : documents) {
    const RestResponse response = ask(path);
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    EXPECT_NE(response.body.find(part), std::string::npos) << path << ": " << response.body;
    EXPECT_EQ(ask(path, {}, "HEAD").status, 200) << path;
    EXPECT_EQ(ask(path, {}, "DELETE").status, 405) << path;
  }
}

TEST_F(RestApiTest, ThePageIsAtTheRoot) {
  for (const char* path : {"/", "/index.html", ""}) {
    const RestResponse response = ask(path);
    EXPECT_EQ(response.contentType, "text/html; charset=UTF-8");
    EXPECT_EQ(response.body, webPage());
  }
  EXPECT_LT(webPage().size(), 40'000u);
}

TEST_F(RestApiTest, MetricsAreChosenByName) {
  EXPECT_EQ(ask(job + "/metrics", {{"get", "numRestarts,nothing"}}).body,
            R"([{"id":"numRestarts","value":"0"}])");
  EXPECT_EQ(ask(job + "/vertices/" + kSinkId + "/metrics", {{"get", "1.numRecordsIn"}}).body,
            R"([{"id":"1.numRecordsIn","value":"12"}])");
  EXPECT_EQ(ask(job + "/metrics", {{"get", ""}}).body, "[]");
}

TEST_F(RestApiTest, DocumentsOfMetricsAreReadBack) {
  std::string text;
  for (
      const NamedMetric& metric : metricsIn(
          R"([{"id":"a","value":"1"},{"id":"b"},{"id":7,"value":"x"},5,{"value":"2"},{"id":"c","value":3}])"))
    text += metric.id + "=" + metric.value + " ";
  EXPECT_EQ(text, "a=1 b= c= ");
  for (const char* none : {"", "{}", "[", "null", R"({"errors":["x"]})"})
    EXPECT_TRUE(metricsIn(none).empty());
}

TEST_F(RestApiTest, WhatIsNotThereIs404) {
  EXPECT_EQ(refusal("/nothing"), "404 there is nothing at /nothing");
  EXPECT_EQ(refusal("/jobs/overview/more/and/more/and/more/and/more/and/more"),
            "404 there is nothing at /jobs/overview/more/and/more/and/more/and/more/and/more");
  EXPECT_EQ(refusal("/jobs/0000000000000001000000000000000A"),
            "404 there is no job 0000000000000001000000000000000a");
  EXPECT_EQ(refusal("/jobs/0000000000000001000000000000000a/accumulators"),
            "404 there is no job 0000000000000001000000000000000a");
  EXPECT_EQ(refusal("/jobs/0000000000000001000000000000000a/watermarks"),
            "404 there is no job 0000000000000001000000000000000a");
  EXPECT_EQ(refusal(job + "/vertices/00000000000000000000000000000c03"),
            "404 the job has no vertex 00000000000000000000000000000c03");
  EXPECT_EQ(refusal(job + "/checkpoints/details/8"),
            "404 nothing is known of a checkpoint 8: there was none, or web.checkpoints.history newer ones");
  board.job.details.checkpoints.history = {{.id = CheckpointId(8)}};
  EXPECT_EQ(refusal(job + "/checkpoints/details/8/subtasks/" + kSinkId),
            "404 no subtask of vertex 00000000000000000000000000000b02 has acknowledged it");
  EXPECT_EQ(refusal(job + "/vertices/" + kSinkId + "/nothing").substr(0, 25), "404 there is nothing at /");
  EXPECT_EQ(refusal(job + "/vertices/" + kSinkId + "/subtasks/2"),
            "404 the vertex has no subtask 2 at this moment");
  EXPECT_EQ(refusal(job + "/vertices/" + kSinkId + "/subtasks/1/attempts/1"),
            "404 of subtask 1 attempt 0 alone is known");
}

TEST_F(RestApiTest, WhatCannotBeReadIs400) {
  EXPECT_EQ(refusal("/jobs/xyz"), "400 cannot read the path parameter 'jobid' from 'xyz'");
  EXPECT_EQ(refusal("/jobs/" + std::string(500, 'a')),
            "400 cannot read the path parameter 'jobid' from '" + std::string(64, 'a') + "'");
  EXPECT_EQ(refusal(job + "/vertices/0"), "400 cannot read the path parameter 'vertexid' from '0'");
  EXPECT_EQ(refusal(job + "/vertices/0000000000000000000000000000000x"),
            "400 cannot read the path parameter 'vertexid' from '0000000000000000000000000000000x'");
  for (const char* id : {"x", "-1", "1x", "99999999999999999999"})
    EXPECT_EQ(refusal(job + "/checkpoints/details/" + id),
              "400 cannot read the path parameter 'checkpointid' from '" + std::string(id) + "'");
  EXPECT_EQ(refusal(job + "/exceptions", {{"maxExceptions", "-2"}}),
            "400 cannot read the query parameter 'maxExceptions' from '-2'");
  EXPECT_EQ(refusal(job, {{"mode", "stop"}}, "PATCH"),
            "400 cannot read the query parameter 'mode' from 'stop'");
  EXPECT_EQ(board.cancels, 0);
  EXPECT_EQ(refusal("/jobs/metrics", {{"agg", "min,median"}}),
            "400 cannot read the query parameter 'agg' from 'median'");
  EXPECT_EQ(refusal("/jobs/metrics", {{"jobs", "x"}}), "400 cannot read the query parameter 'jobs' from 'x'");
  for (const char* ranges : {"x", "3-1", "-1", "1-", "0-99999999"})
    EXPECT_EQ(refusal(job + "/vertices/" + kSinkId + "/subtasks/metrics", {{"subtasks", ranges}}),
              "400 cannot read the query parameter 'subtasks' from '" + std::string(ranges) + "'");
}

TEST_F(RestApiTest, BackPressureIsThatOfTheLastSeconds) {
  const auto gauge = [](const char* name, double value) {
    return MetricReading{name, std::to_string(value), value, MetricKind::kGauge, {}};
  };
  const double shares[2][3] = {{600, 300, 100}, {0, 1000, 0}};
  for (size_t i = 0; i < 2; ++i)
    board.job.details.tasks[1 + i].metrics = {gauge("backPressuredTimeMsPerSecond", shares[i][0]),
                                              gauge("idleTimeMsPerSecond", shares[i][1]),
                                              gauge("busyTimeMsPerSecond", shares[i][2]),
                                              gauge("accumulateBackPressuredTimeMs", 6000),
                                              gauge("accumulateIdleTimeMs", 3000),
                                              gauge("accumulateBusyTimeMs", 1000)};
  const std::string vertex = job + "/vertices/" + kSinkId;
  auto json = parsed(ask(vertex + "/backpressure").body);
  EXPECT_EQ(json["status"], "ok");
  EXPECT_EQ(json["backpressure-level"], "high");
  ASSERT_EQ(json["subtasks"].size(), 2u);
  EXPECT_EQ(json["subtasks"][0]["backpressure-level"], "high");
  EXPECT_EQ(json["subtasks"][0]["ratio"], 0.6);
  EXPECT_EQ(json["subtasks"][0]["idleRatio"], 0.3);
  EXPECT_EQ(json["subtasks"][0]["busyRatio"], 0.1);
  EXPECT_EQ(json["subtasks"][1]["backpressure-level"], "ok");
  EXPECT_EQ(json["subtasks"][1]["ratio"], 0.0);
  json = parsed(ask(job).body)["vertices"][1]["metrics"];
  EXPECT_EQ(json["accumulated-backpressured-time"], 12000);
  EXPECT_EQ(json["accumulated-idle-time"], 6000);
  EXPECT_EQ(json["accumulated-busy-time"], 2000.0);
}

TEST_F(RestApiTest, WhatFlottHasNotIs501) {
  EXPECT_EQ(refusal(job + "/vertices/" + kSinkId + "/flamegraph").substr(0, 26),
            "501 there are no flame gra");
  EXPECT_EQ(refusal(job + "/resource-requirements", {}, "PUT").substr(0, 26), "501 a job is not rescaled ");
  EXPECT_EQ(refusal(job + "/rescaling", {{"parallelism", "2"}}, "PATCH").substr(0, 26),
            "501 a job is not rescaled ");
}

TEST_F(RestApiTest, MetricsAreAggregated) {
  const std::string vertex = job + "/vertices/" + kSinkId;
  EXPECT_EQ(ask(vertex + "/subtasks/metrics").body.substr(0, 42),
            R"([{"id":"count__by_word.currentInputWaterma)");
  EXPECT_EQ(
      ask(vertex + "/subtasks/metrics", {{"get", "numRecordsIn,nothing"}}).body,
      R"([{"id":"numRecordsIn","min":12.0,"max":30.0,"avg":21.0,"sum":42.0,"skew":42.857142857142854}])");
  EXPECT_EQ(ask(vertex + "/subtasks/metrics", {{"get", "numRecordsIn"}, {"agg", "sum,MAX"}}).body,
            R"([{"id":"numRecordsIn","sum":42.0,"max":30.0}])");
  EXPECT_EQ(
      ask(vertex + "/subtasks/metrics", {{"get", "numRecordsIn"}, {"agg", "sum"}, {"subtasks", "1,5-9"}})
          .body,
      R"([{"id":"numRecordsIn","sum":12.0}])");
  EXPECT_EQ(ask(vertex + "/subtasks/1/metrics", {{"get", "numRecordsIn"}}).body,
            R"([{"id":"numRecordsIn","value":"12"}])");
  EXPECT_EQ(ask("/jobs/metrics", {{"get", "numRestarts"}, {"agg", "max"}}).body,
            R"([{"id":"numRestarts","max":0.0}])");
  EXPECT_EQ(ask("/jobs/metrics", {{"jobs", "0000000000000001000000000000000a"}}).body, "[]");
  EXPECT_EQ(ask(vertex + "/jm-operator-metrics").body, "[]");
}

TEST_F(RestApiTest, SavepointsAreTriggeredAndAskedAfter) {
  const std::string id(32, 'a');
  EXPECT_EQ(
      post(job + "/savepoints", R"({"target-directory":"/sp","cancel-job":true,"triggerId":")" + id + "\"}"),
      R"(202 {"request-id":")" + id + "\"}");
  ASSERT_EQ(board.orders.size(), 1u);
  EXPECT_EQ(board.orders[0].folder, "/sp");
  EXPECT_TRUE(board.orders[0].cancels);
  EXPECT_EQ(board.orders[0].stop, StopMode::kGoOn);
  EXPECT_EQ(post(job + "/savepoints", R"({"triggerId":")" + id + "\"}"),
            R"(202 {"request-id":")" + id + "\"}")
      << "asked again, not made again";
  EXPECT_EQ(board.orders.size(), 1u);
  EXPECT_EQ(ask(job + "/savepoints/" + id).body, R"({"status":{"id":"IN_PROGRESS"},"operation":null})");
  board.replies[0]({.id = CheckpointId(3), .folder = "/sp/savepoint-1", .error = {}});
  EXPECT_EQ(ask(job + "/savepoints/" + id).body,
            R"({"status":{"id":"COMPLETED"},"operation":{"location":"/sp/savepoint-1"}})");

  const std::string drawn = parsed(ask(job + "/savepoints", {}, "POST").body)["request-id"];
  EXPECT_EQ(drawn.size(), 32u);
  EXPECT_FALSE(board.orders[1].cancels);
  board.replies[1]({.error = Error(ErrorKind::kTransient, "the disk is full")});
  EXPECT_EQ(
      ask(job + "/savepoints/" + drawn).body,
      R"x({"status":{"id":"COMPLETED"},"operation":{"failure-cause":{"class":"flott::Error (transient)",)x"
      R"("stack-trace":"the disk is full","serialized-throwable":")" +
          javaThrowable("the disk is full") + R"("}}})");
  EXPECT_EQ(refusal(job + "/checkpoints/" + drawn).substr(0, 3), "404") << "that is no checkpoint";
}

TEST_F(RestApiTest, JobsAreStoppedWithASavepoint) {
  EXPECT_EQ(post(job + "/stop", R"({"targetDirectory":"/sp","drain":true})").substr(0, 18),
            R"(202 {"request-id":)");
  EXPECT_EQ(post(job + "/stop", "").substr(0, 18), R"(202 {"request-id":)");
  ASSERT_EQ(board.orders.size(), 2u);
  EXPECT_EQ(board.orders[0].folder, "/sp");
  EXPECT_EQ(board.orders[0].stop, StopMode::kDrain);
  EXPECT_EQ(board.orders[1].folder, "");
  EXPECT_EQ(board.orders[1].stop, StopMode::kSuspend);
}

TEST_F(RestApiTest, CheckpointsAreTriggeredAndAskedAfter) {
  const std::string id = parsed(ask(job + "/checkpoints", {}, "POST").body)["request-id"];
  EXPECT_EQ(ask(job + "/checkpoints/" + id).body, R"({"status":{"id":"IN_PROGRESS"},"operation":null})");
  board.replies[0]({.id = CheckpointId(9), .folder = "", .error = {}});
  EXPECT_EQ(ask(job + "/checkpoints/" + id).body,
            R"({"status":{"id":"COMPLETED"},"operation":{"checkpointId":9}})");
  const std::string lost = parsed(ask(job + "/checkpoints", {}, "POST").body)["request-id"];
  board.replies.clear();
  EXPECT_EQ(parsed(ask(job + "/checkpoints/" + lost).body)["operation"]["failureCause"]["stack-trace"],
            "the job ended before it was done");
}

TEST_F(RestApiTest, CheckpointsAreOfTheTypeThatTheJobHas) {
  EXPECT_EQ(post(job + "/checkpoints", R"({"checkpointType":"FULL"})").substr(0, 3), "202");
  auto incremental = std::make_shared<JobDescription>(*board.job.job);
  incremental->checkpoints.incremental = true;
  board.job.job = incremental;
  EXPECT_EQ(post(job + "/checkpoints", R"({"checkpointType":"INCREMENTAL"})").substr(0, 3), "202");
  EXPECT_EQ(
      post(job + "/checkpoints", R"({"checkpointType":"FULL"})"),
      R"(400 {"errors":["checkpoints of the job are incremental, as execution.checkpointing.incremental )"
      R"(says: take a savepoint for all state"]})");
}

TEST_F(RestApiTest, WhatHasEndedIsWaitedForUntilItWasTold) {
  const std::string told = parsed(ask(job + "/checkpoints", {}, "POST").body)["request-id"];
  ask(job + "/checkpoints", {}, "POST");  // under way
  board.replies[0]({.id = CheckpointId(9), .folder = "", .error = {}});
  ask(job + "/checkpoints/" + told);
  api.waitUntilTold(Duration::seconds(2));  // would not return: there is no other thread
  board.replies[1]({.id = CheckpointId(10), .folder = "", .error = {}});
  sim.clock().advance(Duration::seconds(2));
  api.waitUntilTold(Duration::seconds(2));
}

TEST_F(RestApiTest, ResultsAreInTheArchiveOfTheJob) {
  const std::string savepoint = parsed(ask(job + "/savepoints", {}, "POST").body)["request-id"];
  const std::string checkpoint = parsed(ask(job + "/checkpoints", {}, "POST").body)["request-id"];
  ask(job + "/checkpoints", {}, "POST");  // under way
  board.replies[0]({.folder = "/sp/savepoint-1", .error = {}});
  board.replies[1]({.id = CheckpointId(9), .folder = "", .error = {}});
  const std::vector<std::string> paths = api.operationPaths(board.job.job->id);
  EXPECT_EQ(paths,
            (std::vector<std::string>{job + "/savepoints/" + savepoint, job + "/checkpoints/" + checkpoint}));
  const JobArchive archive = JobArchive::parse(archiveOf(api, board.job, paths));
  EXPECT_EQ(archive.find(job + "/savepoints/" + savepoint),
            R"({"status":{"id":"COMPLETED"},"operation":{"location":"/sp/savepoint-1"}})");
  EXPECT_EQ(archive.find(job + "/checkpoints/" + checkpoint),
            R"({"status":{"id":"COMPLETED"},"operation":{"checkpointId":9}})");
}

TEST_F(RestApiTest, OperationsAreBoundedAndTheOldestGo) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(parsed(ask(job + "/checkpoints", {}, "POST").body)["request-id"]);
  EXPECT_EQ(refusal(job + "/checkpoints", {}, "POST"), "503 3 operations are under way: ask again later");
  board.replies[1]({.id = CheckpointId(9), .folder = "", .error = {}});
  EXPECT_EQ(ask(job + "/checkpoints", {}, "POST").status, 202);
  EXPECT_EQ(ask(job + "/checkpoints/" + ids[0]).status, 200);
  EXPECT_EQ(refusal(job + "/checkpoints/" + ids[1]),
            "404 nothing is known of an operation " + ids[1] + ": there was none, or many newer ones");
}

TEST_F(RestApiTest, TriggersThatCannotBe) {
  const std::string none = "/jobs/0000000000000001000000000000000a";
  for (const char* call : {"/savepoints", "/stop", "/checkpoints"}) {
    EXPECT_EQ(refusal(none + call, {}, "POST"), "404 there is no job 0000000000000001000000000000000a");
    EXPECT_EQ(post(job + call, "{"), R"(400 {"errors":["the body is no JSON"]})");
    EXPECT_EQ(post(job + call, "[]"), R"(400 {"errors":["the body is no JSON object"]})");
    EXPECT_EQ(post(job + call, "{\"a\":" + std::string(500'000, '[') + std::string(500'000, ']') + "}"),
              R"(400 {"errors":["the JSON of the body nests deeper than 16 levels"]})");
    EXPECT_EQ(post(job + call, std::string(1'000'000, '[')),
              R"(400 {"errors":["the JSON of the body nests deeper than 16 levels"]})");
    EXPECT_EQ(post(job + call, R"({"triggerId":"x"})"),
              R"(400 {"errors":["the field 'triggerId' of the body is not 32 hexadecimal digits"]})");
    EXPECT_TRUE(post(job + call, R"({"triggerID":"x"})")
                    .starts_with(R"(400 {"errors":["the body has a field 'triggerID',)"));
    EXPECT_EQ(post(job + call, R"({"triggerId":1})"),
              R"(400 {"errors":["the field 'triggerId' of the body is not a text"]})");
  }
  EXPECT_EQ(post(job + "/stop", R"({"drain":"yes"})"),
            R"(400 {"errors":["the field 'drain' of the body is not true or false"]})");
  EXPECT_TRUE(post(job + "/stop", R"({"formatType":"NATIVE"})")
                  .starts_with(R"(400 {"errors":["savepoints are canonical)"));
  EXPECT_EQ(post(job + "/checkpoints", R"({"checkpointType":"INCREMENTAL"})"),
            R"(400 {"errors":["checkpoints of the job are full: execution.checkpointing.incremental makes )"
            R"(incremental ones"]})");
  EXPECT_EQ(
      post(job + "/checkpoints", R"({"checkpointType":"SOME"})"),
      R"(400 {"errors":["the field 'checkpointType' of the body is not one of CONFIGURED, FULL, INCREMENTAL"]})");
  EXPECT_EQ(refusal(job + "/savepoints/x"), "400 cannot read the path parameter 'triggerid' from 'x'");
  EXPECT_TRUE(board.replies.empty());
  board.outcome = AskOutcome::kTooLate;
  board.job.details.status = JobStatus::kFinished;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(refusal(job + "/savepoints", {}, "POST"), "409 the job cannot make a savepoint: it is FINISHED")
        << "and is not remembered";
}

TEST_F(RestApiTest, SavepointsAreRemoved) {
  EXPECT_TRUE(
      post("/savepoint-disposal", "{}").starts_with(R"(400 {"errors":["the body has no 'savepoint-pa)"));
  const RestResponse response = api.answer(
      {.method = "POST", .path = "/savepoint-disposal", .body = R"({"savepoint-path":"/sp/none"})"});
  EXPECT_EQ(response.status, 202);
  const std::string path = "/savepoint-disposal/" + parsed(response.body)["request-id"].get<std::string>();
  EXPECT_EQ(ask(path).body, R"({"status":{"id":"IN_PROGRESS"},"operation":null})");
  EXPECT_TRUE(sim.offload().runOne());
  const auto json = parsed(ask(path).body);
  EXPECT_EQ(json["status"]["id"], "COMPLETED");
  EXPECT_NE(json["operation"]["failure-cause"]["stack-trace"].get<std::string>().find("/sp/none"),
            std::string::npos)
      << json;
}

TEST_F(RestApiTest, ResultsAreThereOnceTheJobHasEnded) {
  EXPECT_EQ(ask(job + "/execution-result").body, R"({"status":{"id":"IN_PROGRESS"}})");
  board.job.details.status = JobStatus::kFinished;
  board.job.details.since[static_cast<size_t>(JobStatus::kFinished)] = after(1000);
  EXPECT_EQ(ask(job + "/execution-result").body,
            std::string(R"({"status":{"id":"COMPLETED"},"job-execution-result":{"id":")") + kJobText +
                R"(","application-status":"SUCCEEDED","accumulator-results":{},"net-runtime":1000}})");
  board.job.details.status = JobStatus::kFailed;
  board.job.details.failures = {{.at = after(5), .kind = ErrorKind::kUser, .text = "wrong", .task = {}}};
  const auto json = parsed(ask(job + "/execution-result").body)["job-execution-result"];
  EXPECT_EQ(json["application-status"], "FAILED");
  EXPECT_EQ(json["failure-cause"]["stack-trace"], "wrong");
}

TEST_F(RestApiTest, OtherMethodsAre405AndNameThoseThereAre) {
  EXPECT_EQ(refusal("/jobs/overview", {}, "POST"), "405 POST is not for /jobs/overview; there is GET");
  EXPECT_EQ(refusal("/jobs/overview", {}, "PATCH"), "405 PATCH is not for /jobs/overview; there is GET");
  EXPECT_EQ(ask(job, {}, "DELETE").allow, "GET, PATCH");
  EXPECT_EQ(ask("/", {}, "POST").allow, "GET");
  EXPECT_EQ(ask(job, {}, "OPTIONS").status, 405) << "a page of another site gets no leave to PATCH";
}

TEST_F(RestApiTest, CancelsByGetButNotForOtherSites) {
  EXPECT_EQ(ask(job + "/yarn-cancel").status, 202);
  EXPECT_EQ(board.cancels, 1);
  EXPECT_EQ(api.answer({.method = "GET", .path = job + "/yarn-cancel", .fromOtherSite = true}).status, 403);
  EXPECT_EQ(board.cancels, 1);
}

TEST_F(RestApiTest, CancelsByPatch) {
  RestResponse response = ask(job, {{"mode", "cancel"}}, "PATCH");
  EXPECT_EQ(std::to_string(response.status) + " " + response.body, "202 {}");
  EXPECT_EQ(ask(job, {}, "PATCH").status, 202) << "mode=cancel is the only one";
  EXPECT_EQ(board.cancels, 2);
  EXPECT_EQ(refusal("/jobs/0000000000000001000000000000000a", {}, "PATCH"),
            "404 there is no job 0000000000000001000000000000000a");
  board.outcome = AskOutcome::kTooLate;
  board.job.details.status = JobStatus::kFailed;
  EXPECT_EQ(refusal(job, {}, "PATCH"), "409 the job cannot be cancelled: it is FAILED");
}

TEST_F(RestApiTest, AJobThatDoesNotAnswerIs503) {
  board.silent = true;
  EXPECT_EQ(refusal(job), "503 the job 'clicks' does not answer: ask again");
}

}  // namespace
}  // namespace flott
