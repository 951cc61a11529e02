// A child process that runs rounds on request and reports what each cost.
//
// Processes of their own keep the memory, the allocator and the threads of one side of a case away from the
// other side, make peak memory a property of that side alone, and let two copies run at once on a core each.
// The child is forked from the single-threaded harness, waits without using a core between rounds, and ends
// with the object. Used by the harness on its only thread.
//
//   MeasuredProcess child(keyedSumLoop, Load{.size = 1000}, MeasuredProcess::kAnyCore);
//   child.start();
//   Measurement cost = child.finish();
#pragma once

#include <sys/types.h>

#include "bench/harness.h"

namespace flott::bench {

struct Measurement {
  Outcome outcome;
  double wallSeconds = 0;
  double cpuSeconds = 0;
  uint64_t allocations = 0;
  int64_t instructions = -1;  // −1: not countable here
  uint64_t peakResidentBytes = 0;
};

class MeasuredProcess {
 public:
  static constexpr int kAnyCore = -1;

  /// `core` counts the cores this process may use, from 0.
  MeasuredProcess(Round round, const Load& load, int core);
  ~MeasuredProcess();
  MeasuredProcess(const MeasuredProcess&) = delete;
  MeasuredProcess& operator=(const MeasuredProcess&) = delete;

  /// Begins a round and returns at once.
  void start();
  /// Waits for the round. Throws std::runtime_error when the child failed (its own message is on standard
  /// error) or takes longer than a round of this load may.
  Measurement finish();

 private:
  int patienceMs_;
  pid_t pid_;
  int socket_;  // to the child: one byte starts a round or ends the child; from it: one Measurement for each
                // round
  bool inRound_ = false;
};

}  // namespace flott::bench
