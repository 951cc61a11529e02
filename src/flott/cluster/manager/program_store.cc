#include "flott/cluster/manager/program_store.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "flott/base/error.h"
#include "flott/base/running_hash.h"
#include "flott/cluster/whole_files.h"
#include "flott/env/executables.h"

namespace flott {
namespace {

constexpr size_t kHexDigits = 16;
// Of the description of a program.
constexpr size_t kMostFiles = 1000;
constexpr size_t kMostNameBytes = 200;

std::string hex(uint64_t value) {
  std::string text(kHexDigits, '0');
  for (size_t i = kHexDigits; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

void removeFolder(Files& files, const std::string& folder) {
  if (!files.stat(folder)) return;
  for (const FileInfo& file : files.listFolder(folder)) {
    if (file.isFolder && !file.isLink)
      removeFolder(files, file.path);
    else
      files.remove(file.path);
  }
  files.remove(folder);
}

// In the folder of a program, where its own files have no such names.
constexpr const char* kDescription = "/.program";
constexpr const char* kLibraries = "/.lib";

Error wrong(const std::string& what) {
  return Error(ErrorKind::kUser, "a program is described by a name and its files, and " + what);
}

void checkNames(const std::vector<ProgramFile>& files) {
  if (files.empty() || files.size() > kMostFiles)
    throw wrong("has from 1 to " + std::to_string(kMostFiles) + " of these, not " +
                std::to_string(files.size()));
  std::set<std::string_view> names;
  for (const ProgramFile& file : files) {
    const bool odd = file.name.empty() || file.name.size() > kMostNameBytes || file.name.front() == '.' ||
                     file.name.find('/') != std::string::npos || file.name.find('\0') != std::string::npos;
    if (odd) throw wrong("'" + file.name + "' is no name for one");
    if (!names.insert(file.name).second) throw wrong("'" + file.name + "' is the name of two");
    if (!isBlobHash(file.hash)) throw wrong("'" + file.hash + "' is no hash of one");
  }
}

}  // namespace

struct ProgramStore::Lock {
  std::mutex mutex;
};

std::string hashOfFile(Files& files, const std::string& path) {
  const auto reader = files.open(path);
  std::vector<char> block(size_t{1} << 20);
  RunningHash hash;
  uint64_t at = 0;
  while (const size_t n = reader->read(at, block)) {
    hash.add({block.data(), n});
    at += n;
  }
  return hex(hash.value()) + hex(at);
}

bool isBlobHash(std::string_view text) {
  return text.size() == 2 * kHexDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string programId(const std::vector<ProgramFile>& files) {
  checkNames(files);
  RunningHash hash;
  for (const ProgramFile& file : files) hash.add(file.name + "\n" + file.hash + "\n");
  return hex(hash.value());
}

ProgramStore::ProgramStore(const Env& env, std::string folder)
    : env_(env), folder_(std::move(folder)), lock_(std::make_unique<Lock>()) {
  for (const char* part : {"/blobs", "/programs", "/uploads"}) env_.files.makeFolders(folder_ + part);
  for (const FileInfo& file : env_.files.listFolder(uploadFolder())) env_.files.remove(file.path);  // cut off
}

ProgramStore::~ProgramStore() = default;

std::string ProgramStore::blobPath(const std::string& hash) const { return folder_ + "/blobs/" + hash; }

bool ProgramStore::hasBlob(const std::string& hash) const {
  return isBlobHash(hash) && env_.files.stat(blobPath(hash)).has_value();
}

void ProgramStore::addBlob(const std::string& hash, const std::string& path) {
  const std::string found = hashOfFile(env_.files, path);
  if (found != hash) {
    env_.files.remove(path);
    throw Error(ErrorKind::kUser, "a file has come with the hash " + found + " in place of " + hash +
                                      ": it was cut off or changed on its way");
  }
  const std::lock_guard guard(lock_->mutex);
  env_.files.rename(path, blobPath(hash));
}

std::vector<std::string> ProgramStore::missing(const std::vector<ProgramFile>& files) const {
  std::vector<std::string> hashes;
  for (const ProgramFile& file : files) {
    if (!hasBlob(file.hash)) hashes.push_back(file.hash);
  }
  return hashes;
}

StoredProgram ProgramStore::add(const std::vector<ProgramFile>& files) {
  StoredProgram program{.id = programId(files), .name = files.front().name, .files = files};
  const std::lock_guard guard(lock_->mutex);
  if (auto there = find(program.id)) return *std::move(there);
  const ProgramHeader header = readProgramHeader(blobPath(files.front().hash));
  if (header.kind == ProgramHeader::Kind::kNone)
    throw Error(ErrorKind::kUser, "'" + program.name + "' is no program that this system can start");
  if (!header.forThisMachine) {
    throw Error(ErrorKind::kUser, "'" + program.name + "' is built for " + header.machine +
                                      ", and the machines of the cluster are " + thisMachine() +
                                      ": build it for these");
  }
  const std::string folder = folderOf(program.id);
  env_.files.makeFolders(folder + kLibraries);
  for (const ProgramFile& file : files) {
    const bool isProgram = &file == &files.front();
    makeExecutable(blobPath(file.hash), folder + (isProgram ? "" : kLibraries) + "/" + file.name);
  }
  program.uploaded = env_.clock.wallTime();
  const std::string description = folder + kDescription;
  const auto writer = env_.files.create(description + ".new", WriteMode::kCreate);
  writer->write(toJson(program));
  writer->sync();
  writer->close();
  env_.files.rename(description + ".new", description);
  return program;
}

std::optional<StoredProgram> ProgramStore::find(const std::string& id) const {
  if (id.size() != kHexDigits || id.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
  const std::string path = folderOf(id) + kDescription;
  const std::optional<FileInfo> info = env_.files.stat(path);
  if (!info) return {};
  try {
    std::vector<ProgramFile> files = programFilesOf(readFile(env_.files, path));
    StoredProgram program{.id = id, .name = files.front().name, .uploaded = info->modified, .files = {}};
    program.files = std::move(files);
    if (env_.files.stat(executable(program))) return program;
    env_.log.warn("programs", "program '" + program.name + "' is not there any more: upload it again");
  } catch (const Error& error) {
    env_.log.warn("programs", "file '" + path + "' is left out: " + error.what());
  }
  return {};
}

std::vector<StoredProgram> ProgramStore::list() const {
  std::vector<StoredProgram> all;
  for (const FileInfo& folder : env_.files.listFolder(folder_ + "/programs")) {
    if (auto program = find(folder.path.substr(folder.path.rfind('/') + 1)))
      all.push_back(*std::move(program));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.uploaded > b.uploaded; });
  return all;
}

bool ProgramStore::remove(const std::string& id) {
  const std::lock_guard guard(lock_->mutex);
  const std::optional<StoredProgram> program = find(id);
  if (!program) return false;
  env_.files.remove(folderOf(id) + kDescription);
  removeFolder(env_.files, folderOf(id));
  std::set<std::string> needed;
  for (const StoredProgram& other : list())
    for (const ProgramFile& file : other.files) needed.insert(file.hash);
  for (const ProgramFile& file : program->files) {
    if (!needed.contains(file.hash)) env_.files.remove(blobPath(file.hash));
  }
  return true;
}

std::string ProgramStore::executable(const StoredProgram& program) const {
  return folderOf(program.id) + "/" + program.name;
}

std::string ProgramStore::libraryFolder(const StoredProgram& program) const {
  return folderOf(program.id) + kLibraries;
}

std::string toJson(const StoredProgram& program) {
  nlohmann::ordered_json json = {
      {"id", program.id}, {"name", program.name}, {"files", nlohmann::json::array()}};
  for (const ProgramFile& file : program.files)
    json["files"].push_back({{"name", file.name}, {"hash", file.hash}, {"bytes", file.bytes}});
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<ProgramFile> programFilesOf(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    std::vector<ProgramFile> files;
    for (const nlohmann::json& file : json.at("files"))
      files.push_back({file.at("name").get<std::string>(), file.at("hash").get<std::string>(),
                       file.at("bytes").get<uint64_t>()});
    checkNames(files);
    return files;
  } catch (const nlohmann::json::exception& error) {
    throw wrong(std::string("this cannot be read: ") + error.what());
  }
}

}  // namespace flott
