// Scenarios and transcripts of windows: README.md says what is in the files. Tests run in the root folder of
// the project.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace flott::golden {

using Texts = std::vector<std::string>;

/// What came in, and what went out at it.
struct Step {
  std::string input;
  Texts output;
};

struct Scenario {
  std::string name;
  std::map<std::string, std::string> settings;
  std::vector<Step> steps;  // with what Flink put out
  std::optional<int64_t> dropped;

  std::string get(const std::string& setting) const {
    const auto found = settings.find(setting);
    return found == settings.end() ? "" : found->second;
  }
  bool has(const std::string& setting) const { return settings.count(setting) != 0; }
  bool windowsAre(const std::string& kind) const { return get("window").starts_with(kind); }
};

/// The words of a setting, taken one after the other.
class Words {
 public:
  explicit Words(const std::string& text) {
    std::istringstream in(text);
    for (std::string word; in >> word;) words_.push_back(word);
  }
  bool more() const { return at_ < words_.size(); }
  std::string next() {
    if (!more()) throw std::invalid_argument("a word is missing");
    return words_[at_++];
  }
  int64_t number() { return std::stoll(next()); }
  bool take(const std::string& word) {
    if (!more() || words_[at_] != word) return false;
    ++at_;
    return true;
  }

 private:
  Texts words_;
  size_t at_ = 0;
};

inline std::vector<Scenario> readScenarios(const std::string& family) {
  const std::string stem = "tests/golden/flink/" + family;
  std::vector<Scenario> scenarios;
  std::ifstream file(stem + ".scenarios");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("  ")) {
      scenarios.back().steps.push_back({line.substr(2), {}});
      continue;
    }
    const size_t colon = line.find(':');
    const std::string value = colon + 2 > line.size() ? "" : line.substr(colon + 2);
    if (line.starts_with("scenario:")) {
      scenarios.push_back({.name = value});
    } else {
      scenarios.back().settings[line.substr(0, colon)] = value;
    }
  }
  std::ifstream transcripts(stem + ".transcripts");
  size_t scenario = 0, step = 0;
  for (std::string line; std::getline(transcripts, line);) {
    if (line.empty()) continue;
    if (line.starts_with("scenario: ")) {
      if (scenario >= scenarios.size() || scenarios[scenario].name != line.substr(10))
        throw std::invalid_argument("the transcripts are of other scenarios: write them anew");
      ++scenario;
      step = 0;
    } else if (line.starts_with("dropped: ")) {
      scenarios[scenario - 1].dropped = std::stoll(line.substr(9));
    } else if (line.starts_with("  ")) {
      scenarios[scenario - 1].steps.at(step - 1).output.push_back(line.substr(2));
    } else if (scenarios[scenario - 1].steps.at(step++).input != line) {
      throw std::invalid_argument("the transcripts are of another input: write them anew");
    }
  }
  return scenarios;
}

/// Removes " @ TIME" from the end.
inline std::string withoutTime(const std::string& text) { return text.substr(0, text.rfind(" @ ")); }

/// "a: 3 1 2 in 0..10 @ 9" with the values in ascending order.
inline std::string withSortedValues(const std::string& text) {
  const size_t begin = text.find(": ");
  const size_t end = text.find(" in ");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return text;
  Words words(text.substr(begin + 2, end - begin - 2));
  std::vector<int64_t> values;
  while (words.more()) values.push_back(words.number());
  std::sort(values.begin(), values.end());
  std::string sorted = text.substr(0, begin + 1);
  for (const int64_t value : values) sorted += " " + std::to_string(value);
  return sorted + text.substr(end);
}

/// What of the output of a step is promised. Left open, here or there, are: the order of keys, and of the
/// windows that one record fires; the order of records in windows that merge (in Flink that of a hash set) or
/// that overlap (in Flott that of slices); and, on purpose, the timestamps of global windows.
/// docs/differences-from-flink.md has them.
inline Texts promised(const Scenario& scenario, Texts lines) {
  for (std::string& line : lines) {
    if (scenario.windowsAre("global") || scenario.windowsAre("count") || line.starts_with("late"))
      line = withoutTime(line);
    const bool list = scenario.get("function").empty() && !scenario.has("join");
    if (list && (scenario.windowsAre("session") || scenario.windowsAre("sliding")))
      line = withSortedValues(line);
  }
  if (scenario.has("join") || scenario.windowsAre("sliding")) {
    std::sort(lines.begin(), lines.end());
  } else {
    std::stable_sort(lines.begin(), lines.end(), [](const std::string& a, const std::string& b) {
      return a.substr(0, a.find(':')) < b.substr(0, b.find(':'));
    });
  }
  return lines;
}

/// A scenario with `differs: TEXT` is one where Flott does something else, as the page on differences says
/// with this text; the day that it does not, the page is wrong.
inline void expectKnownDifference(const Scenario& flott, const Scenario& flink) {
  bool differs = false;
  for (size_t i = 0; i < flink.steps.size(); ++i)
    differs |= promised(flott, flott.steps[i].output) != promised(flink, flink.steps[i].output);
  EXPECT_TRUE(differs) << "Flott does what Flink does";
  std::ifstream page("docs/differences-from-flink.md");
  const std::string text{std::istreambuf_iterator<char>(page), std::istreambuf_iterator<char>()};
  EXPECT_NE(text.find(flink.get("differs")), std::string::npos)
      << "docs/differences-from-flink.md does not say: " << flink.get("differs");
}

/// run(scenario) fills in a copy with what Flott puts out.
template <typename Run>
void compareWithFlink(const std::string& family, size_t atLeast, Run run) {
  const std::vector<Scenario> scenarios = readScenarios(family);
  ASSERT_GE(scenarios.size(), atLeast) << "run this in the root folder of the project";
  for (const Scenario& flink : scenarios) {
    SCOPED_TRACE("scenario: " + flink.name);
    Scenario flott = flink;
    for (Step& step : flott.steps) step.output.clear();
    flott.dropped.reset();
    try {
      run(flott);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
      continue;
    }
    if (flink.has("differs")) {
      expectKnownDifference(flott, flink);
      continue;
    }
    for (size_t i = 0; i < flink.steps.size(); ++i) {
      EXPECT_EQ(promised(flott, flott.steps[i].output), promised(flink, flink.steps[i].output))
          << "at: " << flink.steps[i].input;
    }
    if (flink.dropped) {
      EXPECT_EQ(flott.dropped, flink.dropped);
    }
  }
}

}  // namespace flott::golden
