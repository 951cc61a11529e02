// The documents, whole, against what Flink 2 gives for the like.
#include "flott/rest/documents.h"

#include <gtest/gtest.h>

#include "flott/rest/built_in.h"
#include "flott/rest/tests/listed_job.h"

namespace flott {
namespace {

using Json = nlohmann::ordered_json;

// Order and all: readable differences.
void expectDocument(const std::string& document, const std::string& expected) {
  EXPECT_EQ(parsed(document).dump(1), parsed(expected).dump(1));
}

TEST(Documents, OfTheServer) {
  EXPECT_EQ(errorDocument("no \"such\" job"), R"_({"errors":["no \"such\" job"]})_");
  const std::string version(flottVersion());
  expectDocument(
      webConfigDocument(Duration::seconds(3)),
      R"_({"refresh-interval":3000,"timezone-name":"UTC","timezone-offset":0,"flink-version":"Flott )_" +
          version + R"_(","flink-revision":"<unknown>","features":{"web-submit":false,
                     "web-cancel":true,"web-rescale":false,"web-history":false}})_");
  std::vector<ListedJob> jobs(4, runningJob());
  jobs[0].details.status = JobStatus::kFinished;
  jobs[1].details.status = JobStatus::kCancelled;
  jobs[2].details.status = JobStatus::kRestarting;
  expectDocument(overviewDocument({.workers = 1, .slots = 4, .freeSlots = 1}, jobs),
                 R"_({"taskmanagers":1,"slots-total":4,"slots-available":1,"jobs-running":2,"jobs-finished":1,
                 "jobs-cancelled":1,"jobs-failed":0,"flink-version":"Flott )_" +
                     version + R"_(","flink-commit":"<unknown>"})_");
}

TEST(Documents, ListJobs) {
  const std::vector<ListedJob> jobs{runningJob()};
  expectDocument(jobIdsDocument(jobs),
                 R"_({"jobs":[{"id":"00000000000000010000000000000002","status":"RUNNING"}]})_");
  expectDocument(jobsOverviewDocument(jobs, after(1000)),
                 R"_({"jobs":[{"jid":"00000000000000010000000000000002","name":"clicks","jobType":"STREAMING",
                 "schedulerType":"Default","start-time":1700000000000,"end-time":-1,"duration":1000,
                 "state":"RUNNING","last-modification":1700000000005,"tasks":{"running":3,"canceling":0,
                 "canceled":0,"total":3,"created":0,"scheduled":0,"deploying":0,"reconciling":0,"finished":0,
                 "initializing":0,"failed":0},"pending-operators":0}]})_");
  expectDocument(jobIdsDocument({}), R"_({"jobs":[]})_");
}

constexpr const char* kPlan =
    R"_({"jid":"00000000000000010000000000000002","name":"clicks","type":"STREAMING",
  "nodes":[{"id":"00000000000000000000000000000a01","operator":"","parallelism":1,"operator_strategy":"",
  "description":"Source: lines &lt;text&gt;<br/>+- split &amp; &quot;trim&quot;","optimizer_properties":{}},
  {"id":"00000000000000000000000000000b02","operator":"","parallelism":2,"operator_strategy":"",
  "description":"count","optimizer_properties":{},"inputs":[{"id":"00000000000000000000000000000a01","num":0,
  "exchange":"pipelined_bounded","ship_strategy":"HASH"}]}]})_";

