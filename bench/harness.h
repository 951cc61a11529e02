// What a benchmark case is, and how one is run.
//
// A case does one piece of work in two ways: as a hand-written C++ loop and as a job of the engine. Both read
// the same generated input and fold every output record into a sum that does not depend on order, so that
// equal sums mean equal results. Each side lives in a child process of its own (see measured_process.h), runs
// one warm-up round and then the measured rounds, taking turns with the other side. main.cc lists the cases;
// cases/ defines them; loops/ holds the inputs and the loops.
//
//   Case keyedSum{.name = "keyed-sum", .what = "…", .size = 60'000'000, .loop = keyedSumLoop, .engine =
//   keyedSumJob}; bool passed = runCase(keyedSum, Options{});
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace flott::bench {

/// How much to do in one round. The input is a function of the record's index alone, so lanes share it out as
/// they like.
struct Load {
  uint64_t size = 0;  // input records, or lines for wordcount
  int lanes = 1;      // a loop ignores it
  int patienceMs = 60'000;
};

/// Time from when a record was due to when it arrived.
struct Percentiles {
  double p50Us = 0;
  double p99Us = 0;
  double p999Us = 0;
};

/// Reorders its argument, which must not be empty.
Percentiles percentilesOf(std::vector<int64_t>& nanoseconds);

/// How windows that are open at once end.
struct Firing {
  double firedMs = 0;         // from the watermark to the last result
  double longestPauseMs = 0;  // that other work of the lane waited meanwhile
  double bytesPerPair = 0;    // of memory, for each (key, window) that is open
};

/// What checkpoints took while a job ran.
struct Checkpointing {
  uint64_t completed = 0;
  double longestSyncMs = 0;  // that a task did nothing else for one
  double megabytes = 0;      // of the largest
};

/// How a job's state came back after a failure.
struct Recovery {
  double megabytes = 0;   // of state
  double snapshotMs = 0;  // from asking for the checkpoint until it was complete
  double syncMs = 0;      // of it the task did nothing else
  double recoveryMs = 0;  // from the failure to the first record behind the state
  double diskMbPerS = 0;  // the same bytes written to a file in the same folder, and synced
};

/// What came out of one round.
struct Outcome {
  uint64_t records = 0;           // what the rate counts
  uint64_t results = 0;           // output records
  uint64_t checksum = 0;          // sum of fold() over the output records
  Percentiles latency{};          // of latency cases
  Firing firing{};                // of firing cases
  Recovery recovery{};            // of recovery cases
  Checkpointing checkpointing{};  // of checkpoint cases
};

/// Runs one round and returns once every output record is folded. Whatever it throws fails the benchmark.
using Round = Outcome (*)(const Load&);

enum class CaseKind : uint8_t {
  kThroughput,    // engine against loop
  kTwoProcesses,  // engine with two lanes against the sum of two one-lane processes, each pinned to a core
  kLatency,       // percentiles and cores at a fixed rate, beside a bare hand-off between two threads
  kFiring,        // how long open windows take to fire, beside a loop over a hash map
  kRecovery,      // a checkpoint, a failure, and the way back; all threads on one core
  kOneCore,       // engine against loop, each with all its threads on one core: what a record costs in all
  kCheckpoint,    // the same job with and without checkpoints (its `loop`), each with all its threads on one
                  // core
};

struct Case {
  std::string_view name;
  std::string_view what;  // one line for --list
  CaseKind kind = CaseKind::kThroughput;
  uint64_t size = 0;  // of a round; all rounds of all sides together have to take less than 30 s
  int lanes = 1;
  Round loop = nullptr;    // null: nothing to compare with
  Round engine = nullptr;  // null: the case has no job, only its loop is measured
};

struct Options {
  int rounds = 5;         // measured ones, after the warm-up
  double scale = 1;       // multiplies Case::size: small values make a quick check of the results
  bool onlyLoop = false;  // leaves the engine out
};

/// Prints one line of JSON on standard output and progress on standard error. False when results differ
/// between the sides or the rounds, or when a side failed.
bool runCase(const Case& benchmark, const Options& options);

}  // namespace flott::bench
