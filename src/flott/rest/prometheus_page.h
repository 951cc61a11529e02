// Metrics as Prometheus reads them: its text format, with names and labels as Flink's reporter gives them.
//
// Metrics are added one by one, and those of one name stand together in the text, as the format asks. A
// metric's name is the prefix, its scope and its own name: flott_taskmanager_job_task_operator_numRecordsIn.
// Counters are counters, histograms summaries, the rest gauges. Made by whoever answers a request; one
// thread.
//
//   PrometheusPage page({.prefix = "flott"});
//   page.add("jobmanager", {{"host", "h1"}}, gaugeReading("numRunningJobs", 3));
//   return page.text();
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flott/operators/metrics.h"

namespace flott {

struct PrometheusOptions {
  std::string prefix = "flott";
  /// Characters of label values other than letters, digits, '_' and ':' become '_', as in Flink; otherwise
  /// values are as they are.
  bool filterLabels = false;
};

class PrometheusPage {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";
  /// More are left out, and the page says how many in `<prefix>_exporter_omitted`.
  static constexpr size_t kMostSamples = 200'000;

  explicit PrometheusPage(PrometheusOptions options) : options_(std::move(options)) {}

  /// A second one with the same name and labels, and one that has no number, is left out.
  void add(std::string_view scope, const Labels& labels, const MetricReading& reading);
  /// The jobs and TaskManagers on a page of another process, which was made with the same prefix.
  void addOthers(std::string_view text);
  std::string text() const;

 private:
  struct Family {
    std::string help;  // escaped
    std::string type;
    std::map<std::string, std::string> samples;  // their lines, by their labels
  };
  std::string labelText(const Labels& labels) const;

  const PrometheusOptions options_;
  std::map<std::string, Family> families_;
  size_t samples_ = 0;
  size_t omitted_ = 0;
};

}  // namespace flott
