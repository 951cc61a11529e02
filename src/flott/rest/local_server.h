// REST, the web page and the metrics for Prometheus, about the jobs whose masters are in this process: those
// of a program that runs them itself, or the one that this process leads.
//
// Made by the program's main thread with its first job; lives as long as the program's environment, or as the
// job.
//
//   LocalServer server(env, configuration);
//   server.jobs().list(job);
#pragma once

#include <memory>
#include <string>

#include "flott/base/config.h"
#include "flott/env/env.h"
#include "flott/rest/embedded_jobs.h"

namespace flott {

class HttpServer;
class MetricsBeside;
class PrometheusMetrics;
class PrometheusServer;
class RestApi;

class LocalServer {
 public:
  /// Where documents are not to be served there is only the port for Prometheus, if one is configured. What
  /// `env` refers to outlives it. Throws Error(kUser) for wrong options, and when it cannot listen.
  LocalServer(const Env& env, const Configuration& configuration, bool documents = true);
  /// Waits for clients that want to know what has become of a savepoint: two seconds at most.
  ~LocalServer();

  EmbeddedJobs& jobs() { return jobs_; }
  /// All documents about one of them: see job_archive.h. Throws as JobBoard::find(), and Error(kBug) when
  /// there is no such job.
  std::string archiveOf(const JobId& job);
  /// 0 without documents.
  int port() const;
  /// "http://127.0.0.1:8081"; empty without documents.
  std::string url() const;

 private:
  const Env env_;
  EmbeddedJobs jobs_;
  const std::unique_ptr<RestApi> api_;
  const std::unique_ptr<PrometheusMetrics> metrics_;
  const std::unique_ptr<MetricsBeside> handler_;
  std::unique_ptr<const HttpServer> server_;  // null: no documents
  std::unique_ptr<const PrometheusServer> prometheus_;
};

}  // namespace flott