TEST(Documents, OfARunningJob) {
  expectDocument(
      jobDocument(runningJob(), after(1000)),
      R"_({"jid":"00000000000000010000000000000002","name":"clicks","isStoppable":false,"state":"RUNNING",
      "job-type":"STREAMING","schedulerType":"Default","start-time":1700000000000,
      "end-time":-1,"duration":1000,
      "maxParallelism":-1,"now":1700000001000,"timestamps":{"INITIALIZING":0,"CREATED":1700000000000,
      "FAILING":0,"RESTARTING":0,"CANCELLING":0,"FINISHED":0,"CANCELED":0,
      "RUNNING":1700000000005,"SUSPENDED":0,
      "RECONCILING":0,"FAILED":0},"vertices":[{"id":"00000000000000000000000000000a01",
      "slotSharingGroupId":"default","name":"Source: lines -> split","maxParallelism":128,"parallelism":1,
      "status":"RUNNING","start-time":1700000000005,"end-time":-1,"duration":995,"tasks":{"SCHEDULED":0,
      "RUNNING":1,"DEPLOYING":0,"CANCELED":0,"FINISHED":0,"FAILED":0,"INITIALIZING":0,"CREATED":0,
      "RECONCILING":0,"CANCELING":0},"metrics":{"read-bytes":0,"read-bytes-complete":false,"write-bytes":0,
      "write-bytes-complete":false,"read-records":0,"read-records-complete":true,"write-records":42,
      "write-records-complete":true,"accumulated-backpressured-time":-1,"accumulated-idle-time":-1,
      "accumulated-busy-time":"NaN"}},{"id":"00000000000000000000000000000b02","slotSharingGroupId":"default",
      "name":"count: by word","maxParallelism":128,"parallelism":2,"status":"RUNNING",
      "start-time":1700000000005,"end-time":-1,"duration":995,"tasks":{"SCHEDULED":0,
      "RUNNING":2,"DEPLOYING":0,
      "CANCELED":0,"FINISHED":0,"FAILED":0,"INITIALIZING":0,"CREATED":0,"RECONCILING":0,"CANCELING":0},
      "metrics":{"read-bytes":0,"read-bytes-complete":false,"write-bytes":0,"write-bytes-complete":false,
      "read-records":42,"read-records-complete":true,"write-records":0,"write-records-complete":true,
      "accumulated-backpressured-time":-1,"accumulated-idle-time":-1,"accumulated-busy-time":"NaN"}}],
      "status-counts":{"SCHEDULED":0,"RUNNING":2,"DEPLOYING":0,"CANCELED":0,"FINISHED":0,"FAILED":0,
      "INITIALIZING":0,"CREATED":0,"RECONCILING":0,"CANCELING":0},"plan":)_" +
          std::string(kPlan) + R"_(,"pending-operators":0})_");
  expectDocument(jobStatusDocument(runningJob()), R"_({"status":"RUNNING"})_");
}

TEST(Documents, OfAJobWithoutTasksYetAndOfOneThatHasEnded) {
  ListedJob job = runningJob();
  job.details = {};
  Json json = parsed(jobDocument(job, after(1000)));
  EXPECT_EQ(json["start-time"], -1);
  EXPECT_EQ(json["duration"], -1);
  EXPECT_EQ(json["vertices"][1]["status"], "CREATED");
  EXPECT_EQ(json["vertices"][1]["tasks"]["CREATED"], 2);
  EXPECT_EQ(json["vertices"][1]["metrics"]["read-records-complete"], false);

  job = runningJob();
  job.details.status = JobStatus::kFailed;
  job.details.since[static_cast<size_t>(JobStatus::kFailed)] = after(700);
  job.details.tasks[0].state = TaskState::kFinished;
  job.details.tasks[1].state = TaskState::kFailed;
  job.details.tasks[2].state = TaskState::kCancelled;
  for (TaskDetails& task : job.details.tasks) task.ended = after(600 + task.id.subtask.value);
  json = parsed(jobDocument(job, after(1000)));
  EXPECT_EQ(json["end-time"], after(700).ms);
  EXPECT_EQ(json["duration"], 700);
  EXPECT_EQ(json["vertices"][0]["status"], "FINISHED");
  EXPECT_EQ(json["vertices"][1]["status"], "FAILED");
  EXPECT_EQ(json["vertices"][1]["end-time"], after(601).ms);
  EXPECT_EQ(json["vertices"][1]["duration"], 596);
}

TEST(Documents, TheStateOfAVertexSaysMostAboutItsTasks) {
  const auto together = [](JobStatus status, TaskState first, TaskState second) {
    ListedJob job = runningJob();
    job.details.status = status;
    job.details.tasks[1].state = first;
    job.details.tasks[2].state = second;
    return parsed(jobDocument(job, after(1000)))["vertices"][1]["status"].get<std::string>();
  };
  using enum TaskState;
  EXPECT_EQ(together(JobStatus::kRunning, kRunning, kFinished), "RUNNING");
  EXPECT_EQ(together(JobStatus::kRunning, kCreated, kCreated), "CREATED");
  EXPECT_EQ(together(JobStatus::kRunning, kCreated, kFinished), "RUNNING");
  EXPECT_EQ(together(JobStatus::kRunning, kFinished, kFinished), "FINISHED");
  EXPECT_EQ(together(JobStatus::kCancelling, kRunning, kCancelled), "CANCELING");
  EXPECT_EQ(together(JobStatus::kRestarting, kClosing, kFailed), "FAILED");
  EXPECT_EQ(together(JobStatus::kCancelled, kFinished, kCancelled), "CANCELED");
}

