// A source of consecutive numbers: fromSequence().
//
// The range is cut into one piece for each reader, so that with several readers only the order inside a piece
// is kept. Batches are filled in one tight loop.
#pragma once

#include <cstdint>

#include "flott/operators/typed_source.h"

namespace flott {

/// Both ends belong to it. Throws Error(kUser) when `from` is greater than `to`.
SourceOf<int64_t> sequenceSource(int64_t from, int64_t to);

}  // namespace flott
