// Which request gets what, and how requests are refused; without a socket.
#include "flott/rest/rest_api.h"

#include <gtest/gtest.h>

#include "flott/env/simulated.h"
#include "flott/rest/built_in.h"
#include "flott/rest/tests/listed_job.h"
#include "flott/rest/tests/one_job.h"

namespace flott {
namespace {

class RestApiTest : public testing::Test {
 protected:
  RestResponse ask(const std::string& path, std::multimap<std::string, std::string> query = {},
                   const std::string& method = "GET") {
    RestApi api(board, {.refreshInterval = Duration::seconds(1)}, sim.env().clock);
    return api.answer({.method = method, .path = path, .query = std::move(query)});
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
  };
  for (const auto& [path, part] : documents) {
    const RestResponse response = ask(path);
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    EXPECT_NE(response.body.find(part), std::string::npos) << path << ": " << response.body;
    EXPECT_EQ(ask(path, {}, "HEAD").status, 200) << path;
    EXPECT_EQ(ask(path, {}, "POST").status, 405) << path;
  }
}

TEST_F(RestApiTest, ThePageIsAtTheRoot) {
  for (const char* path : {"/", "/index.html", ""}) {
    const RestResponse response = ask(path);
    EXPECT_EQ(response.contentType, "text/html; charset=UTF-8");
    EXPECT_EQ(response.body, webPage());
  }
  EXPECT_LT(webPage().size(), 20'000u);
}

TEST_F(RestApiTest, MetricsAreChosenByName) {
  EXPECT_EQ(ask(job + "/metrics", {{"get", "numRestarts,nothing"}}).body,
            R"([{"id":"numRestarts","value":"0"}])");
  EXPECT_EQ(ask(job + "/vertices/" + kSinkId + "/metrics", {{"get", "1.numRecordsIn"}}).body,
            R"([{"id":"1.numRecordsIn","value":"12"}])");
  EXPECT_EQ(ask(job + "/metrics", {{"get", ""}}).body, "[]");
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
  EXPECT_EQ(refusal(job + "/vertices/" + kSinkId + "/backpressure").substr(0, 25),
            "404 there is nothing at /");
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
}

TEST_F(RestApiTest, OtherMethodsAre405AndNameThoseThereAre) {
  EXPECT_EQ(refusal("/jobs/overview", {}, "POST"), "405 POST is not for /jobs/overview; there is GET");
  EXPECT_EQ(refusal("/jobs/overview", {}, "PATCH"), "405 PATCH is not for /jobs/overview; there is GET");
  EXPECT_EQ(ask(job, {}, "DELETE").allow, "GET, PATCH");
  EXPECT_EQ(ask("/", {}, "POST").allow, "GET");
  EXPECT_EQ(ask(job, {}, "OPTIONS").status, 405) << "a page of another site gets no leave to PATCH";
}

TEST_F(RestApiTest, CancelsByPatch) {
  RestResponse response = ask(job, {{"mode", "cancel"}}, "PATCH");
  EXPECT_EQ(std::to_string(response.status) + " " + response.body, "202 {}");
  EXPECT_EQ(ask(job, {}, "PATCH").status, 202) << "mode=cancel is the only one";
  EXPECT_EQ(board.cancels, 2);
  EXPECT_EQ(refusal("/jobs/0000000000000001000000000000000a", {}, "PATCH"),
            "404 there is no job 0000000000000001000000000000000a");
  board.outcome = CancelOutcome::kTooLate;
  board.job.details.status = JobStatus::kFailed;
  EXPECT_EQ(refusal(job, {}, "PATCH"), "409 the job cannot be cancelled: it is FAILED");
}

TEST_F(RestApiTest, AJobThatDoesNotAnswerIs503) {
  board.silent = true;
  EXPECT_EQ(refusal(job), "503 the job 'clicks' does not answer: ask again");
}

}  // namespace
}  // namespace flott
