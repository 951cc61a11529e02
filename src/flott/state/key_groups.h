// Key → key group → subtask: who owns a key, now and after a change of parallelism.
//
// The key group is the top bits of the 64-bit key hash, so a table that is ordered by hash holds each group
// in one piece. Subtasks own contiguous ranges of groups, by Flink's formula. Pure functions, any thread.
//
//   KeyGroup group = keyGroupOf(hash, 128);
//   uint32_t subtask = subtaskOf(group, 128, parallelism);
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "flott/base/error.h"
#include "flott/base/types.h"

namespace flott {

/// Most key groups a job may have; the limit of Flink, too.
inline constexpr uint32_t kMaxParallelismLimit = 32768;
inline constexpr uint32_t kDefaultMaxParallelism = 128;

/// Throws Error(kUser) unless it is a power of two from 1 to 32768.
inline void checkMaxParallelism(uint32_t maxParallelism) {
  if (!std::has_single_bit(maxParallelism) || maxParallelism > kMaxParallelismLimit) {
    throw Error(ErrorKind::kUser,
                "max parallelism " + std::to_string(maxParallelism) +
                    " is not a power of two from 1 to 32768: use 128, or the power of two above "
                    "the largest parallelism the job will ever have");
  }
}

/// `maxParallelism` must be a power of two.
inline KeyGroup keyGroupOf(uint64_t hash, uint32_t maxParallelism) {
  // Two shifts, because with one group the distance would be 64.
  return KeyGroup(static_cast<uint32_t>(hash >> 1 >> (63 - std::countr_zero(maxParallelism))));
}

inline uint32_t subtaskOf(KeyGroup group, uint32_t maxParallelism, uint32_t parallelism) {
  return static_cast<uint32_t>(uint64_t{group.value} * parallelism / maxParallelism);
}

/// Groups from `first` up to but not including `end`.
struct KeyGroupRange {
  uint32_t first = 0;
  uint32_t end = 0;

  bool contains(KeyGroup group) const { return group.value >= first && group.value < end; }
  uint32_t size() const { return end - first; }
  bool operator==(const KeyGroupRange&) const = default;
};

/// The groups g with subtaskOf(g) == subtask. Empty when parallelism exceeds max parallelism.
inline KeyGroupRange keyGroupRange(uint32_t subtask, uint32_t maxParallelism, uint32_t parallelism) {
  const auto firstOf = [&](uint64_t s) {
    return static_cast<uint32_t>((s * maxParallelism + parallelism - 1) / parallelism);
  };
  return {firstOf(subtask), firstOf(uint64_t{subtask} + 1)};
}

/// The key groups in which those of another max parallelism lie. Both are powers of two.
inline KeyGroupRange renumbered(KeyGroupRange groups, uint32_t from, uint32_t to) {
  const auto first = static_cast<uint32_t>(uint64_t{groups.first} * to / from);
  const auto end = static_cast<uint32_t>((uint64_t{groups.end} * to + from - 1) / from);
  return {first, end};
}

}  // namespace flott
