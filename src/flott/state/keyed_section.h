// Changes of a section of keyed state that need no look at its entries, and so not their types.
//
// For tools that rewrite savepoints; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flott {

/// The section without one state: empty when that was the only one, nothing when it has no such state, and
/// then `names` has those it has. Throws Error(kCorruption).
std::optional<std::string> withoutKeyedState(std::string_view section, std::string_view name,
                                             std::vector<std::string>& names);

}  // namespace flott
