// Files that are programs: what makes them run, and what they need.
//
// Blocking calls on local files; any thread.
//
//   makeExecutable("/store/blobs/7f3a", "/store/programs/12/count");
#pragma once

#include <cstdint>
#include <string>

namespace flott {

/// What the beginning of a file says about the program in it.
struct ProgramHeader {
  enum class Kind : uint8_t {
    kNone,    // nothing that this system starts
    kScript,  // begins with #!
    kProgram  // an ELF file
  };
  Kind kind = Kind::kNone;
  bool forThisMachine = false;  // of this processor's architecture
  std::string machine = {};     // "x86-64", or a number
  bool loadsLibraries = false;  // when it is started
};
/// Throws Error(kUser) when it cannot be read.
ProgramHeader readProgramHeader(const std::string& path);
/// "x86-64": what programs have to be built for.
std::string thisMachine();

/// `to` becomes the file `from`, which does not change, as one that may be run: a second name of it if that
/// can be, else a copy. Replaces what is there. Throws Error.
void makeExecutable(const std::string& from, const std::string& to);

}  // namespace flott
