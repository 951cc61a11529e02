// "Did you mean …?": the known word closest to one that is not known.
//
// For error messages about keys, columns and functions; the cost is the product of the lengths for each known
// word. Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace flott {

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other; letters'
/// case does not count. Optimal string alignment: no part is changed twice.
size_t editDistance(std::string_view a, std::string_view b);

/// The known word that `word` was probably meant to be: at most a third of it (and at least two characters)
/// may differ, or it lacks the beginning or the end of a dotted name. Empty when none is near; the first of
/// equally near ones.
std::string_view nearestOf(std::string_view word, std::span<const std::string_view> known);

}  // namespace flott
