#include "bench/loops/open_windows.h"

#include <unistd.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdio>

namespace flott::bench {

int64_t residentBytes() {
  long pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * sysconf(_SC_PAGESIZE);
}

Outcome openWindowsLoop(const Load& load) {
  using Clock = std::chrono::steady_clock;
  static const int64_t kBefore = residentBytes();
  boost::unordered_flat_map<int64_t, int64_t> sums;
  for (uint64_t i = 0; i < load.size; ++i) {
    const KeyValue in = openWindowsInput(i, load.size);
    sums[in.key] += in.value;
  }
  const int64_t bytes = residentBytes() - kBefore;
  const auto begin = Clock::now();
  FoldBuffer<KeyValue> out;
  for (const auto& [key, sum] : sums) {
    out.next() = {key, sum};
    out.written();
  }
  Outcome outcome = out.outcome(load.size);
  const double firedMs = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  outcome.firing = {.firedMs = firedMs,
                    .longestPauseMs = firedMs,
                    .bytesPerPair = static_cast<double>(bytes) / static_cast<double>(load.size)};
  return outcome;
}

}  // namespace flott::bench