TEST(Documents, OfTheJobsSettingsAndPlan) {
  expectDocument(jobConfigDocument(describedJob()),
                 R"_({"jid":"00000000000000010000000000000002","name":"clicks","execution-config":{
                 "restart-strategy":"fixed-delay","job-parallelism":2,"object-reuse-mode":false,
                 "user-config":{"dbPassword":"******","input":"a.txt"}}})_");
  expectDocument(planDocument(describedJob()), R"_({"plan":)_" + std::string(kPlan) + "}");
}

constexpr const char* kUnassigned = "(unassigned)";

// Of the sink's two subtasks and of the source.
std::vector<TaskAccumulators> counted() {
  std::vector<TaskAccumulators> all(3);
  all[0].task = {.vertex = 0, .subtask = SubtaskIndex(0)};
  all[0].values.get<LongCounter>("b").add(100);
  for (const int subtask : {0, 1}) {
    TaskAccumulators& one = all[static_cast<size_t>(1 + subtask)];
    one.task = {.vertex = 1, .subtask = SubtaskIndex(subtask)};
    one.values.get<LongCounter>("b").add(5 + subtask);
  }
  all[2].values.get<HistogramAccumulator>("a").add(3);
  return all;
}

TEST(Documents, OfAccumulators) {
  const std::vector<TaskAccumulators> all = counted();
  const std::string a =
      R"({"name":"a","type":"Histogram","value":)" + Json(all[2].values.find("a")->text()).dump() + "}";
  EXPECT_EQ(accumulatorsDocument(all), R"({"job-accumulators":[],"user-task-accumulators":[)" + a +
                                           R"(,{"name":"b","type":"LongCounter","value":"111"}],)" +
                                           R"("serialized-user-task-accumulators":{}})");
  const ListedJob job = runningJob();
  const JobDescription::Vertex& sink = job.job->vertices[1];
  EXPECT_EQ(vertexAccumulatorsDocument(job, sink, all),
            R"({"id":"00000000000000000000000000000b02","user-accumulators":[)" + a +
                R"(,{"name":"b","type":"LongCounter","value":"11"}]})");
  const std::string unassigned = kUnassigned;
  EXPECT_EQ(subtaskAccumulatorsDocument(job, sink, all),
            R"({"id":"00000000000000000000000000000b02","parallelism":2,"subtasks":[{"subtask":0,)"
            R"("attempt":0,"endpoint":")" +
                unassigned + R"(","user-accumulators":[{"name":"b","type":"LongCounter","value":"5"}]},)" +
                R"({"subtask":1,"attempt":0,"endpoint":")" + unassigned + R"(","user-accumulators":[)" + a +
                R"(,{"name":"b","type":"LongCounter","value":"6"}]}]})");
  const std::string attempt =
      R"({"subtask":0,"attempt":0,"id":")" + unassigned + R"(","user-accumulators":[)";
  EXPECT_EQ(attemptAccumulatorsDocument(job.details.tasks[1], all),
            attempt + R"({"name":"b","type":"LongCounter","value":"5"}]})");
  EXPECT_EQ(attemptAccumulatorsDocument(job.details.tasks[1], {}), attempt + "]}");
}

