#include "flott/base/nearest.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace flott {
namespace {

bool sameLetter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool isDottedPart(std::string_view part, std::string_view whole) {
  if (part.empty() || whole.size() <= part.size()) return false;
  return (whole.starts_with(part) && whole[part.size()] == '.') ||
         (whole.ends_with(part) && whole[whole.size() - part.size() - 1] == '.');
}

}  // namespace

size_t editDistance(std::string_view a, std::string_view b) {
  // Three rows of the table are enough: a swap looks two rows back.
  std::vector<size_t> beforeLast(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    beforeLast.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = sameLetter(a[i - 1], b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && sameLetter(a[i - 1], b[j - 2]) && sameLetter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], beforeLast[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string_view nearestOf(std::string_view word, std::span<const std::string_view> known) {
  const size_t limit = std::max<size_t>(2, word.size() / 3);
  std::string_view nearest;
  size_t nearestDistance = limit + 1;
  for (const std::string_view candidate : known) {
    const size_t distance = isDottedPart(word, candidate) ? limit : editDistance(word, candidate);
    if (distance >= nearestDistance) continue;
    nearest = candidate;
    nearestDistance = distance;
  }
  return nearest;
}

}  // namespace flott
