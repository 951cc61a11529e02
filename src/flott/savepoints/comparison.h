// What differs between two checkpoints: the work of `flott state diff`.
//
// Operators are matched by their ids, states by name, entries by key and window. Keyed state is in the order
// of the key hash on both sides, so this is a merge that holds one entry of each, whatever the parallelism.
// Blocks.
//
//   const bool same = compareCheckpoints(before, after, {.summary = true}, output);
#pragma once

#include <string>

#include "flott/savepoints/checkpoint_files.h"
#include "flott/savepoints/state_rows.h"

namespace flott {

struct ComparisonOptions {
  std::string op = {};   // only this operator: as findOperator() has it; empty: all
  bool summary = false;  // counts alone
};

/// Writes what differs, as text; whether nothing does. Lists of operators are compared as bags: in which
/// order, and with which subtask, their items are does not matter.
bool compareCheckpoints(CheckpointFiles& before, CheckpointFiles& after, const ComparisonOptions& options,
                        ByteOutput& output);

}  // namespace flott
