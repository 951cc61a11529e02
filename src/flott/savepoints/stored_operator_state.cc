#include "flott/savepoints/stored_operator_state.h"

#include <map>
#include <utility>

#include "flott/base/error.h"

namespace flott {
namespace {

void add(OperatorStateImage::State&& state, uint32_t subtask,
         std::map<std::string, StoredOperatorState>& all) {
  const auto [at, added] = all.try_emplace(state.name);
  StoredOperatorState& sum = at->second;
  if (added) {
    sum.name = state.name;
    sum.redistribution = state.redistribution;
  } else if (sum.redistribution != state.redistribution) {
    throw Error(ErrorKind::kCorruption, "subtasks differ in how state '" + state.name + "' is redistributed");
  } else if (sum.type && state.type && *sum.type != *state.type) {
    throw Error(ErrorKind::kCorruption, "subtasks differ in the type of state '" + state.name + "'");
  }
  if (state.type) sum.type = std::move(state.type);
  if (!added && state.redistribution == Redistribution::kBroadcast) return;
  for (std::string& item : state.items) sum.items.push_back({subtask, std::move(item)});
}

}  // namespace

uint64_t StoredOperatorState::bytes() const {
  uint64_t sum = 0;
  for (const Item& item : items) sum += item.bytes.size();
  return sum;
}

std::vector<StoredOperatorState> readOperatorState(CheckpointFiles& files, const OperatorSnapshot& op) {
  std::map<std::string, StoredOperatorState> all;
  for (uint32_t subtask = 0; subtask < op.subtasks.size(); ++subtask) {
    const StateHandle& handle = op.subtasks[subtask].operatorState;
    if (handle.empty()) continue;
    const std::string section = files.read(handle);
    try {
      ByteReader in(section);
      OperatorStateImage image = OperatorStateImage::decode(in);
      for (OperatorStateImage::State& state : image.states) add(std::move(state), subtask, all);
    } catch (Error& error) {
      throw std::move(error).at(nameOf(op)).at(files.placeOf(handle));
    }
  }
  std::vector<StoredOperatorState> states;
  for (auto& [name, state] : all) states.push_back(std::move(state));
  return states;
}

std::string_view kindForPeople(Redistribution redistribution) {
  switch (redistribution) {
    case Redistribution::kSplit:
      return "list";
    case Redistribution::kUnion:
      return "union list";
    case Redistribution::kBroadcast:
      return "broadcast map";
  }
  return "list";
}

}  // namespace flott
