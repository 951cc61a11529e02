// REST and the web page about the jobs of a program that runs them in its own process.
//
// Made by the program's main thread with its first job; lives as long as the program's environment. Says in
// the log where it is.
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
class RestApi;

class LocalServer {
 public:
  /// What `env` refers to outlives it. Throws Error(kUser) for wrong options, and when it cannot listen.
  LocalServer(const Env& env, const Configuration& configuration);
  ~LocalServer();

  EmbeddedJobs& jobs() { return jobs_; }
  int port() const;
  /// "http://127.0.0.1:8081"
  std::string url() const;

 private:
  const Env env_;
  EmbeddedJobs jobs_;
  const std::unique_ptr<RestApi> api_;
  const std::unique_ptr<const HttpServer> server_;
};

}  // namespace flott
