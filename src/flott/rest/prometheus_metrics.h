// What a process tells Prometheus: its jobs with their tasks and operators, and itself.
//
// Scopes, names and labels are those of Flink's reporter (docs/monitoring.md). A request asks the jobs as a
// page of the dashboard does. Served at /metrics beside the documents of jobs, and on a port of its own
// (metrics.reporter.prom.port) by PrometheusServer.
//
//   PrometheusMetrics metrics({.scope = "taskmanager", .labels = {{"tm_id", "t1"}}}, options, env.clock);
//   metrics.addSource([&](PrometheusPage& page) { page.add("taskmanager", labels, gaugeReading("slots", 4));
//   }); const std::string text = metrics.text();
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flott/base/config.h"
#include "flott/base/function.h"
#include "flott/env/env.h"
#include "flott/env/posix/process_figures.h"
#include "flott/rest/documents.h"
#include "flott/rest/http_server.h"
#include "flott/rest/job_board.h"
#include "flott/rest/prometheus_page.h"
#include "flott/rest/rest_handler.h"

namespace flott {

/// Throws Error(kUser) for a prefix that is no name.
PrometheusOptions prometheusOptions(const Configuration& configuration);

class PrometheusMetrics {
 public:
  struct Process {
    std::string scope = "jobmanager";    // or "taskmanager"
    PrometheusPage::Labels labels = {};  // beside its host
  };
  PrometheusMetrics(Process process, PrometheusOptions options, const Clock& clock);

  // Before text() is called. What is added outlives the object, and is called by any thread that asks.
  void addJobs(JobBoard& board) { boards_.push_back(&board); }
  /// More of the process itself.
  void addReadings(MoveFunction<std::vector<MetricReading>()> readings) {
    readings_.push_back(std::move(readings));
  }
  void addSource(MoveFunction<void(PrometheusPage&, const PrometheusPage::Labels&)> source) {
    sources_.push_back(std::move(source));
  }

  /// May block as a JobBoard does. Several threads at once.
  std::string text();
  /// Of the process itself, as Flink's documents name them.
  std::vector<NamedMetric> ofProcess();

 private:
  std::vector<MetricReading> readProcess();
  void addBoard(PrometheusPage& page, JobBoard& board) const;

  const Process process_;
  const PrometheusOptions options_;
  const Clock& clock_;
  PrometheusPage::Labels labels_;
  ProcessReader reader_;
  std::vector<JobBoard*> boards_;
  std::vector<MoveFunction<std::vector<MetricReading>()>> readings_;
  std::vector<MoveFunction<void(PrometheusPage&, const PrometheusPage::Labels&)>> sources_;
};

/// One job with all that it counts; nothing of one that has ended. `labels` say where: "host".
void addJob(PrometheusPage& page, const PrometheusPage::Labels& labels, const ListedJob& job, Timestamp now);
/// "Status.CPU.Load" and the like.
std::vector<MetricReading> readingsOf(const ProcessFigures& figures);

struct MetricPaths {
  std::string text = "/metrics";  // for Prometheus
  std::string document = {};      // Flink's document of the process; empty: there is none
};

/// Answers GET at these paths, and leaves the rest to `others`. Both outlive it.
class MetricsBeside final : public RestHandler {
 public:
  MetricsBeside(PrometheusMetrics& metrics, RestHandler& others, MetricPaths paths = {})
      : metrics_(metrics), others_(others), paths_(std::move(paths)) {}
  BodyPlan bodyPlan(const RestRequest& head) override { return others_.bodyPlan(head); }
  RestResponse answer(const RestRequest& request) override;

 private:
  PrometheusMetrics& metrics_;
  RestHandler& others_;
  const MetricPaths paths_;
};

/// Answers GET /metrics, on a port of its own.
class PrometheusServer {
 public:
  /// Null without metrics.reporter.prom.port, and where none of its ports can be had, which the log says.
  /// Throws Error(kUser) for options that cannot be read.
  static std::unique_ptr<PrometheusServer> start(const Env& env, const Configuration& configuration,
                                                 PrometheusMetrics& metrics);
  /// `metrics` and what `env` refers to outlive it.
  PrometheusServer(const Env& env, HttpServerOptions options, PrometheusMetrics& metrics);
  ~PrometheusServer();

  std::string url() const { return server_->url() + "/metrics"; }

 private:
  class Nothing;
  const std::unique_ptr<Nothing> nothing_;
  MetricsBeside handler_;
  const std::unique_ptr<HttpServer> server_;
};

}  // namespace flott