TEST(Documents, OfFailures) {
  ListedJob job = runningJob();
  job.details.failures = {{.at = after(20), .kind = ErrorKind::kTransient, .text = "no connection"},
                          {.at = after(10),
                           .kind = ErrorKind::kUser,
                           .text = "operator 'count': no",
                           .task = TaskId{.vertex = 1, .subtask = SubtaskIndex(1), .attempt = 3}}};
  const std::string first = R"_({"exceptionName":"flott::Error (transient)","stacktrace":"no connection",
      "timestamp":1700000000020,"failureLabels":{},"concurrentExceptions":[]})_";
  const std::string newest =
      R"_({"root-exception":"no connection","timestamp":1700000000020,"all-exceptions":[],)_";
  expectDocument(exceptionsDocument(job, 20),
                 newest + R"_("truncated":false,"exceptionHistory":{"entries":[)_" + first +
                     R"_(,{"exceptionName":"flott::Error (user)","stacktrace":"operator 'count': no",
                     "timestamp":1700000000010,"failureLabels":{},
                     "taskName":"count: by word (2/2) - execution #3","endpoint":"(unassigned)",
                     "taskManagerId":"(unassigned)","concurrentExceptions":[]}],"truncated":false}})_");
  expectDocument(
      exceptionsDocument(job, 1),
      newest + R"_("truncated":true,"exceptionHistory":{"entries":[)_" + first + R"_(],"truncated":true}})_");
  EXPECT_EQ(parsed(exceptionsDocument(runningJob(), 1))["root-exception"], nullptr);
  job.details.failuresForgotten = true;
  EXPECT_EQ(parsed(exceptionsDocument(job, 20))["exceptionHistory"]["truncated"], true);
}

TEST(Documents, OfAVertexWithItsSubtasks) {
  const ListedJob job = runningJob();
  const Json json = parsed(vertexDocument(job, job.job->vertices[1], after(1000)));
  EXPECT_EQ(json["id"], kSinkId);
  EXPECT_EQ(json["parallelism"], 2);
  ASSERT_EQ(json["subtasks"].size(), 2u);
  expectDocument(json["subtasks"][1].dump(),
                 R"_({"subtask":1,"status":"RUNNING","attempt":0,"endpoint":"(unassigned)",
                 "start-time":1700000000005,"end-time":-1,"duration":995,"metrics":{"read-bytes":0,
                 "read-bytes-complete":false,"write-bytes":0,"write-bytes-complete":false,"read-records":12,
                 "read-records-complete":true,"write-records":0,"write-records-complete":true,
                 "accumulated-backpressured-time":-1,"accumulated-idle-time":-1,
      "accumulated-busy-time":"NaN"},
                 "taskmanager-id":"(unassigned)","status-duration":{},"start_time":1700000000005})_");
  expectDocument(json["aggregated"].dump(),
                 R"_({"metrics":{"read-records":{"p25":12,"min":12,"avg":21,"median":21,"max":30,"sum":42,
                 "p95":30,"p75":30},"write-records":{"p25":0,"min":0,"avg":0,"median":0,
      "max":0,"sum":0,"p95":0,
                 "p75":0}},"status-duration":{}})_");
}

TEST(Documents, SayHowManyBytesWereMoved) {
  ListedJob job = runningJob();
  job.details.tasks[1].metrics = {counterReading("numBytesIn", 240), counterReading("numBytesOut", 9)};
  Json json = parsed(jobDocument(job, after(1000)))["vertices"][1]["metrics"];
  EXPECT_EQ(json["read-bytes"], 240);
  EXPECT_EQ(json["read-bytes-complete"], false) << "the other task has not said so";
  job.details.tasks[2].metrics = {counterReading("numBytesIn", 60), counterReading("numBytesOut", 1)};
  json = parsed(jobDocument(job, after(1000)))["vertices"][1]["metrics"];
  EXPECT_EQ(json["read-bytes"], 300);
  EXPECT_EQ(json["read-bytes-complete"], true);
  EXPECT_EQ(json["write-bytes"], 10);
}

