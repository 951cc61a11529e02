#include "flott/cluster/slot_assignment.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace flott {
namespace {

constexpr size_t kNobody = ~size_t{0};

std::optional<size_t> oneForAll(const std::vector<std::string>& before,
                                const std::vector<OfferedSlots>& workers) {
  std::optional<size_t> best;
  std::tuple<std::ptrdiff_t, int> most;  // slots it has had, free ones
  for (size_t i = 0; i < workers.size(); ++i) {
    const OfferedSlots& worker = workers[i];
    if (worker.free < static_cast<int>(before.size())) continue;
    const std::tuple offers(std::count(before.begin(), before.end(), worker.worker), worker.free);
    if (best && offers <= most) continue;
    best = i;
    most = offers;
  }
  return best;
}

/// Whether `one` is to get the next slot rather than `other`; both have free ones.
bool fillsBefore(const OfferedSlots& one, bool oneHasSome, const OfferedSlots& other, bool otherHasSome) {
  return std::tuple(oneHasSome, one.free) > std::tuple(otherHasSome, other.free);
}

bool hasLessToDo(const OfferedSlots& one, const OfferedSlots& other) {
  return int64_t{one.slots - one.free} * other.slots < int64_t{other.slots - other.free} * one.slots;
}

}  // namespace

std::vector<size_t> assignSlots(const std::vector<std::string>& before, std::vector<OfferedSlots> workers,
                                SlotSpread spread) {
  size_t free = 0;
  for (const OfferedSlots& worker : workers) free += static_cast<size_t>(std::max(worker.free, 0));
  if (free < before.size()) return {};
  if (spread == SlotSpread::kPacked) {
    if (const auto one = oneForAll(before, workers)) return std::vector<size_t>(before.size(), *one);
  }
  std::vector<size_t> chosen(before.size(), kNobody);
  std::vector<bool> hasSome(workers.size(), false);
  const auto give = [&](size_t slot, size_t worker) {
    chosen[slot] = worker;
    hasSome[worker] = true;
    --workers[worker].free;
  };
  for (size_t slot = 0; slot < before.size(); ++slot) {
    for (size_t i = 0; i < workers.size(); ++i) {
      if (workers[i].worker == before[slot] && workers[i].free > 0) give(slot, i);
    }
  }
  for (size_t slot = 0; slot < before.size(); ++slot) {
    if (chosen[slot] != kNobody) continue;
    size_t best = kNobody;
    for (size_t i = 0; i < workers.size(); ++i) {
      if (workers[i].free <= 0) continue;
      const bool better =
          best == kNobody ||
          (spread == SlotSpread::kEven ? hasLessToDo(workers[i], workers[best])
                                       : fillsBefore(workers[i], hasSome[i], workers[best], hasSome[best]));
      if (better) best = i;
    }
    give(slot, best);
  }
  return chosen;
}

}  // namespace flott
