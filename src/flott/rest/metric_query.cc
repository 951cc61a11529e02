#include "flott/rest/metric_query.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "flott/rest/http_text.h"
#include "flott/rest/refusal.h"

namespace flott {

std::vector<std::string> listFrom(std::string_view text) {
  std::vector<std::string> list;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (end > 0) list.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

std::optional<std::vector<std::string>> chosenMetrics(const RestRequest& request) {
  const std::optional<std::string> ids = request.parameter("get");
  return ids ? std::optional(listFrom(*ids)) : std::nullopt;
}

std::vector<std::string> chosenAggregations(const RestRequest& request) {
  static constexpr const char* kModes[] = {"min", "max", "avg", "sum", "skew"};
  const std::optional<std::string> given = request.parameter("agg");
  if (!given) return {std::begin(kModes), std::end(kModes)};
  std::vector<std::string> modes;
  for (const std::string& mode : listFrom(*given)) {
    modes.push_back(lowerCase(mode));
    if (std::find(std::begin(kModes), std::end(kModes), modes.back()) == std::end(kModes))
      refuseUnreadable("query", "agg", mode);
  }
  return modes;
}

int subtaskNumber(std::string_view text) {
  int number = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() ? number : -1;
}

std::optional<std::set<int>> chosenSubtasks(const RestRequest& request) {
  constexpr int kMostSubtasks = 1 << 15;
  const std::optional<std::string> given = request.parameter("subtasks");
  if (!given) return std::nullopt;
  std::set<int> numbers;
  for (const std::string& part : listFrom(*given)) {
    const size_t dash = part.find('-', 1);
    const int first = subtaskNumber(std::string_view(part).substr(0, dash));
    const int last =
        dash == std::string::npos ? first : subtaskNumber(std::string_view(part).substr(dash + 1));
    if (first < 0 || last < first || last >= kMostSubtasks) refuseUnreadable("query", "subtasks", part);
    for (int number = first; number <= last; ++number) numbers.insert(number);
  }
  return numbers;
}

}  // namespace flott
