// The operator state of one operator as it lies in a checkpoint: its lists and broadcast maps.
//
// It is small by nature, a job's master has all of it in memory when it restores, and so has this. Plain
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/savepoints/checkpoint_files.h"
#include "flott/state/operator_state.h"

namespace flott {

struct StoredOperatorState {
  struct Item {
    uint32_t subtask = 0;
    std::string bytes;  // encoded; of a broadcast state a key and its value
  };

  std::string name;
  Redistribution redistribution = Redistribution::kSplit;
  /// As OperatorStateImage::State::type.
  std::optional<TypeDescription> type;
  /// In the order of the subtasks; of a broadcast state those of the first that has it.
  std::vector<Item> items;

  uint64_t bytes() const;
};

/// By name; several of one name where its type has changed and subtasks that have not asked for it yet keep
/// what they restored as it was. Throws Error(kCorruption) that names the file.
std::vector<StoredOperatorState> readOperatorState(CheckpointFiles& files, const OperatorSnapshot& op);
/// The same as one subtask would be given them all.
OperatorStateImage readWholeOperatorState(CheckpointFiles& files, const OperatorSnapshot& op);
/// "list", "union list", "broadcast map".
std::string_view kindForPeople(Redistribution redistribution);

}  // namespace flott
