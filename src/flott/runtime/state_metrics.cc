#include "flott/runtime/state_metrics.h"

#include <array>
#include <utility>

#include "flott/base/metric_options.h"
#include "flott/state/keyed_backend.h"

namespace flott {

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
  std::array<Histogram*, kStateAccesses> histograms{};
  return std::make_unique<StateTimes>(
      every_, clock_,
      [this, histograms, prefix = prefixOf(state)](StateAccess access, int64_t nanos) mutable {
        Histogram*& histogram = histograms[static_cast<size_t>(access)];
        if (histogram == nullptr) histogram = &metrics_.histogram(prefix + std::string(latencyName(access)));
        histogram->update(nanos);
      });
}

void StateMetrics::publish(const KeyedStateBackend& backend) {
  for (const KeyedStateBackend::Size& size : backend.sizes()) {
    auto known = gauges_.find(size.state);
    if (known == gauges_.end()) {
      const std::string prefix = prefixOf(size.state);
      known = gauges_
                  .emplace(size.state, Gauges{.entries = &metrics_.gauge(prefix + "numEntries"),
                                              .bytes = &metrics_.gauge(prefix + "memoryBytes")})
                  .first;
    }
    known->second.entries->set(static_cast<double>(size.entries));
    known->second.bytes->set(static_cast<double>(size.bytes));
  }
}

}  // namespace flott
