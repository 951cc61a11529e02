// Memory in pages of 2 MB, for large tables that are touched here and there: with pages of 4 KB most look-ups
// would also look for a page's address.
//
// Any thread. A page is there as a whole with its first byte that is touched, so this is for memory that will
// be used up; where the system has no such pages nothing happens.
//
//   void* memory = ::operator new(size, std::align_val_t{kHugePage});
//   preferHugePages(memory, size);
#pragma once

#include <cstddef>

namespace flott {

inline constexpr size_t kHugePage = size_t{2} << 20;

/// `memory` begins a page of that size, and has `bytes`, some such pages.
void preferHugePages(void* memory, size_t bytes) noexcept;

}  // namespace flott
