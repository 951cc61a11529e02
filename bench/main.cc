// flott_bench [--list] [--rounds N] [--scale X] [--only loop] [case…]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/cases/cases.h"

namespace flott::bench {
namespace {

constexpr const char* kUsage =
    "usage: flott_bench [options] [case…]      all cases without a name; one line of JSON for each\n"
    "  --list         names the cases\n"
    "  --rounds N     measured rounds of each side, after a warm-up (5)\n"
    "  --scale X      times the usual size of a round (1); 0.01 checks the results quickly\n"
    "  --only loop    leaves the engine out\n";

std::vector<Case> allCases() {
  return {wordcountCase(),
          keyedSumCase(),
          keyedSumCheckpointCase(),
          keyedSumRocksDbCase(),
          keyedSumRocksDbColdCase(),
          mapFilterCase(),
          tumblingCase(),
          slidingCase(),
          intervalJoinCase(),
          sessionCase(),
          countWindowCase(),
          openWindowsCase(),
          recoveryCase(),
          exchangeForwardCase(),
          exchangeHashCase(),
          networkKeyedSumCase(),
          networkForwardCase(),
          onTwoLanes(wordcountCase(), "wordcount-2-lanes"),
          onTwoLanes(keyedSumCase(), "keyed-sum-2-lanes"),
          onTwoLanes(tumblingCase(), "tumbling-2-lanes"),
          latencyCase(),
          latencyCheckpointCase()};
}

struct Arguments {
  Options options;
  std::vector<std::string> names;
  bool list = false;
  bool understood = true;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--list") {
      arguments.list = true;
    } else if (word == "--rounds" && std::atoi(value) > 0) {
      arguments.options.rounds = std::atoi(value);
      ++i;
    } else if (word == "--scale" && std::atof(value) > 0) {
      arguments.options.scale = std::atof(value);
      ++i;
    } else if (word == "--only" && std::strcmp(value, "loop") == 0) {
      arguments.options.onlyLoop = true;
      ++i;
    } else if (word.starts_with('-')) {
      arguments.understood = false;
    } else {
      arguments.names.push_back(word);
    }
  }
  return arguments;
}

/// In the order of the names; false when one is unknown.
bool select(const std::vector<Case>& all, const std::vector<std::string>& names, std::vector<Case>& chosen) {
  for (const std::string& name : names) {
    bool found = false;
    for (const Case& c : all) {
      if (c.name != name) continue;
      chosen.push_back(c);
      found = true;
    }
    if (!found) {
      std::fprintf(stderr, "flott_bench: no case '%s'; --list names them\n", name.c_str());
      return false;
    }
  }
  return true;
}

int run(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  if (!arguments.understood) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const std::vector<Case> all = allCases();
  if (arguments.list) {
    for (const Case& c : all)
      std::printf("%-20.*s %.*s\n", int(c.name.size()), c.name.data(), int(c.what.size()), c.what.data());
    return 0;
  }
  std::vector<Case> chosen;
  if (!select(all, arguments.names, chosen)) return 2;
  bool passed = true;
  for (const Case& c : chosen.empty() ? all : chosen) passed &= runCase(c, arguments.options);
  return passed ? 0 : 1;
}

}  // namespace

Case onTwoLanes(Case oneLane, std::string_view name) {
  oneLane.name = name;
  oneLane.kind = CaseKind::kTwoProcesses;
  oneLane.lanes = 2;
  return oneLane;
}

}  // namespace flott::bench

int main(int argc, char** argv) { return flott::bench::run(argc, argv); }
