// What the process may use and what it has used: cores, memory, CPU time, environment variables.
//
// Any thread may ask. The memory figures read a file of the system and cost some 20 µs: for metrics and
// reports, not for loops.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace flott {

class System {
 public:
  virtual ~System() = default;
  /// Cores this process may run on; at least 1.
  virtual int cpus() const = 0;
  /// Memory of the process that is in RAM, files mapped into it included.
  virtual uint64_t residentBytes() const = 0;
  /// Memory of the process that no file backs: heap and stacks. What the process really costs.
  virtual uint64_t anonymousBytes() const = 0;
  /// CPU time of all threads since the process began.
  virtual int64_t processCpuNanos() const = 0;
  /// An environment variable; nothing when it is not set.
  virtual std::optional<std::string> environment(const std::string& name) const = 0;
};

}  // namespace flott
