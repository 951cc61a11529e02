#include "flott/rest/open_api.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "flott/rest/built_in.h"

namespace flott {
namespace {

struct Sections {
  std::string head;
  std::string paths;
  std::vector<std::pair<std::string, std::string>> components;  // "  schemas:\n" and what is in it
};

bool isKindOfComponent(std::string_view line) {
  return line.size() > 2 && line.starts_with("  ") && line[2] != ' ' && line[2] != '#';
}

Sections sectionsOf(std::string_view text) {
  enum class Place { kHead, kPaths, kComponents };
  Sections sections;
  Place place = Place::kHead;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (line.starts_with('#')) continue;
    if (line == "paths:\n") {
      place = Place::kPaths;
    } else if (line == "components:\n") {
      place = Place::kComponents;
    } else if (place == Place::kHead) {
      sections.head += line;
    } else if (place == Place::kPaths) {
      sections.paths += line;
    } else if (isKindOfComponent(line)) {
      sections.components.emplace_back(line, "");
    } else if (!sections.components.empty()) {
      sections.components.back().second += line;
    }
  }
  return sections;
}

}  // namespace

std::string joinedOpenApi(std::string_view base, std::string_view more) {
  Sections all = sectionsOf(base);
  Sections added = sectionsOf(more);
  for (auto& section : added.components) {
    const auto same = std::find_if(all.components.begin(), all.components.end(),
                                   [&](const auto& one) { return one.first == section.first; });
    if (same == all.components.end()) {
      all.components.push_back(std::move(section));
    } else {
      same->second += section.second;
    }
  }
  std::string joined = added.head + "paths:\n" + all.paths + added.paths + "components:\n";
  for (const auto& [kind, text] : all.components) joined += kind + text;
  return joined;
}

std::string openApiOfCluster() { return joinedOpenApi(openApi(), openApiOfClusterOnly()); }

}  // namespace flott
