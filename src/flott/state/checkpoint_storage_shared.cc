// Files that checkpoints have in common: how they are written, read and found to be of no use.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {
namespace {

constexpr uint64_t kReadAtOnce = uint64_t{4} << 20;
constexpr std::string_view kSharedFolder = "/shared";
constexpr std::string_view kWrittenFor = "chk-";

std::string folderFor(CheckpointId checkpoint) {
  return std::string(kWrittenFor) + std::to_string(checkpoint.value);
}

std::string parentOf(const std::string& folder) { return folder.substr(0, folder.rfind('/')); }

// 7 of "chk-7/task-1-0-000012.sst".
std::optional<uint64_t> writerOf(std::string_view path) {
  if (!path.starts_with(kWrittenFor)) return std::nullopt;
  uint64_t id = 0;
  const char* const last = path.data() + path.size();
  const auto [end, problem] = std::from_chars(path.data() + kWrittenFor.size(), last, id);
  return problem == std::errc() && end != last && *end == '/' ? std::optional<uint64_t>(id) : std::nullopt;
}

std::string missing(const std::string& path) { return "file '" + path + "' of a checkpoint is missing"; }

std::string cutOff(const std::string& path, uint64_t size, uint64_t length) {
  return "file '" + path + "' of a checkpoint is cut off: it has " + std::to_string(size) +
         " bytes instead of " + std::to_string(length);
}

[[noreturn]] void failStored(const std::string& problem) {
  throw Error(ErrorKind::kCorruption, problem + ". Restore from another checkpoint");
}

/// Those of them that have become empty.
void removeEmpty(ObjectStore& store, const std::set<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (store.list(folder).empty()) store.removeFolder(folder);
  }
}

}  // namespace

std::string pathOf(const SharedFile& file) { return folderFor(file.writtenBy) + "/" + file.name; }

SharedFile SharedFileWriter::finish() {
  const StateHandle written = writer_.finish();
  file_.length = written.length;
  file_.checksum = written.checksum;
  return std::move(file_);
}

SharedFileWriter CheckpointStorage::createShared(CheckpointId checkpoint, const std::string& name,
                                                 const std::string& nameInStore) {
  SharedFile file{.writtenBy = checkpoint, .name = name, .nameInStore = nameInStore};
  StateFileWriter writer = createFile(options_.folder + std::string(kSharedFolder), pathOf(file));
  return {std::move(writer), std::move(file)};
}

void CheckpointStorage::readShared(const std::string& folder, const SharedFile& file,
                                   MoveFunction<void(std::string_view)> take) {
  const std::string path = parentOf(folder) + std::string(kSharedFolder) + "/" + pathOf(file);
  if (copies_ != nullptr && copies_->readAll(path, file.length, file.checksum, take))
    return count(file.length, true);
  std::shared_ptr<ObjectStore> keeper;
  ObjectStore& store = storeOf(path, keeper);
  const std::optional<uint64_t> size = store.size(path);
  if (!size) failStored(missing(path));
  if (*size < file.length) failStored(cutOff(path, *size, file.length));
  RunningHash hash;
  for (uint64_t at = 0; at < file.length;) {
    const std::string bytes = store.read(path, at, std::min(kReadAtOnce, file.length - at));
    if (bytes.empty()) failStored(cutOff(path, at, file.length));
    hash.add(bytes);
    take(bytes);
    at += bytes.size();
  }
  if (hash.value() != file.checksum)
    failStored("file '" + path + "' of a checkpoint is damaged: its bytes do not match their checksum");
  count(file.length, false);
}

std::string CheckpointStorage::problemOfShared(const CheckpointMetadata& metadata) {
  std::map<std::string, uint64_t> needed;  // length by path
  const std::string shared = parentOf(metadata.folder) + std::string(kSharedFolder);
  metadata.forEachShared([&](const SharedFile& file) { needed[shared + "/" + pathOf(file)] = file.length; });
  if (needed.empty()) return {};
  std::shared_ptr<ObjectStore> keeper;
  std::map<std::string, uint64_t> there;
  for (const ObjectInfo& file : storeOf(shared, keeper).list(shared)) there[file.uri] = file.size;
  for (const auto& [path, length] : needed) {
    const auto found = there.find(path);
    if (found == there.end()) return missing(path);
    if (found->second < length) return cutOff(path, found->second, length);
  }
  return {};
}

void CheckpointStorage::checkShared(const CheckpointMetadata& metadata) {
  if (const std::string problem = problemOfShared(metadata); !problem.empty()) failStored(problem);
}

bool CheckpointStorage::sharesWith(const std::string& folder) const {
  return !options_.folder.empty() && parentOf(folder) == options_.folder;
}

void CheckpointStorage::removeShared(const std::vector<SharedFile>& files) {
  if (files.empty()) return;
  std::shared_ptr<ObjectStore> keeper;
  ObjectStore& store = storeOf(options_.folder, keeper);
  const std::string shared = options_.folder + std::string(kSharedFolder) + "/";
  std::set<std::string> folders;
  for (const SharedFile& file : files) {
    store.remove(shared + pathOf(file));
    folders.insert(shared + folderFor(file.writtenBy));
  }
  removeEmpty(store, folders);
}

void CheckpointStorage::discardShared(CheckpointId checkpoint) {
  std::shared_ptr<ObjectStore> keeper;
  storeOf(options_.folder, keeper)
      .removeFolder(options_.folder + std::string(kSharedFolder) + "/" + folderFor(checkpoint));
}

/// The highest id of a checkpoint that has written some. Where the metadata of a complete one cannot be read
/// nobody knows what it needs, and all stays.
uint64_t CheckpointStorage::sweepShared(const std::string& folder, const CheckpointSweep& what,
                                        const std::set<uint64_t>& complete) {
  const std::string shared = folder + std::string(kSharedFolder);
  std::shared_ptr<ObjectStore> keeper;
  ObjectStore& store = storeOf(folder, keeper);
  const std::vector<ObjectInfo> there = store.list(shared);
  if (there.empty()) return 0;
  std::set<std::string> needed = what.keepShared;
  bool known = true;
  for (const uint64_t id : complete) {
    try {
      readMetadata(folder + "/" + folderFor(CheckpointId(id))).forEachShared([&](const SharedFile& file) {
        needed.insert(pathOf(file));
      });
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorruption && error.kind() != ErrorKind::kUser) throw;
      known = false;
    }
  }
  uint64_t highest = 0;
  std::set<std::string> folders;
  for (const ObjectInfo& file : there) {
    const std::string path = file.uri.substr(shared.size() + 1);
    const std::optional<uint64_t> writer = writerOf(path);
    if (!writer) continue;
    highest = std::max(highest, *writer);
    const bool stays = !known || *writer > what.upTo || needed.contains(path) ||
                       (what.keep.contains(CheckpointId(*writer)) && !complete.contains(*writer));
    if (stays) continue;
    store.remove(file.uri);
    folders.insert(parentOf(file.uri));
  }
  removeEmpty(store, folders);
  return highest;
}

}  // namespace flott
