#include "flott/data/describe.h"

namespace flott::reflect {

std::string unitName(intmax_t numerator, intmax_t denominator, bool floating) {
  struct Unit {
    intmax_t numerator;
    intmax_t denominator;
    const char* name;
  };
  static constexpr Unit kUnits[] = {
      {1, 1'000'000'000, "ns"}, {1, 1'000'000, "us"}, {1, 1000, "ms"}, {1, 1, "s"},
      {60, 1, "min"},           {3600, 1, "h"},       {86400, 1, "d"}};
  std::string name = std::to_string(numerator) + "/" + std::to_string(denominator) + " s";
  for (const Unit& unit : kUnits) {
    if (unit.numerator == numerator && unit.denominator == denominator) name = unit.name;
  }
  return floating ? name + ", double" : name;
}

}  // namespace flott::reflect
