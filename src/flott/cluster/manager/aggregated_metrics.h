// Metrics of several processes together, as /jobs/metrics and /taskmanagers/metrics have them: each is asked
// for its own, and the answers are put together here.
//
// Called by the threads that answer requests; blocks for a bounded time, and leaves out who does not answer.
//
//   const MetricPlace places[] = {{"127.0.0.1", job.restPort, "/jobs/5f2c01…/metrics"}};
//   return RestResponse::json(aggregatedMetrics(env, places, request));
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "flott/env/env.h"
#include "flott/rest/rest_handler.h"

namespace flott {

/// Where Flink's document of metrics is.
struct MetricPlace {
  std::string address;
  uint16_t port = 0;
  std::string path;
};

/// The document for ?get= and ?agg= of the request. Throws Refusal{400} for what cannot be read.
std::string aggregatedMetrics(const Env& env, std::span<const MetricPlace> places,
                              const RestRequest& request);

}  // namespace flott
