// What a program consists of that is to run elsewhere: the file itself, and the libraries that it loads and
// no Debian package has put there.
//
// Libraries under /lib and /usr/lib are the system's: every machine of a cluster has them. The system's
// loader is asked which ones a program takes, so what differs by LD_LIBRARY_PATH differs here. Blocks.
//
//   for (const LocalFile& file : filesOfProgram(env, processes, "./count")) upload(file);
#pragma once

#include <string>
#include <vector>

#include "flott/cluster/manager/program_store.h"
#include "flott/env/env.h"
#include "flott/env/processes.h"

namespace flott {

struct LocalFile {
  std::string path;
  ProgramFile file;
};

/// The program first. Throws Error(kUser) for what is no program, for one of another machine, and when a
/// library is not found.
std::vector<LocalFile> filesOfProgram(const Env& env, Processes& processes, const std::string& program);

/// What the loader says about the libraries of a program: paths of those that are not the system's. Throws
/// Error(kUser) that names one that is not found.
std::vector<std::string> ownLibraries(const std::string& program, const std::string& loaderOutput);

}  // namespace flott