TEST(Documents, OfCheckpoints) {
  ListedJob job = runningJob();
  CheckpointStatistics& all = job.details.checkpoints;
  all = {.triggered = 9, .completed = 7, .failed = 1, .inProgress = 1, .history = {}};
  CheckpointRecord failed{.id = CheckpointId(8),
                          .status = CheckpointStatus::kFailed,
                          .triggered = after(200),
                          .duration = Duration::millis(3),
                          .failure = "disk full"};
  CheckpointRecord running{.id = CheckpointId(9), .triggered = after(300)};
  all.history = {running, failed, completedCheckpoint()};
  job.details.restores = 2;
  job.details.restored = {.id = CheckpointId(3), .folder = "", .at = after(1)};

  const std::string completed =
      R"_({"className":"completed","id":7,"status":"COMPLETED","is_savepoint":false,
      "savepointFormat":null,"trigger_timestamp":1700000000100,"latest_ack_timestamp":1700000000138,
      "checkpointed_size":2500,"state_size":3000,"end_to_end_duration":40,"alignment_buffered":0,
      "processed_data":0,"persisted_data":0,"num_subtasks":3,"num_acknowledged_subtasks":3,
      "checkpoint_type":"CHECKPOINT","tasks":{},"external_path":"/cp/job/chk-7","discarded":false})_";
  const std::string failedText = R"_({"className":"failed","id":8,"status":"FAILED","is_savepoint":false,
      "savepointFormat":null,"trigger_timestamp":1700000000200,"latest_ack_timestamp":-1,
      "checkpointed_size":0,
      "state_size":0,"end_to_end_duration":3,"alignment_buffered":0,"processed_data":0,"persisted_data":0,
      "num_subtasks":3,"num_acknowledged_subtasks":0,"checkpoint_type":"CHECKPOINT","tasks":{},
      "failure_timestamp":1700000000203,"failure_message":"disk full"})_";
  const std::string none =
      R"_({"min":0,"max":0,"avg":0,"p50":"NaN","p90":"NaN","p95":"NaN","p99":"NaN","p999":"NaN"})_";
  const std::string zero =
      R"_({"min":0,"max":0,"avg":0,"p50":0.0,"p90":0.0,"p95":0.0,"p99":0.0,"p999":0.0})_";
  const std::string size = R"_({"min":3000,"max":3000,"avg":3000,"p50":3000.0,"p90":3000.0,"p95":3000.0,
      "p99":3000.0,"p999":3000.0})_";
  std::string written = size;
  for (size_t at; (at = written.find("3000")) != std::string::npos;) written.replace(at, 4, "2500");
  expectDocument(
      checkpointsDocument(job),
      R"_({"counts":{"restored":2,"total":9,"in_progress":1,"completed":7,"failed":1},"summary":{
      "checkpointed_size":)_" +
          written + R"_(,"state_size":)_" + size +
          R"_(,"end_to_end_duration":{"min":40,"max":40,"avg":40,"p50":40.0,"p90":40.0,"p95":40.0,"p99":40.0,
          "p999":40.0},"alignment_buffered":)_" +
          none + R"_(,"processed_data":)_" + zero + R"_(,"persisted_data":)_" + zero +
          R"_(},"latest":{"completed":)_" + completed + R"_(,"savepoint":null,"failed":)_" + failedText +
          R"_(,"restored":{"id":3,"restore_timestamp":1700000000001,"is_savepoint":false,
      "external_path":null}},
          "history":[{"className":"in_progress","id":9,"status":"IN_PROGRESS","is_savepoint":false,
          "savepointFormat":null,"trigger_timestamp":1700000000300,"latest_ack_timestamp":-1,
          "checkpointed_size":0,"state_size":0,"end_to_end_duration":-1,"alignment_buffered":0,
          "processed_data":0,"persisted_data":0,"num_subtasks":3,"num_acknowledged_subtasks":0,
          "checkpoint_type":"CHECKPOINT","tasks":{}},)_" +
          failedText + "," + completed + "]}");

  const Json latest = parsed(checkpointsDocument(runningJob()))["latest"];
  EXPECT_EQ(latest.dump(), R"_({"completed":null,"savepoint":null,"failed":null,"restored":null})_");
}

