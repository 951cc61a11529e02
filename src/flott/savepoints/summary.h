// What `flott state ls` shows: the operators of a checkpoint and their states, counted.
//
// All files are read once and checked on the way. Plain values.
//
//   CheckpointFiles files(env, {}, path);
//   console.out(toText(summarize(files)));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flott/savepoints/checkpoint_files.h"

namespace flott {

struct StateSummary {
  std::string name;
  std::string kind;  // "value", "window slices", "timers", "union list", …
  std::string key;   // type of the keys; empty for operator state
  std::string type;  // of the values; empty where the checkpoint does not say
  bool expires = false;
  uint64_t entries = 0;  // of keyed state one for each key (and window)
  uint64_t bytes = 0;
};

struct OperatorSummary {
  std::string name;
  std::string uid;
  OperatorId id;
  uint32_t maxParallelism = 0;
  uint32_t parallelism = 0;
  uint32_t finished = 0;  // subtasks that had worked off their input
  uint64_t enumeratorBytes = 0;
  std::vector<StateSummary> states;
};

struct CheckpointSummary {
  CheckpointId id;
  bool isSavepoint = false;
  Timestamp triggered;
  std::string jobName;
  std::string folder;
  uint64_t bytes = 0;          // of state
  uint64_t inFlightBytes = 0;  // of what was on its way between tasks, in an unaligned checkpoint
  std::vector<OperatorSummary> operators;
};

/// Throws Error(kCorruption) that names the file which is damaged.
CheckpointSummary summarize(CheckpointFiles& files);
std::string toText(const CheckpointSummary& summary);
/// One object, on several lines.
std::string toJson(const CheckpointSummary& summary);

}  // namespace flott
