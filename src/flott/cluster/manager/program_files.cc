#include "flott/cluster/manager/program_files.h"

#include <sstream>

#include "flott/base/error.h"
#include "flott/env/executables.h"

namespace flott {
namespace {

constexpr Duration kForLoader = Duration::seconds(20);
constexpr const char* kSystemFolders[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};

bool isOfSystem(const std::string& path) {
  for (const char* folder : kSystemFolders)
    if (path.starts_with(folder)) return true;
  return false;
}

std::string nameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

LocalFile describe(Files& files, const std::string& path) {
  return {path, {nameOf(path), hashOfFile(files, path), files.stat(path)->size}};
}

}  // namespace

std::vector<std::string> ownLibraries(const std::string& program, const std::string& loaderOutput) {
  std::vector<std::string> paths;
  std::istringstream lines(loaderOutput);
  for (std::string line; std::getline(lines, line);) {
    const size_t arrow = line.find(" => ");
    if (arrow == std::string::npos) continue;  // the loader itself, and what the kernel has in memory
    const std::string name =
        line.substr(line.find_first_not_of(" \t"), arrow - line.find_first_not_of(" \t"));
    const std::string place = line.substr(arrow + 4);
    if (place.starts_with("not found")) {
      throw Error(ErrorKind::kUser, "program '" + program + "' needs the library " + name +
                                        ", which is not found: install it, or name its folder in "
                                        "LD_LIBRARY_PATH");
    }
    const std::string path = place.substr(0, place.rfind(" ("));
    if (!isOfSystem(path)) paths.push_back(path);
  }
  return paths;
}

std::vector<LocalFile> filesOfProgram(const Env& env, Processes& processes, const std::string& program) {
  const std::optional<FileInfo> info = env.files.stat(program);
  if (!info || info->isFolder) {
    throw Error(ErrorKind::kUser, "program '" + program + "' cannot be run: " +
                                      (info ? "it is a folder" : "there is no such file"));
  }
  const ProgramHeader header = readProgramHeader(program);
  if (header.kind == ProgramHeader::Kind::kNone) {
    throw Error(ErrorKind::kUser,
                "program '" + program + "' cannot be run: it is no program that this system can start");
  }
  if (!header.forThisMachine) {
    throw Error(ErrorKind::kUser, "program '" + program + "' cannot be run: it is built for " +
                                      header.machine + ", and this machine is " + thisMachine());
  }
  std::vector<LocalFile> all = {describe(env.files, program)};
  if (!header.loadsLibraries) return all;
  const std::string list = env.system.environment("TMPDIR").value_or("/tmp") + "/flott-libraries-" +
                           std::to_string(env.random.fork("libraries").next());
  ProcessSpec spec{.program = program};
  spec.environment = {{"LD_TRACE_LOADED_OBJECTS", "1"}, {"LD_WARN", ""}, {"LD_BIND_NOW", ""}};
  spec.output = ProcessSpec::Output::kToFile;
  spec.outputFile = list;
  const std::unique_ptr<ChildProcess> loader = processes.start(spec);
  loader->wait(kForLoader);
  std::string output;
  {
    const auto reader = env.files.open(list);
    output.resize(reader->size());
    output.resize(reader->read(0, output));
  }
  env.files.remove(list);
  for (const std::string& path : ownLibraries(program, output)) all.push_back(describe(env.files, path));
  return all;
}

}  // namespace flott
