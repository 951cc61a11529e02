// The files with what programs have written: where they lie, how many are kept, what is at their end.
//
// Blocking calls on local files; any thread.
//
//   dropOldLogs(env.files, folder, 400);
//   how += lastWords(env.files, file, end);
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/env.h"
#include "flott/env/processes.h"

namespace flott {

/// Makes room for one more: of the files named job-… that nobody writes to the oldest go, until fewer than
/// `most` are left.
void dropOldLogs(Files& files, const std::string& folder, size_t most, const std::set<std::string>& inUse);
/// ":\n<the last lines>", or what the process has said of its crash; bounded, and empty when there is
/// nothing.
std::string lastWords(Files& files, const std::string& file, const ProcessEnd& end);
/// What a program is started with, so that it finds libraries in the folder before those of the system.
std::vector<std::pair<std::string, std::string>> libraryPath(const Env& env, const std::string& folder);

}  // namespace flott
