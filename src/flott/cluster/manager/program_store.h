// Programs of users and the libraries that they bring along, by their content: what was uploaded once is not
// uploaded again, and a library that several programs use is there once.
//
//   <folder>/blobs/<hash>             a file
//   <folder>/programs/<id>/program    what it consists of, as JSON; written last
//   <folder>/programs/<id>/<name>     the program, ready to run
//   <folder>/programs/<id>/lib/…      its libraries
//
// The JobManager has one, and each TaskManager one of its own that it fills from there. All calls block; any
// thread.
//
//   store.addBlob(file.hash, uploaded);
//   const Program program = store.add({.name = "count", .files = {…}});
//   store.executable(program.id);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/time.h"
#include "flott/env/env.h"

namespace flott {

struct ProgramFile {
  std::string name;  // without folders
  std::string hash;  // hashOfFile()
  uint64_t bytes = 0;
  bool operator==(const ProgramFile&) const = default;
};

struct StoredProgram {
  std::string id = {};  // of what it consists of
  std::string name;     // of its first file
  Timestamp uploaded = {};
  /// The program, and behind it its libraries.
  std::vector<ProgramFile> files;
};

/// 32 hexadecimal digits for content and size; against accidents, not against forgery.
std::string hashOfFile(Files& files, const std::string& path);
bool isBlobHash(std::string_view text);
/// The id of a program of these files. Throws Error(kUser) for names and hashes that are none.
std::string programId(const std::vector<ProgramFile>& files);

class ProgramStore {
 public:
  /// Makes the folder. What `env` refers to outlives the store.
  ProgramStore(const Env& env, std::string folder);
  ~ProgramStore();

  bool hasBlob(const std::string& hash) const;
  /// Where it lies, or would.
  std::string blobPath(const std::string& hash) const;
  /// A place for a file on its way in.
  std::string uploadFolder() const { return folder_ + "/uploads"; }
  /// Moves the file there. Throws Error(kUser) when it has not this hash; it is removed then.
  void addBlob(const std::string& hash, const std::string& path);

  /// The hashes that it lacks for a program.
  std::vector<std::string> missing(const std::vector<ProgramFile>& files) const;
  /// Nothing is missing. Again: the one that is there.
  StoredProgram add(const std::vector<ProgramFile>& files);
  std::optional<StoredProgram> find(const std::string& id) const;
  /// Newest first.
  std::vector<StoredProgram> list() const;
  /// And the files that no other one needs. False: there is none.
  bool remove(const std::string& id);

  /// Of one that is there; with its libraries beside it.
  std::string executable(const StoredProgram& program) const;
  std::string libraryFolder(const StoredProgram& program) const;

 private:
  struct Lock;
  std::string folderOf(const std::string& id) const { return folder_ + "/programs/" + id; }

  const Env env_;
  const std::string folder_;
  const std::unique_ptr<Lock> lock_;  // of what is written
};

/// "{"id":…,"name":…,"files":[{"name","hash","bytes"},…]}" and back. Throws Error(kUser) that says what is
/// wrong.
std::string toJson(const StoredProgram& program);
std::vector<ProgramFile> programFilesOf(std::string_view json);

}  // namespace flott
