// An amount of memory, as configuration writes it: "64 mb".
//
//   const MemorySize cap = parseMemorySize("256 mb");
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace flott {

struct MemorySize {
  uint64_t bytes = 0;

  constexpr MemorySize() = default;
  constexpr explicit MemorySize(uint64_t n) : bytes(n) {}
  static constexpr MemorySize kb(uint64_t n) { return MemorySize(n << 10); }
  static constexpr MemorySize mb(uint64_t n) { return MemorySize(n << 20); }
  constexpr auto operator<=>(const MemorySize&) const = default;
};

/// "64 mb", "1 gb", "1000 bytes": the largest unit that divides it.
std::string toString(MemorySize size);
/// Flink's spelling: a whole number and bytes, kb, mb, gb, tb (powers of 1024; also k, kibibytes …), in any
/// case; bytes without a unit. Throws Error(kUser) that names the text.
MemorySize parseMemorySize(std::string_view text);

}  // namespace flott
