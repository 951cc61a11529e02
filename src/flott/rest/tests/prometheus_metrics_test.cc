#include "flott/rest/prometheus_metrics.h"

#include <gtest/gtest.h>

#include "flott/base/metric_options.h"
#include "flott/base/tests/error_text.h"
#include "flott/rest/tests/listed_job.h"

namespace flott {
namespace {

constexpr const char* kJob = "host=\"h1\",job_id=";

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::string pageOf(const ListedJob& job) {
  PrometheusPage page({});
  addJob(page, {{"host", "h1"}}, job, after(20));
  return page.text();
}

TEST(PrometheusMetrics, OfAJob) {
  ListedJob job = runningJob();
  job.details.tasks[1].metrics = {gaugeReading("busyTimeMsPerSecond", 250),
                                  counterReading("numRecordsIn", 30)};
  const std::string text = pageOf(job);
  const std::string id = kJob + ("\"" + toString(job.job->id)) + "\",job_name=\"" + job.job->name + "\"";
  EXPECT_TRUE(has(text, "flott_jobmanager_job_numRestarts{" + id + "} 0")) << text;
  EXPECT_TRUE(has(text, "flott_jobmanager_job_runningState{" + id + "} 1")) << text;
  EXPECT_TRUE(has(text, "flott_jobmanager_job_restartingTime{" + id + "} 0")) << text;
  EXPECT_EQ(text.find("lastCheckpointExternalPath"), std::string::npos) << "is no number";
  const JobDescription::Vertex& vertex = job.job->vertices[1];
  const std::string task = id + ",task_id=\"" + vertex.id + "\",task_name=\"" + vertex.name +
                           "\",subtask_index=\"0\",task_attempt_num=\"0\"";
  EXPECT_TRUE(has(text, "flott_taskmanager_job_task_busyTimeMsPerSecond{" + task + "} 250")) << text;
  EXPECT_TRUE(has(text, "flott_taskmanager_job_task_operator_numRecordsIn{" + task + ",operator_id=\"" +
                            toString(job.details.tasks[1].operators[0].info.id) +
                            "\",operator_name=\"count: by word\"} 30"))
      << text;
}

TEST(PrometheusMetrics, SayInWhichWorkerATaskIs) {
  ListedJob job = runningJob();
  job.details.tasks[1].worker = "t1/w1";
  EXPECT_NE(pageOf(job).find("\",tm_id=\"t1/w1\",task_id=\""), std::string::npos) << pageOf(job);
}

TEST(PrometheusMetrics, OfAJobThatHasEndedAreNone) {
  ListedJob job = runningJob();
  job.details.status = JobStatus::kFinished;
  EXPECT_EQ(pageOf(job), "");
  EXPECT_EQ(pageOf({.job = job.job, .details = {}}).find("taskmanager"), std::string::npos)
      << "no answer yet";
}

TEST(PrometheusMetrics, OfLatencyHaveItsPartsAsLabels) {
  ListedJob job = runningJob();
  MetricGroup group;
  group.histogram("latency.source_id.1f.source_subtask_index.2.latencyMicros").update(9);
  group.histogram("latency.latencyMicros").update(8);
  job.details.tasks[1].operators[0].metrics = group.read(1);
  const std::string text = pageOf(job);
  const std::string op = toString(job.details.tasks[1].operators[0].info.id);
  EXPECT_NE(
      text.find("flott_taskmanager_job_latency_source_id_source_subtask_index_operator_id_operator_subtask_"
                "index_latencyMicros_count{"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("source_id=\"1f\",source_subtask_index=\"2\",operator_id=\"" + op +
                      "\",operator_subtask_index=\"0\",quantile=\"0.5\"} 9\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("flott_taskmanager_job_latency_operator_id_operator_subtask_index_latencyMicros_sum"),
            std::string::npos)
      << text;
}

TEST(PrometheusMetrics, OfAStateHaveItsNameAsLabel) {
  ListedJob job = runningJob();
  MetricGroup group;
  group.gauge("state_name.a.b.numEntries").set(9);
  group.gauge("state_name.").set(1);
  job.details.tasks[1].operators[0].metrics = group.read(1);
  const std::string text = pageOf(job);
  EXPECT_NE(text.find("flott_taskmanager_job_task_operator_state_name_numEntries{"), std::string::npos)
      << text;
  EXPECT_NE(text.find(",state_name=\"a.b\"} 9\n"), std::string::npos) << text;
  EXPECT_NE(text.find("flott_taskmanager_job_task_operator_state_name_{"), std::string::npos)
      << "a function's own metric: " << text;
}

TEST(PrometheusMetrics, OfAProcess) {
  const std::vector<MetricReading> all = readingsOf({.cores = 2,
                                                     .cpuLoad = 0.5,
                                                     .cpuNanos = 7,
                                                     .residentBytes = 100,
                                                     .anonymousBytes = 90,
                                                     .allocatedBytes = 40,
                                                     .heapBytes = 50,
                                                     .memoryLimit = 1000,
                                                     .threads = 3,
                                                     .openFiles = 4,
                                                     .mostFiles = 1024});
  std::string text;
  for (const MetricReading& reading : all) text += reading.name + "=" + reading.text + " ";
  EXPECT_EQ(text,
            "Status.CPU.Load=0.5 Status.CPU.Time=7 Status.CPU.Cores=2 Status.Memory.Resident=100 "
            "Status.Memory.Anonymous=90 Status.Memory.Heap.Used=40 Status.Memory.Heap.Committed=50 "
            "Status.Threads.Count=3 Status.FileDescriptors.Count=4 Status.FileDescriptors.Max=1024 "
            "Status.Memory.Limit=1000 ");
}

TEST(PrometheusMetrics, HaveOptions) {
  Configuration configuration;
  EXPECT_EQ(prometheusOptions(configuration).prefix, "flott");
  configuration.set(kPrometheusPrefix, "9a");
  EXPECT_EQ(
      errorText([&] { prometheusOptions(configuration); }),
      "flott.metrics.prometheus.prefix = 9a: a prefix has letters, digits and '_', and begins with no digit");
}

}  // namespace
}  // namespace flott
