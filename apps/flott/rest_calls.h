// A cluster, or a program that serves its own jobs, as the commands see it: Flink's REST calls, typed.
//
// Blocks the thread that calls; each wait is bounded by client.timeout. What the other side refuses is a
// Refused with its reason; when nobody answers, or not in time, an Error that says what to do.
//
//   const RestCalls cluster(env, configurationOf(env, given), given.find("--jobmanager"));
//   const std::string job = cluster.findJob("orders").id;
//   print(cluster.waitForSavepoint(job, cluster.stop(job, {.drain = true})));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "flott/base/config.h"
#include "flott/env/env.h"
#include "flott/rest/http_client.h"

namespace flott::app {

/// Of each command that asks a cluster.
inline constexpr OptionHelp kJobManagerOption{
    "--jobmanager", "HOST:PORT", "the cluster; rest.address and rest.port otherwise: 127.0.0.1:8081", "-m"};

struct ClusterAddress {
  std::string host;
  int port = 0;
};
/// "host", "host:port", "[::1]:port", also with http:// in front; without it that of rest.address and
/// rest.port. Throws Error(kUser).
ClusterAddress clusterAddress(const Configuration& configuration, const std::optional<std::string>& given);

struct JobLine {
  std::string id;
  std::string name;
  std::string status;    // "RUNNING"
  int64_t started = -1;  // milliseconds since the epoch; -1: not known
  int64_t ended = -1;
  int64_t duration = -1;  // milliseconds
  int64_t tasks = 0;
  int64_t tasksRunning = 0;

  /// It has neither tasks that run nor an end.
  bool isScheduled() const { return status == "CREATED" || status == "INITIALIZING"; }
  bool hasEnded() const { return status == "FINISHED" || status == "CANCELED" || status == "FAILED"; }
};

struct SavepointOrder {
  std::optional<std::string> folder = {};  // else what execution.checkpointing.savepoint-dir says there
  std::optional<std::string> type = {};    // CANONICAL, NATIVE
  bool drain = false;                      // of a stop: with a last watermark that ends all windows
};

class RestCalls {
 public:
  /// What `env` refers to outlives it.
  RestCalls(const Env& env, const Configuration& configuration, const std::optional<std::string>& address);

  /// "http://127.0.0.1:8081"
  std::string url() const { return client_.url(); }

  /// In the cluster's order.
  std::vector<JobLine> jobs() const;
  /// By its id, the first digits of it, or its name; of those of a name the one that has not ended. Throws
  /// Error when it is none, or several.
  JobLine findJob(const std::string& which) const;
  std::string status(const std::string& job) const;
  /// The job has ended, and the program that started it as well, which may have had more to say.
  bool isOver(const std::string& job) const;
  void cancel(const std::string& job) const;

  // These return the id under which to ask what has become of it.
  std::string stop(const std::string& job, const SavepointOrder& order) const;
  std::string savepoint(const std::string& job, const SavepointOrder& order) const;
  std::string checkpoint(const std::string& job, bool full) const;
  std::string dispose(const std::string& savepoint) const;

  /// Where the savepoint lies.
  std::string waitForSavepoint(const std::string& job, const std::string& trigger) const;
  /// The number of the checkpoint.
  int64_t waitForCheckpoint(const std::string& job, const std::string& trigger) const;
  void waitForDisposal(const std::string& trigger) const;
  /// Until the job has ended; its status.
  std::string waitForEnd(const std::string& job) const;

  /// An answer that is no refusal.
  HttpClient::Answer ask(const std::string& method, const std::string& path,
                         const std::string& body = {}) const;

 private:
  template <typename Look>
  void waitUntil(const std::string& what, Look look) const;
  /// The outcome of an operation, as JSON; throws Refused when it has failed.
  std::string outcome(const std::string& what, const std::string& path) const;

  const Env env_;
  const Duration timeout_;
  const HttpClient client_;
};

}  // namespace flott::app
