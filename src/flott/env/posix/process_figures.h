// What this process takes of its machine: processor time, memory, threads, open files.
//
// Read from /proc when somebody asks; a reading takes some 100 µs, so for metrics, not for loops. Any thread.
//
//   ProcessReader reader;
//   const ProcessFigures now = reader.read();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace flott {

struct ProcessFigures {
  int cores = 1;         // that it may run on
  double cpuLoad = 0;    // share of these cores that it has used of late, 0 to 1
  int64_t cpuNanos = 0;  // of all its threads, since it began
  uint64_t residentBytes = 0;
  uint64_t anonymousBytes = 0;         // of these, heap and stacks: what no file backs
  uint64_t allocatedBytes = 0;         // by malloc and new, and in use
  uint64_t heapBytes = 0;              // that malloc has from the system, in use or not
  std::optional<int64_t> memoryLimit;  // of its control group, for all processes in there
  int64_t threads = 0;
  int64_t openFiles = 0;
  int64_t mostFiles = 0;  // that it may open
};

class ProcessReader {
 public:
  ProcessReader();
  ~ProcessReader();
  /// The load is over the last 5 to 10 seconds, if somebody reads as often; otherwise since the reading
  /// before that.
  ProcessFigures read();

 private:
  struct Loads;
  const std::unique_ptr<Loads> loads_;
};

/// Of this machine; "localhost" when it has none.
std::string hostName();

}  // namespace flott
