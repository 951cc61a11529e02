#include "flott/rest/prometheus_page.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace flott {
namespace {

TEST(PrometheusPage, HasEachNameOnce) {
  PrometheusPage page({});
  EXPECT_EQ(page.text(), "");
  page.add("taskmanager_job_task", {{"host", "h"}, {"subtask_index", "1"}},
           counterReading("numRecordsIn", 7));
  page.add("jobmanager", {}, gaugeReading("numRunningJobs", 2));
  page.add("taskmanager_job_task", {{"host", "h"}, {"subtask_index", "0"}},
           counterReading("numRecordsIn", 5));
  page.add("taskmanager_job_task", {{"host", "h"}, {"subtask_index", "0"}},
           counterReading("numRecordsIn", 9));
  EXPECT_EQ(page.text(),
            "# HELP flott_jobmanager_numRunningJobs numRunningJobs (scope: jobmanager)\n"
            "# TYPE flott_jobmanager_numRunningJobs gauge\n"
            "flott_jobmanager_numRunningJobs 2\n"
            "# HELP flott_taskmanager_job_task_numRecordsIn numRecordsIn (scope: taskmanager_job_task)\n"
            "# TYPE flott_taskmanager_job_task_numRecordsIn counter\n"
            "flott_taskmanager_job_task_numRecordsIn{host=\"h\",subtask_index=\"0\"} 5\n"
            "flott_taskmanager_job_task_numRecordsIn{host=\"h\",subtask_index=\"1\"} 7\n");
}

TEST(PrometheusPage, EscapesWhatTheFormatDoesNotTake) {
  PrometheusPage page({.prefix = "flink"});
  const PrometheusPage::Labels labels{
      {"operator_name", "a \"b\" \\ c\nd"}, {"job-id", "\xc3\xa4\xff"}, {"9", "x"}, {"job_id", "again"}};
  page.add("taskmanager", labels, gaugeReading("my metric.größe\nx", 1));
  EXPECT_EQ(page.text(),
            "# HELP flink_taskmanager_my_metric_gr____e_x my metric.größe\\nx (scope: taskmanager)\n"
            "# TYPE flink_taskmanager_my_metric_gr____e_x gauge\n"
            "flink_taskmanager_my_metric_gr____e_x{operator_name=\"a \\\"b\\\" \\\\ c\\nd\","
            "job_id=\"\xc3\xa4\xef\xbf\xbd\",_9=\"x\"} 1\n");
  PrometheusPage filtered({.filterLabels = true});
  filtered.add("", {{"name", "Source: a/b"}}, gaugeReading("x", 1));
  EXPECT_NE(filtered.text().find("flott_x{name=\"Source:_a_b\"} 1\n"), std::string::npos) << filtered.text();
}

TEST(PrometheusPage, WritesNumbersAsTheyAre) {
  PrometheusPage page({});
  const std::pair<double, const char*> values[] = {{0, "0"},
                                                   {-3, "-3"},
                                                   {0.25, "0.25"},
                                                   {1e300, "1e+300"},
                                                   {-0x1p63, "-9223372036854775808"},
                                                   {std::numeric_limits<double>::infinity(), "+Inf"},
                                                   {-std::numeric_limits<double>::infinity(), "-Inf"},
                                                   {std::nan(""), "NaN"}};
  std::string expected;
  int number = 0;
  for (const auto& [value, text] : values) {
    page.add("", {{"n", std::to_string(number)}}, gaugeReading("v", value));
    expected += "flott_v{n=\"" + std::to_string(number++) + "\"} " + text + "\n";
  }
  EXPECT_EQ(page.text(), "# HELP flott_v v (scope: )\n# TYPE flott_v gauge\n" + expected);
}

TEST(PrometheusPage, HasHistogramsAsSummaries) {
  MetricGroup group;
  Histogram& histogram = group.histogram("latency");
  for (const int64_t value : {1, 2, 3, 10}) histogram.update(value);
  PrometheusPage page({});
  page.add("job", {{"a", "b"}}, group.read(1).front());
  EXPECT_EQ(page.text(),
            "# HELP flott_job_latency latency (scope: job)\n"
            "# TYPE flott_job_latency summary\n"
            "flott_job_latency{a=\"b\",quantile=\"0.5\"} 2\n"
            "flott_job_latency{a=\"b\",quantile=\"0.75\"} 3\n"
            "flott_job_latency{a=\"b\",quantile=\"0.9\"} 10\n"
            "flott_job_latency{a=\"b\",quantile=\"0.95\"} 10\n"
            "flott_job_latency{a=\"b\",quantile=\"0.98\"} 10\n"
            "flott_job_latency{a=\"b\",quantile=\"0.99\"} 10\n"
            "flott_job_latency{a=\"b\",quantile=\"0.999\"} 10\n"
            "flott_job_latency_sum{a=\"b\"} 16\n"
            "flott_job_latency_count{a=\"b\"} 4\n");
}

TEST(PrometheusPage, TakesInJobsAndTaskManagersOfOthers) {
  MetricGroup group;
  group.histogram("latency").update(5);
  const PrometheusPage::Labels labels{{"name", "a \"b\" } 1\nc"}};
  const auto pageWith = [&](const char* host) {
    PrometheusPage page({});
    page.add("jobmanager", {}, gaugeReading("numRunningJobs", 1));
    page.add("jobmanager_job", {{"host", host}}, counterReading("numRestarts", 2));
    page.add("taskmanager_job_task", labels, group.read(1).front());
    return page.text();
  };
  PrometheusPage all({});
  all.add("jobmanager", {}, gaugeReading("numRunningJobs", 7));
  all.addOthers(pageWith("h1"));
  all.addOthers(pageWith("h2"));
  all.addOthers("nonsense\n# TYPE x\n# HELP\n# HELP flott_other\n# TYPE flott_other gauge\nflott_other 1");
  const std::string text = all.text();
  EXPECT_NE(text.find("flott_jobmanager_numRunningJobs 7\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("flott_jobmanager_numRunningJobs 1\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("other"), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE flott_jobmanager_job_numRestarts counter\n"
                      "flott_jobmanager_job_numRestarts{host=\"h1\"} 2\n"
                      "flott_jobmanager_job_numRestarts{host=\"h2\"} 2\n"),
            std::string::npos)
      << text;
  size_t lines = 0;
  for (size_t at = 0; (at = text.find("flott_taskmanager_job_task_latency", at)) != std::string::npos; ++at)
    ++lines;
  EXPECT_EQ(lines, 2 + 9u) << "the same twice is there once: " << text;
  EXPECT_NE(text.find("_latency_count{name=\"a \\\"b\\\" } 1\\nc\"} 1\n"), std::string::npos) << text;
}

TEST(PrometheusPage, LeavesOutWhatIsTooMuch) {
  PrometheusPage page({});
  for (size_t i = 0; i < PrometheusPage::kMostSamples + 3; ++i)
    page.add("", {{"i", std::to_string(i)}}, gaugeReading("x", 1));
  EXPECT_NE(page.text().find("\nflott_exporter_omitted 3\n"), std::string::npos);
}

TEST(PrometheusPage, GivesANameOneType) {
  PrometheusPage page({});
  page.add("", {{"a", "1"}}, gaugeReading("x", 1));
  page.add("", {{"a", "2"}}, counterReading("x", 1));
  EXPECT_EQ(page.text().find("a=\"2\""), std::string::npos);
}

}  // namespace
}  // namespace flott
