// Documents of an ended job in an archive, and out of it.
#include "flott/rest/job_archive.h"

#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"
#include "flott/env/simulated.h"
#include "flott/rest/rest_api.h"
#include "flott/rest/tests/listed_job.h"
#include "flott/rest/tests/one_job.h"

namespace flott {
namespace {

TEST(JobArchive, HasWhatTheApiTellsAboutTheJob) {
  SimulatedEnv sim(1);
  OneJob board;
  board.job.details.status = JobStatus::kFinished;
  board.job.details.checkpoints.history = {completedCheckpoint()};
  RestApi api(board, {}, sim.env());
  const std::string text = archiveOf(api, board.job);
  const JobArchive archive = JobArchive::parse(text);
  const std::string job = std::string("/jobs/") + kJobText;
  for (const std::string& path :
       {std::string("/jobs/overview"), job, job + "/config", job + "/plan", job + "/exceptions",
        job + "/accumulators", job + "/checkpoints", job + "/checkpoints/details/7",
        job + "/checkpoints/details/7/subtasks/" + kSinkId, job + "/vertices/" + kSinkId}) {
    const RestResponse live = api.answer({.method = "GET", .path = path});
    EXPECT_EQ(live.status, 200) << path;
    EXPECT_EQ(archive.find(path), live.body);
    EXPECT_EQ(archive.find("/v1" + path + "/"), live.body);
  }
  EXPECT_EQ(archive.find(job + "/nothing"), std::nullopt);
  EXPECT_EQ(parsed(text)["archive"][1]["path"], job);
}

TEST(JobArchive, IsRefusedWhenItIsNone) {
  for (const char* wrong :
       {"", "x", "[]", "{}", R"({"archive":{}})", R"({"archive":[1]})", R"({"archive":[{}]})",
        R"({"archive":[{"path":"/x"}]})", R"({"archive":[{"path":"/x","json":{}}]})",
        R"({"archive":[{"path":1,"json":""}]})"})
    EXPECT_NE(errorText([&] { JobArchive::parse(wrong); }, ErrorKind::kCorruption), "nothing was thrown")
        << wrong;
  EXPECT_TRUE(JobArchive::parse(R"({"archive":[]})").documents().empty());
}

}  // namespace
}  // namespace flott
