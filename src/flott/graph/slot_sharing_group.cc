#include "flott/graph/slot_sharing_group.h"

#include <fmt/format.h>

#include <cmath>

#include "flott/base/error.h"

namespace flott {
namespace {

bool isAmount(double value) { return std::isfinite(value) && value > 0; }

[[noreturn]] void refuse(const SlotSharingGroup& group, const std::string& what) {
  throw Error(ErrorKind::kUser, "slot sharing group '" + group.name + "': " + what);
}

}  // namespace

std::string toString(const SlotResources& resources) {
  std::string text = fmt::format("cpu {}, task memory {}, managed memory {}", resources.cpuCores,
                                 toString(resources.taskMemory), toString(resources.managedMemory));
  for (const auto& [name, amount] : resources.external) text += fmt::format(", {} {}", name, amount);
  return text;
}

void check(const SlotSharingGroup& group) {
  if (group.name.empty()) throw Error(ErrorKind::kUser, "a slot sharing group has no name: give it one");
  if (!group.resources) return;
  if (!isAmount(group.resources->cpuCores)) {
    refuse(group, fmt::format("cpuCores is {}: say how much of a core a slot is to have, as 0.5 or 2",
                              group.resources->cpuCores));
  }
  if (group.resources->taskMemory.bytes == 0) {
    refuse(group, "taskMemory is not set: say what a slot is to have, as MemorySize::mb(512)");
  }
  for (const auto& [name, amount] : group.resources->external) {
    if (name.empty()) refuse(group, "an external resource has no name");
    if (!isAmount(amount)) {
      refuse(group, fmt::format("external resource '{}' is {}: leave it out, or say how many", name, amount));
    }
  }
}

}  // namespace flott
