// What an operator's metrics say of its keyed states: how much they hold, and how long accesses take.
//
//   state_name.seen.numEntries, state_name.seen.memoryBytes         as of the last call of publish()
//   state_name.seen.valueStateGetLatency                            nanoseconds, where that is asked for
//
// Owned by an operator's node in its chain, used on the task's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "flott/operators/metrics.h"
#include "flott/state/state_times.h"

namespace flott {

class Clock;
class Configuration;
class KeyedStateBackend;

class StateMetrics final : public StateMeter {
 public:
  /// The metrics and clock outlive it.
  StateMetrics(const Configuration& configuration, MetricGroup& metrics, const Clock& clock);
  ~StateMetrics();

  /// Null unless accesses are measured.
  std::unique_ptr<StateTimes> timesOf(const std::string& state) override;
  /// What its states hold now.
  void publish(const KeyedStateBackend& backend);

 private:
  struct Gauges {
    Gauge* entries;
    Gauge* bytes;
  };
  std::string prefixOf(std::string_view state) const;

  MetricGroup& metrics_;
  const Clock& clock_;
  const bool measures_;
  const uint32_t every_;
  const bool asVariable_;
  std::map<std::string, Gauges, std::less<>> gauges_;  // by state
};

}  // namespace flott
