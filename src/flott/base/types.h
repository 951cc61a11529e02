// Strong types for numbers that must not be mixed up.
//
//   struct SubtaskTag; using SubtaskIndex = Strong<SubtaskTag, int32_t>;
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace flott {

/// A number with a meaning. Explicit both ways; ordered; `value` is public because it hides nothing.
template <typename Tag, typename T>
struct Strong {
  T value{};

  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
};

/// Index of one parallel instance of an operator, from 0.
using SubtaskIndex = Strong<struct SubtaskIndexTag, int32_t>;
/// One share of the key space; 0 … max parallelism − 1.
using KeyGroup = Strong<struct KeyGroupTag, uint32_t>;
/// Checkpoints of a job count from 1.
using CheckpointId = Strong<struct CheckpointIdTag, uint64_t>;
/// An operator across restarts: hash of its uid, or of its place in the graph. Printed as 16 hex digits.
using OperatorId = Strong<struct OperatorIdTag, uint64_t>;
/// A side output of one operator: not negative, from the hash of its name. −1 is the main output.
using SideOutputIndex = Strong<struct SideOutputIndexTag, int32_t>;

std::string toString(OperatorId id);
/// What toString() gave. Throws Error(kUser) for any other text.
OperatorId parseOperatorId(std::string_view text);

}  // namespace flott
