#include "flott/cluster/slot_assignment.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>

namespace flott {
namespace {

constexpr size_t kNobody = ~size_t{0};

/// "t1" of "t1/w3"; empty where nobody has it.
std::string_view machineOf(std::string_view worker) {
  const size_t slash = worker.find('/');
  return slash == std::string_view::npos ? std::string_view() : worker.substr(0, slash);
}

bool sameMachine(std::string_view one, std::string_view other) {
  return !machineOf(one).empty() && machineOf(one) == machineOf(other);
}

std::optional<size_t> oneForAll(const std::vector<std::string>& before,
                                const std::vector<OfferedSlots>& workers) {
  std::optional<size_t> best;
  std::tuple<std::ptrdiff_t, std::ptrdiff_t, int> most;  // slots it has had, its machine, free ones
  for (size_t i = 0; i < workers.size(); ++i) {
    const OfferedSlots& worker = workers[i];
    if (worker.free < static_cast<int>(before.size())) continue;
    const auto near = std::count_if(before.begin(), before.end(), [&](const std::string& other) {
      return other != worker.worker && sameMachine(other, worker.worker);
    });
    const std::tuple offers(std::count(before.begin(), before.end(), worker.worker), near, worker.free);
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
  const auto giveBack = [&](auto&& isFor) {
    for (size_t slot = 0; slot < before.size(); ++slot) {
      for (size_t i = 0; i < workers.size() && chosen[slot] == kNobody; ++i) {
        if (workers[i].free > 0 && isFor(workers[i].worker, before[slot])) give(slot, i);
      }
    }
  };
  giveBack([](const std::string& worker, const std::string& had) { return worker == had; });
  giveBack([](const std::string& worker, const std::string& had) { return sameMachine(worker, had); });
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
