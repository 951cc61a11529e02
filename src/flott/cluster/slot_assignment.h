// Which worker each slot of a region gets: a pure function, called by the DistributedDeployer.
//
// A slot has a subtask of each vertex of a slot sharing group. Packed, a region goes to one worker if that
// has room for all of it, since what stays within a process is faster; to the one that has had most of it,
// else to the one with the most free slots. Otherwise slots go back to the workers that have had them, and
// the others to as few workers as can be (packed), or each to the worker that has the least to do for its
// size. In place of a worker that is gone another one of its TaskManager is taken, if there is one: "t1/w4"
// for "t1/w3".
//
//   assignSlots({"w1", ""}, {{"w1", 1, 0}, {"w2", 2, 2}}, SlotSpread::kPacked);  // {1, 1}
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace flott {

enum class SlotSpread : uint8_t { kPacked, kEven };

struct OfferedSlots {
  std::string worker;
  int slots = 0;
  int free = 0;
};

/// `before`: of each slot the worker that has had it, or none. The index of its worker for each slot; nothing
/// when there are not as many free slots.
std::vector<size_t> assignSlots(const std::vector<std::string>& before, std::vector<OfferedSlots> workers,
                                SlotSpread spread);

}  // namespace flott
