// How a hot loop holds what it calls for each element.
//
// A loop that writes to memory cannot keep a function object that lies elsewhere in registers: for all the
// compiler knows each write may change it. So loops work with copies, where copying costs nothing.
//
//   InLoop<F> keyAt = given;
//   for (size_t i = 0; i < n; ++i) out[i] = keyAt(i);
#pragma once

#include <type_traits>

namespace flott {

/// A copy of a small, plain F; else a reference.
template <typename F>
using InLoop =
    std::conditional_t<std::is_trivially_copyable_v<F> && sizeof(F) <= 4 * sizeof(void*), const F, const F&>;

}  // namespace flott
