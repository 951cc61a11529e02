// What a program is started for when it is not by its user: the two sides of that talk, and their bytes.
//
// The program that asks starts it with a ProgramRole (env/processes.h). The program builds its job as always,
// and the first job that it starts is not run but answered with: its ProgramPlan. Both begin with a version,
// since the two may have been built at different times. Plain values; any thread.
//
//   spec.role = ProgramRole{.options = {{"parallelism.default", "4"}}}.encode();
//   const ProgramPlan plan = ProgramPlan::decode(child->answer(…));
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "flott/graph/graph_digest.h"

namespace flott {

struct ProgramRole {
  static constexpr uint32_t kVersion = 1;

  /// Options that hold where neither the program nor its arguments say otherwise.
  std::map<std::string, std::string> options;

  std::string encode() const;
  /// Throws Error(kUser) that names both versions for those of another one, Error(kCorruption) for other
  /// bytes.
  static ProgramRole decode(std::string_view bytes);
};

struct ProgramPlan {
  std::string jobName;
  std::string tree;  // for people
  std::string json;  // as Flink's
  GraphDigest digest;

  std::string encode() const;
  /// As ProgramRole's.
  static ProgramPlan decode(std::string_view bytes);
};

}  // namespace flott
