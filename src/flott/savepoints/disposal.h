// A savepoint that nobody needs any more is removed: `flott state rm`.
//
// Only files that its metadata names go, and the folder when nothing else is in it. The metadata goes first:
// what an interrupted removal leaves does not look like a savepoint. All calls block.
//
//   const Disposal gone = disposeSavepoint(env, {}, "s3://bucket/savepoints/savepoint-5f2c1a-0a1b2c3d4e5f");
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flott/env/env.h"

namespace flott {

struct Disposal {
  std::string folder;
  uint64_t files = 0;  // that were removed
  uint64_t bytes = 0;
  std::vector<std::string> left;  // in the folder, which is not the savepoint's
};

/// `path` is the folder of a savepoint, or its _metadata; also as a URI. `stores` are the storeOptions().
/// Throws Error(kUser) when there is none, or when it is a job's checkpoint.
Disposal disposeSavepoint(const Env& env, const StringMap& stores, const std::string& path);

}  // namespace flott
