// All states of one operator of a checkpoint, keyed or not, by their names.
//
// Files are read once when it is made. One thread at a time; blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flott/savepoints/state_rows.h"
#include "flott/savepoints/stored_keyed_state.h"
#include "flott/savepoints/stored_operator_state.h"

namespace flott {

/// Throws Error(kUser) that names the nearest of those there are.
[[noreturn]] void failNoState(const OperatorSnapshot& op, const std::string& name,
                              const std::vector<std::string>& there);
std::vector<std::string> namesOf(const StoredKeyedState& keyed);

/// "value of int64 by string", "list of string".
std::string typeOf(const StoredKeyedState& keyed, const StoredKeyedState::State& state);
std::string typeOf(const StoredOperatorState& state);

class OperatorStates {
 public:
  /// Both must outlive it.
  OperatorStates(CheckpointFiles& files, const OperatorSnapshot& op)
      : files_(files), keyed_(files, op), lists_(readOperatorState(files, op)) {}

  /// Keyed states first, each by name.
  std::vector<std::string> names() const;
  /// Those of a state; several where a checkpoint has it with several types. Throws Error(kUser) that names
  /// the nearest when there is none, and for types that only their program can decode.
  std::vector<std::unique_ptr<RowSource>> rows(const std::string& name);

  const StoredKeyedState& keyed() const { return keyed_; }
  /// Those that are not keyed.
  const std::vector<StoredOperatorState>& lists() const { return lists_; }

 private:
  CheckpointFiles& files_;
  const StoredKeyedState keyed_;
  const std::vector<StoredOperatorState> lists_;
};

}  // namespace flott