TEST(Documents, OfOneCheckpointAndItsSubtasks) {
  const JobDescription job = describedJob();
  const CheckpointRecord record = completedCheckpoint();
  expectDocument(parsed(checkpointDocument(job, record))["tasks"].dump(),
                 R"_({"00000000000000000000000000000a01":{"id":7,"status":"COMPLETED",
                 "latest_ack_timestamp":1700000000110,"checkpointed_size":0,"state_size":0,
                 "end_to_end_duration":10,"alignment_buffered":0,"processed_data":0,"persisted_data":0,
                 "num_subtasks":1,"num_acknowledged_subtasks":1},"00000000000000000000000000000b02":{"id":7,
                 "status":"COMPLETED","latest_ack_timestamp":1700000000138,"checkpointed_size":2500,
                 "state_size":3000,"end_to_end_duration":38,"alignment_buffered":0,"processed_data":0,
                 "persisted_data":0,"num_subtasks":2,"num_acknowledged_subtasks":2}})_");
  const auto document = checkpointSubtasksDocument(job, record, job.vertices[1]);
  ASSERT_TRUE(document);
  const Json json = parsed(*document);
  EXPECT_EQ(json["num_acknowledged_subtasks"], 2);
  EXPECT_EQ(json["summary"]["checkpoint_duration"]["async"]["max"], 20);
  EXPECT_EQ(json["summary"]["start_delay"]["avg"], 2);
  expectDocument(
      json["subtasks"][0].dump(),
      R"_({"className":"completed","index":1,"ack_timestamp":1700000000138,"end_to_end_duration":38,
                 "checkpointed_size":1500,"state_size":2000,"checkpoint":{"sync":1,"async":20},"alignment":{
                 "buffered":0,"processed":0,"persisted":0,"duration":2},"start_delay":5,
                 "unaligned_checkpoint":false,"aborted":false,"status":"completed"})_");
  CheckpointRecord overtook = record;
  overtook.tasks[1].inFlight = {.unaligned = true, .processedBytes = 70, .persistedBytes = 900};
  EXPECT_EQ(parsed(checkpointDocument(job, overtook))["persisted_data"], 900);
  EXPECT_EQ(parsed(checkpointDocument(job, overtook))["processed_data"], 70);
  const Json inFlight = parsed(*checkpointSubtasksDocument(job, overtook, job.vertices[1]));
  EXPECT_EQ(inFlight["persisted_data"], 900);
  EXPECT_EQ(inFlight["summary"]["alignment"]["persisted"]["max"], 900);
  EXPECT_EQ(inFlight["summary"]["alignment"]["processed"]["max"], 70);
  int unaligned = 0;
  for (const Json& subtask : inFlight["subtasks"]) unaligned += subtask["unaligned_checkpoint"].get<bool>();
  EXPECT_EQ(unaligned, 1);
  CheckpointRecord none = record;
  none.tasks.clear();
  EXPECT_FALSE(checkpointSubtasksDocument(job, none, job.vertices[1]));
  none.status = CheckpointStatus::kInProgress;
  none.tasks.push_back(record.tasks[1]);
  EXPECT_EQ(parsed(checkpointDocument(job, none))["tasks"][kSinkId]["status"], "IN_PROGRESS");
}

TEST(Documents, OfCheckpointSettings) {
  expectDocument(
      checkpointConfigDocument(describedJob()),
      R"_({"mode":"exactly_once","interval":10000,"timeout":600000,"min_pause":0,"max_concurrent":1,
                 "externalization":{"enabled":false,"delete_on_cancellation":true},
                 "state_backend":"HashMapStateBackend","checkpoint_storage":"FileSystemCheckpointStorage",
                 "unaligned_checkpoints":false,"tolerable_failed_checkpoints":0,
      "aligned_checkpoint_timeout":0,
                 "checkpoints_after_tasks_finish":true,"state_changelog_enabled":false,
                 "changelog_periodic_materialization_interval":-1,"changelog_storage":null})_");
  JobDescription job = describedJob();
  job.checkpoints.interval = Duration();
  job.checkpointFolder.clear();
  job.stateBackend = "rocksdb";
  job.exactlyOnce = false;
  job.checkpoints.retention = CheckpointRetention::kOnCancellation;
  const Json json = parsed(checkpointConfigDocument(job));
  EXPECT_EQ(json["interval"], std::numeric_limits<int64_t>::max()) << "as Flink says that there are none";
  EXPECT_EQ(json["checkpoint_storage"], "JobManagerCheckpointStorage");
  EXPECT_EQ(json["state_backend"], "EmbeddedRocksDBStateBackend");
  EXPECT_EQ(json["mode"], "at_least_once");
  EXPECT_EQ(json["externalization"].dump(), R"_({"enabled":true,"delete_on_cancellation":false})_");
}

