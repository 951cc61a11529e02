// Which operators may share a slot, and what a slot of theirs is to have.
//
// Operators of one group share slots: a slot holds one subtask of each. Made by the user's program and given
// to slotSharingGroup(…) or StreamExecutionEnvironment::registerSlotSharingGroup(); the job graph carries
// the resources to who hands out slots. Plain values.
//
//   env.registerSlotSharingGroup(
//       {.name = "models", .resources = SlotResources{.cpuCores = 2, .taskMemory = MemorySize::mb(512)}});
#pragma once

#include <map>
#include <optional>
#include <string>

#include "flott/base/memory_size.h"

namespace flott {

/// What one slot is to have.
struct SlotResources {
  double cpuCores = 0;       // more than 0; parts of a core as well
  MemorySize taskMemory;     // for records on their way, functions and state in memory; more than 0
  MemorySize managedMemory;  // for state on disk: its caches
  std::map<std::string, double> external = {};  // how many of what: {{"gpu", 1}}

  bool operator==(const SlotResources&) const = default;
};

/// "cpu 2, task memory 512 mb, managed memory 0 bytes, gpu 1".
std::string toString(const SlotResources& resources);

struct SlotSharingGroup {
  std::string name;
  std::optional<SlotResources> resources;  // none: as slots come
};

/// Throws Error(kUser) that names the group and what is wrong with it.
void check(const SlotSharingGroup& group);

}  // namespace flott
