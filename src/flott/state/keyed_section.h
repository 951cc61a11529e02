// Changes of a section of keyed state that need no look at its entries, and so not their types.
//
// For tools that look at checkpoints and rewrite savepoints; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/function.h"
#include "flott/state/cold/cold_image.h"

namespace flott {

/// The section without one state: empty when that was the only one, nothing when it has no such state, and
/// then `names` has those it has. Throws Error(kCorruption).
std::optional<std::string> withoutKeyedState(std::string_view section, std::string_view name,
                                             std::vector<std::string>& names);

/// The section with what is in the store beside it, handed to `write` a part at a time: as if the cut had
/// been made by pieces, but for what had expired. Throws Error(kCorruption).
void addColdPieces(std::string_view section, const ColdImage& image, std::shared_ptr<ColdStore> store,
                   uint32_t maxParallelism, MoveFunction<void(std::string_view)> write);

}  // namespace flott