TEST(Documents, OfVerticesByWorkers) {
  ListedJob job = runningJob();
  job.details.tasks[1].worker = "t1/w2";
  job.details.tasks[2].worker = "t2/w1";
  const JobDescription::Vertex& vertex = job.job->vertices[1];
  const Json subtasks = parsed(vertexDocument(job, vertex, after(9)));
  EXPECT_EQ(subtasks["subtasks"][0]["endpoint"], "t1/w2");
  EXPECT_EQ(subtasks["subtasks"][0]["taskmanager-id"], "t1");
  const Json places = parsed(vertexTaskManagersDocument(job, vertex, after(9)))["taskmanagers"];
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[1]["endpoint"], "t2/w1");
  EXPECT_EQ(places[1]["taskmanager-id"], "t2");
  EXPECT_EQ(places[1]["status-counts"]["RUNNING"], 1);
  EXPECT_EQ(places[1]["metrics"]["read-records"], 12);
  EXPECT_EQ(places[1]["aggregated"]["metrics"]["read-records"]["sum"], 12);
}

TEST(Documents, OfBackPressure) {
  ListedJob job = runningJob();
  const JobDescription::Vertex& vertex = job.job->vertices[1];
  expectDocument(backPressureDocument(job, vertex, after(9)), R"_({"status":"deprecated"})_");
  const auto times = [](double heldUp, double idle, double busy) {
    return std::vector<MetricReading>{gaugeReading("backPressuredTimeMsPerSecond", heldUp),
                                      gaugeReading("idleTimeMsPerSecond", idle),
                                      gaugeReading("busyTimeMsPerSecond", busy),
                                      gaugeReading("accumulateBackPressuredTimeMs", heldUp * 10),
                                      gaugeReading("accumulateIdleTimeMs", idle * 10),
                                      gaugeReading("accumulateBusyTimeMs", busy * 10)};
  };
  job.details.tasks[1].metrics = times(100, 200, 700);
  job.details.tasks[2].metrics = times(500, 250, 250);
  expectDocument(backPressureDocument(job, vertex, after(9)),
                 R"_({"status":"ok","backpressureLevel":"low","end-timestamp":1700000000009,
      "subtasks":[{"subtask":0,"attempt-number":0,"backpressureLevel":"ok","ratio":0.1,"idleRatio":0.2,
      "busyRatio":0.7,"backpressure-level":"ok"},{"subtask":1,"attempt-number":0,"backpressureLevel":"low",
      "ratio":0.5,"idleRatio":0.25,"busyRatio":0.25,"backpressure-level":"low"}],
      "backpressure-level":"low"})_");
  job.details.tasks[2].metrics = times(501, 0, 499);
  EXPECT_NE(backPressureDocument(job, vertex, after(9)).find(R"("backpressureLevel":"high")"),
            std::string::npos);

  const auto json = nlohmann::json::parse(vertexDocument(job, vertex, after(9)));
  EXPECT_EQ(json["subtasks"][0]["metrics"]["accumulated-busy-time"], 7000);
  EXPECT_EQ(json["subtasks"][1]["metrics"]["accumulated-backpressured-time"], 5010);
  EXPECT_EQ(json["subtasks"][1]["metrics"]["accumulated-idle-time"], 0);
}

