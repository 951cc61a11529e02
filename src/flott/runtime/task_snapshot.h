// What a task contributes to a checkpoint, and what it starts from when it is restored from one.
//
// Plain values. A TaskSnapshot goes from a task to the master, a RestoredTask from the master to a task.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flott/base/types.h"
#include "flott/runtime/in_flight.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/cold/cold_restore.h"
#include "flott/state/cold/section_load.h"
#include "flott/state/keyed_snapshot.h"
#include "flott/state/operator_state.h"

namespace flott {

/// Where the time of one checkpoint went in one task.
struct CheckpointDurations {
  int64_t startDelayNanos = 0;  // from the trigger to the first barrier's being worked on, by wall clocks
  int64_t alignmentNanos = 0;   // from the first barrier to the last
  int64_t syncNanos = 0;        // the task did nothing else
  int64_t asyncNanos = 0;       // from the cut until all was written
};

/// What of the input of one task was on its way at a checkpoint.
struct CheckpointInFlight {
  bool unaligned = false;       // the barrier has overtaken some of it
  uint64_t processedBytes = 0;  // worked off while the barriers came
  uint64_t persistedBytes = 0;  // in the checkpoint
};

struct TaskSnapshot {
  struct Operator {
    OperatorId id;
    StateHandle keyed;
    StateHandle operatorState;
    bool unionList = false;  // operatorState has one
    ColdSnapshot cold = {};
  };
  std::vector<Operator> operators;  // as JobVertex::chain
  StateHandle channels;             // encodeInFlight()
  CheckpointDurations durations;
  uint64_t sharedBytes = 0;  // of these, those that an earlier checkpoint has stored
  CheckpointInFlight inFlight;

  uint64_t bytes() const {
    uint64_t sum = channels.length;
    for (const Operator& op : operators) sum += op.keyed.length + op.operatorState.length + op.cold.bytes();
    return sum;
  }
};

struct RestoredOperator {
  RestoredKeyedState keyed;
  OperatorStateImage operatorState;
  // What the task has yet to fetch, and then puts into the above and `cold`.
  std::vector<StoredSection> sections;
  std::vector<StoredColdState> stored;
  ColdStates cold = {};

  bool toFetch() const { return !sections.empty() || !stored.empty(); }
};

struct RestoredTask {
  /// It had worked off all its input: it passes the end on and does nothing else.
  bool finished = false;
  std::vector<RestoredOperator> operators;  // as JobVertex::chain, or empty: a fresh start
  std::vector<RestoredChannel> channels;
};

/// By vertex and subtask; empty for a fresh start.
using RestoredJob = std::vector<std::vector<RestoredTask>>;

}  // namespace flott
