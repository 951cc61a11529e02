#include "flott/runtime/state_metrics.h"

#include <array>
#include <optional>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/metric_options.h"
#include "flott/state/keyed_backend.h"

namespace flott {
namespace {

/// Null where the program has a metric of another kind by that name: its own comes first.
template <typename Metric, typename Make>
Metric* metricOrNone(Make make) {
  try {
    return make();
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

StateMetrics::StateMetrics(const Configuration& configuration, MetricGroup& metrics, const Clock& clock)
    : metrics_(metrics),
      clock_(clock),
      measures_(configuration.get(kStateLatency)),
      every_(static_cast<uint32_t>(configuration.get(kStateLatencySample))),
      asVariable_(configuration.get(kStateLatencyNames)) {}

StateMetrics::~StateMetrics() = default;

std::string StateMetrics::prefixOf(std::string_view state) const {
  return (asVariable_ ? "state_name." : "") + std::string(state) + ".";
}

std::unique_ptr<StateTimes> StateMetrics::timesOf(const std::string& state) {
  if (!measures_) return nullptr;
  std::array<std::optional<Histogram*>, kStateAccesses> histograms{};
  return std::make_unique<StateTimes>(
      every_, clock_,
      [this, histograms, prefix = prefixOf(state)](StateAccess access, int64_t nanos) mutable {
        std::optional<Histogram*>& histogram = histograms[static_cast<size_t>(access)];
        if (!histogram) {
          histogram = metricOrNone<Histogram>(
              [&] { return &metrics_.histogram(prefix + std::string(latencyName(access))); });
        }
        if (*histogram != nullptr) (*histogram)->update(nanos);
      });
}

void StateMetrics::publish(const KeyedStateBackend& backend) {
  for (const KeyedStateBackend::Size& size : backend.sizes()) {
    auto known = gauges_.find(size.state);
    if (known == gauges_.end()) {
      const std::string prefix = prefixOf(size.state);
      known =
          gauges_
              .emplace(
                  size.state,
                  Gauges{
                      .entries = metricOrNone<Gauge>([&] { return &metrics_.gauge(prefix + "numEntries"); }),
                      .bytes = metricOrNone<Gauge>([&] { return &metrics_.gauge(prefix + "memoryBytes"); })})
              .first;
    }
    if (Gauge* entries = known->second.entries) entries->set(static_cast<double>(size.entries));
    if (Gauge* bytes = known->second.bytes) bytes->set(static_cast<double>(size.bytes));
  }
}

}  // namespace flott