TEST(Documents, OfMetrics) {
  ListedJob job = runningJob();
  auto& metrics = job.details.tasks[1].operators[0].metrics;
  metrics.push_back({"late.ness", "n=2 …", 3, MetricKind::kHistogram, {{"min", 1}, {"p999", 2.5}}});
  metrics.push_back({"perSecond", "12 (3.5/s)", 3.5, MetricKind::kMeter, {}});
  const std::vector<NamedMetric> all = vertexMetrics(job, job.job->vertices[1]);
  std::string ids;
  for (const NamedMetric& metric : all) ids += metric.id + "=" + metric.value + " ";
  EXPECT_EQ(
      ids,
      "0.numRecordsIn=30 0.numRecordsOut=0 0.currentInputWatermark=100 0.count__by_word.numRecordsIn=30 "
      "0.count__by_word.numRecordsOut=0 0.count__by_word.currentInputWatermark=100 "
      "0.count__by_word.late_ness_min=1 0.count__by_word.late_ness_p999=2.5 "
      "0.count__by_word.perSecond=3.5 "
      "1.numRecordsIn=12 1.numRecordsOut=0 1.currentInputWatermark=90 1.count__by_word.numRecordsIn=12 "
      "1.count__by_word.numRecordsOut=0 1.count__by_word.currentInputWatermark=90 ");
  EXPECT_EQ(metricsDocument(std::span(all).first(2), {}),
            R"_([{"id":"0.numRecordsIn"},{"id":"0.numRecordsOut"}])_");
  EXPECT_EQ(metricsDocument(all, {{"1.numRecordsIn", "nothing", "0.numRecordsIn"}}),
            R"_([{"id":"0.numRecordsIn","value":"30"},{"id":"1.numRecordsIn","value":"12"}])_");
  EXPECT_EQ(metricsDocument(all, std::vector<std::string>()), "[]");
  const std::vector<NamedMetric> source = vertexMetrics(job, job.job->vertices[0]);
  EXPECT_EQ(source[0].value + " " + source[1].value, "0 42");
  EXPECT_TRUE(vertexWatermarks(job, job.job->vertices[0]).empty()) << "sources have no input";
  EXPECT_EQ(vertexWatermarks(job, job.job->vertices[1])[1].value, "90");
}

TEST(Documents, OfTheJobsMetrics) {
  ListedJob job = runningJob();
  job.details.restarts = 3;
  job.details.checkpoints = {.triggered = 9, .completed = 7, .failed = 1, .inProgress = 1, .history = {}};
  job.details.checkpoints.history = {completedCheckpoint()};
  std::string text;
  for (const NamedMetric& metric : jobMetrics(job, after(1000))) text += metric.id + "=" + metric.value + " ";
  EXPECT_EQ(text,
            "numRestarts=3 uptime=995 totalNumberOfCheckpoints=9 numberOfInProgressCheckpoints=1 "
            "numberOfCompletedCheckpoints=7 numberOfFailedCheckpoints=1 lastCheckpointRestoreTimestamp=-1 "
            "lastCheckpointSize=2500 lastCheckpointFullSize=3000 lastCheckpointDuration=40 "
            "lastCompletedCheckpointId=7 lastCheckpointCompletedTimestamp=1700000000140 "
            "lastCheckpointExternalPath=/cp/job/chk-7 ");
  job.details.status = JobStatus::kFinished;
  job.details.since[static_cast<size_t>(JobStatus::kFinished)] = after(500);
  job.details.checkpoints.history.clear();
  EXPECT_EQ(jobMetrics(job, after(1000))[1].value, "-1") << "up no more";
  EXPECT_EQ(jobMetrics(job, after(1000)).back().value, "n/a");
}

TEST(Documents, OfWatermarks) {
  WatermarkReport report;
  report.operators.push_back(
      {.at = {.operatorName = "hourly", .subtask = SubtaskIndex(0), .parallelism = 2},
       .watermark = Timestamp(5000),
       .unmoved = Duration::seconds(120),
       .way = {{.operatorName = "parse", .subtask = SubtaskIndex(1), .parallelism = 2}},
       .holder = {.operatorName = "clicks", .subtask = SubtaskIndex(1), .parallelism = 2, .source = true},
       .split = "3",
       .cause = HoldCause::kQuiet,
       .since = Duration::seconds(110)});
  expectDocument(watermarksDocument(report),
                 R"_({"operators":[{"operator":"hourly","subtask":0,"parallelism":2,"source":false,
                 "watermark":"5000","unmoved":120000,"holder":{"operator":"clicks",
      "subtask":1,"parallelism":2,
                 "source":true},"split":"3","way":[{"operator":"parse","subtask":1,"parallelism":2,
                 "source":false}],"cause":"quiet","since":110000,"reason":)_" +
                     Json(report.operators[0].reason()).dump() + "}]}");
}

TEST(Documents, TakeNamesThatAreNotUtf8) {
  ListedJob job = runningJob();
  JobDescription described = *job.job;
  described.name = "caf\xe9";
  job.job = std::make_shared<const JobDescription>(described);
  EXPECT_EQ(parsed(jobDocument(job, after(1)))["name"], "caf\xef\xbf\xbd");
}

}  // namespace
}  // namespace flott
