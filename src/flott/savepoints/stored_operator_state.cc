#include "flott/savepoints/stored_operator_state.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"

namespace flott {
namespace {

void add(OperatorStateImage::State&& state, uint32_t subtask, std::vector<StoredOperatorState>& all) {
  const auto known = std::find_if(all.begin(), all.end(), [&](const StoredOperatorState& other) {
    return other.name == state.name && other.type == state.type;
  });
  if (known != all.end() && known->redistribution != state.redistribution) {
    throw Error(ErrorKind::kCorruption, "subtasks differ in how state '" + state.name + "' is redistributed");
  }
  if (known != all.end() && state.redistribution == Redistribution::kBroadcast) return;
  StoredOperatorState& sum = known != all.end() ? *known : all.emplace_back();
  sum.name = state.name;
  sum.redistribution = state.redistribution;
  sum.type = state.type;
  for (std::string& item : state.items) sum.items.push_back({subtask, std::move(item)});
}

OperatorStateImage readImage(CheckpointFiles& files, const OperatorSnapshot& op, const StateHandle& handle) {
  if (handle.empty()) return {};
  const std::string section = files.read(handle);
  try {
    ByteReader in(section);
    OperatorStateImage image = OperatorStateImage::decode(in);
    if (!in.atEnd()) in.fail("has bytes left over");
    return image;
  } catch (Error& error) {
    throw std::move(error).at(nameOf(op)).at(files.placeOf(handle));
  }
}

}  // namespace

uint64_t StoredOperatorState::bytes() const {
  uint64_t sum = 0;
  for (const Item& item : items) sum += item.bytes.size();
  return sum;
}

std::vector<StoredOperatorState> readOperatorState(CheckpointFiles& files, const OperatorSnapshot& op) {
  std::vector<StoredOperatorState> all;
  for (uint32_t subtask = 0; subtask < op.subtasks.size(); ++subtask) {
    OperatorStateImage image = readImage(files, op, op.subtasks[subtask].operatorState);
    for (OperatorStateImage::State& state : image.states) add(std::move(state), subtask, all);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

OperatorStateImage readWholeOperatorState(CheckpointFiles& files, const OperatorSnapshot& op) {
  std::vector<OperatorStateImage> images;
  for (const SubtaskSnapshot& subtask : op.subtasks)
    images.push_back(readImage(files, op, subtask.operatorState));
  return images.empty() ? OperatorStateImage() : std::move(split(images, 1)[0]);
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
