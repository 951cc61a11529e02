#include "flott/cluster/manager/aggregated_metrics.h"

#include <optional>

#include "flott/base/error.h"
#include "flott/cluster/manager/forwarding.h"
#include "flott/rest/documents.h"
#include "flott/rest/http_client.h"
#include "flott/rest/metric_query.h"

namespace flott {
namespace {

constexpr Duration kForAll = Duration::seconds(3);

/// Values of the metrics that the place has, of all where none are chosen.
std::vector<NamedMetric> ask(const Env& env, const MetricPlace& place,
                             const std::optional<std::vector<std::string>>& chosen) {
  std::vector<std::string> ids = chosen.value_or(std::vector<std::string>());
  if (!chosen) {
    for (NamedMetric& metric : metricsIn(fetch(env, place.address, place.port, place.path)))
      ids.push_back(std::move(metric.id));
  }
  std::string get;
  for (const std::string& id : ids) get += (get.empty() ? "" : ",") + urlEncoded(id);
  return metricsIn(fetch(env, place.address, place.port, place.path + "?get=" + get));
}

}  // namespace

std::string aggregatedMetrics(const Env& env, std::span<const MetricPlace> places,
                              const RestRequest& request) {
  const std::optional<std::vector<std::string>> chosen = chosenMetrics(request);
  const std::vector<std::string> modes = chosenAggregations(request);
  const int64_t until = deadlineAfter(env.clock, kForAll);
  std::vector<std::vector<NamedMetric>> all;
  for (const MetricPlace& place : places) {
    if (place.port == 0 || env.clock.monotonicNanos() >= until) continue;
    try {
      all.push_back(ask(env, place, chosen));
    } catch (const Error&) {  // it may just be ending
    }
  }
  return aggregatedDocument(all, chosen, modes);
}

}  // namespace flott
