#include "flott/base/memory_size.h"

#include <cctype>
#include <charconv>

#include "flott/base/error.h"

namespace flott {
namespace {

struct Unit {
  std::string_view names[3];
  int shift;
};
// Largest first, for printing the first name.
constexpr Unit kUnits[] = {{{"tb", "t", "tebibytes"}, 40},
                           {{"gb", "g", "gibibytes"}, 30},
                           {{"mb", "m", "mebibytes"}, 20},
                           {{"kb", "k", "kibibytes"}, 10},
                           {{"bytes", "b", ""}, 0}};

}  // namespace

std::string toString(MemorySize size) {
  for (const Unit& unit : kUnits) {
    const uint64_t number = size.bytes >> unit.shift;
    if (number != 0 && number << unit.shift == size.bytes)
      return std::to_string(number) + " " + std::string(unit.names[0]);
  }
  return "0 bytes";
}

MemorySize parseMemorySize(std::string_view text) {
  const auto fail = [&](const char* why) {
    return Error(ErrorKind::kUser,
                 "'" + std::string(text) + "' is not an amount of memory: " + why +
                     "; write a whole number and a unit, such as 512 bytes, 16 kb, 64 mb, 1 gb");
  };
  std::string lower;
  for (const char c : text) {
    if (!std::isspace(static_cast<unsigned char>(c)))
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  uint64_t number = 0;
  const char* const end = lower.data() + lower.size();
  const auto [rest, problem] = std::from_chars(lower.data(), end, number);
  if (problem == std::errc::result_out_of_range) throw fail("the number is too large");
  if (problem != std::errc()) throw fail("it does not begin with a number");
  const std::string_view name(rest, static_cast<size_t>(end - rest));
  for (const Unit& unit : kUnits) {
    for (const std::string_view known : unit.names) {
      if (known != name) continue;
      if (number > ~uint64_t{0} >> unit.shift) throw fail("the number is too large");
      return MemorySize(number << unit.shift);
    }
  }
  throw fail("the unit is unknown");
}

}  // namespace flott
