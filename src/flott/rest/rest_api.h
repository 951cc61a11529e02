// Which request gets which document: Flink's REST paths, without HTTP around them.
//
// A server hands each request over and sends what comes back. Paths may begin with /v1. Called by the
// server's threads, several at once. Remembers what clients have triggered, in a bounded number.
//
//   RestApi api(board, {.refreshInterval = Duration::seconds(3)}, env);
//   RestResponse response = api.answer({.method = "GET", .path = "/jobs/overview"});
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flott/base/config.h"
#include "flott/env/env.h"
#include "flott/rest/job_board.h"
#include "flott/rest/operations.h"
#include "flott/rest/rest_handler.h"
#include "flott/rest/router.h"

namespace flott {

struct RestApiOptions {
  Duration refreshInterval = Duration::seconds(3);
  /// How many savepoints, checkpoints and removals that clients have triggered are remembered.
  size_t operations = 500;
  /// storeOptions(), for savepoints that are to be removed.
  StringMap stores = {};
};

struct RestCall;

class RestApi final : public RestHandler {
 public:
  /// The board and what `env` refers to outlive it.
  RestApi(JobBoard& board, RestApiOptions options, const Env& env);

  /// Never throws: what goes wrong is a document of errors with Flink's status. 400: a parameter or a body
  /// that cannot be read; 404: no such path, job, vertex or checkpoint; 405: not with this method; 409: a job
  /// that has ended can do nothing more; 501: what Flott has not; 503: the job does not answer.
  RestResponse answer(const RestRequest& request) override;

  /// Where the results are of what clients have triggered for a job, and has ended: for its archive.
  std::vector<std::string> operationPaths(const JobId& job) const;
  /// As Operations::waitUntilTold().
  void waitUntilTold(Duration most) const { operations_.waitUntilTold(most); }

  /// All there are.
  static std::vector<RoutePattern> patterns();

 private:
  struct Route;
  static const std::vector<Route>& routes();
  RestResponse routed(const RestRequest& request);

  JobBoard& board_;
  const RestApiOptions options_;
  const Env env_;
  Operations operations_;
};

}  // namespace flott
