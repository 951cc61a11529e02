// Which request gets which document: Flink's REST paths, without HTTP around them.
//
// A server hands each request over and sends what comes back. Paths may begin with /v1. Called by the
// server's threads, several at once; holds nothing that changes.
//
//   RestApi api(board, {.refreshInterval = Duration::seconds(3)}, env.clock);
//   RestResponse response = api.answer({.method = "GET", .path = "/jobs/overview", .query = {}});
#pragma once

#include <string>
#include <string_view>

#include "flott/env/clock.h"
#include "flott/rest/job_board.h"
#include "flott/rest/rest_handler.h"

namespace flott {

struct RestApiOptions {
  Duration refreshInterval = Duration::seconds(3);
};

class RestApi final : public RestHandler {
 public:
  /// The board and the clock outlive it.
  RestApi(JobBoard& board, RestApiOptions options, const Clock& clock)
      : board_(board), options_(options), clock_(clock) {}

  /// Never throws: what goes wrong is a document of errors with Flink's status. 400: a parameter that cannot
  /// be read; 404: no such path, job, vertex or checkpoint; 405: not with this method; 409: a job that has
  /// ended cannot be cancelled; 503: the job does not answer.
  RestResponse answer(const RestRequest& request) override;

 private:
  struct Call;
  struct Route;
  static const Route* routes();
  RestResponse routed(const RestRequest& request) const;

  JobBoard& board_;
  const RestApiOptions options_;
  const Clock& clock_;
};

}  // namespace flott
