#include "flott/state/checkpoint_storage.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/hash.h"

namespace flott {
namespace {

constexpr std::string_view kMetadataFile = "_metadata";
constexpr std::string_view kCheckpointFolder = "chk-";

void checkSize(ObjectStore& store, const std::string& path, uint64_t offset, uint64_t length) {
  const std::optional<uint64_t> size = store.size(path);
  if (!size) {
    throw Error(ErrorKind::kCorruption,
                "file '" + path + "' of a checkpoint is missing. Restore from another checkpoint");
  }
  if (*size < offset || *size - offset < length) {
    throw Error(ErrorKind::kCorruption, "file '" + path + "' of a checkpoint is cut off: it has " +
                                            std::to_string(*size) + " bytes instead of at least " +
                                            std::to_string(offset + length));
  }
}

std::string readRange(ObjectStore& store, const std::string& path, uint64_t offset, uint64_t length) {
  // Before memory is taken for it: the length may be that of another file.
  checkSize(store, path, offset, length);
  std::string bytes = store.read(path, offset, length);
  if (bytes.size() != length)
    throw Error(ErrorKind::kCorruption, "file '" + path + "' of a checkpoint ends early");
  return bytes;
}

// 7 of "<folder>/chk-7/task-0-1".
std::optional<uint64_t> checkpointOf(const std::string& path, const std::string& folder) {
  const size_t from = folder.size() + 1 + kCheckpointFolder.size();
  if (path.size() <= from || path.substr(folder.size() + 1, kCheckpointFolder.size()) != kCheckpointFolder)
    return std::nullopt;
  uint64_t id = 0;
  const auto [end, problem] = std::from_chars(path.data() + from, path.data() + path.size(), id);
  const bool good = problem == std::errc() && end != path.data() + path.size() && *end == '/';
  return good ? std::optional<uint64_t>(id) : std::nullopt;
}

}  // namespace

std::string locatedFolder(const std::string& uri) {
  std::string path = uri;
  const std::string_view scheme = schemeOf(uri);
  if (scheme == "file") {
    path = uri.substr(scheme.size() + 1);
    if (path.starts_with("//")) path = path.substr(2);
  } else if (!scheme.empty()) {
    checkScheme(uri);
  }
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

CheckpointStorage::CheckpointStorage(Files& files, CheckpointStorageOptions options, ObjectStores* stores)
    : local_(files), stores_(stores), options_(std::move(options)) {
  FLOTT_CHECK(stores_ != nullptr || schemeOf(options_.folder).empty(), options_.folder + " is not local");
}

ObjectStore& CheckpointStorage::storeOf(const std::string& path, std::shared_ptr<ObjectStore>& keeper) {
  if (schemeOf(path).empty()) return local_;
  FLOTT_CHECK(stores_ != nullptr, path + " is not local");
  keeper = stores_->open(path, options_.stores);
  return *keeper;
}

std::string CheckpointStorage::folderOf(CheckpointId checkpoint) const {
  if (options_.folder.empty()) return {};
  return options_.folder + "/" + std::string(kCheckpointFolder) + std::to_string(checkpoint.value);
}

std::vector<StateHandle> CheckpointStorage::write(CheckpointId checkpoint, const std::string& name,
                                                  std::vector<std::string> sections) {
  return writeTo(folderOf(checkpoint), name, std::move(sections));
}

std::vector<StateHandle> CheckpointStorage::writeTo(const std::string& folder, const std::string& name,
                                                    std::vector<std::string> sections) {
  uint64_t total = 0;
  for (const std::string& section : sections) total += section.size();
  const bool inlined = folder.empty() || total <= options_.inlineThreshold;
  std::vector<StateHandle> handles;
  uint64_t offset = 0;
  for (std::string& section : sections) {
    StateHandle& handle = handles.emplace_back();
    handle.length = section.size();
    if (section.empty()) continue;
    handle.checksum = hashBytes(section);
    if (inlined) {
      handle.inlined = std::move(section);
      continue;
    }
    handle.file = name;
    handle.offset = offset;
    offset += section.size();
  }
  std::shared_ptr<ObjectStore> keeper;
  if (!inlined) storeOf(folder, keeper).put(folder + "/" + name, sections);
  if (!inlined && copies_ != nullptr) copies_->put(folder + "/" + name, sections);
  return handles;
}

std::string CheckpointStorage::read(const std::string& folder, const StateHandle& handle) {
  if (handle.file.empty()) return handle.inlined;
  const std::string path = folder + "/" + handle.file;
  if (std::optional<std::string> copy = copies_ != nullptr ? copies_->read(path, handle) : std::nullopt) {
    count(handle.length, true);
    return *std::move(copy);
  }
  std::shared_ptr<ObjectStore> keeper;
  std::string bytes = readRange(storeOf(path, keeper), path, handle.offset, handle.length);
  if (hashBytes(bytes) != handle.checksum) failChecksum(folder, handle);
  count(handle.length, false);
  return bytes;
}

std::string CheckpointStorage::readPart(const std::string& folder, const StateHandle& handle, uint64_t offset,
                                        uint64_t length) {
  if (handle.file.empty()) return handle.inlined.substr(offset, length);
  const std::string path = folder + "/" + handle.file;
  std::optional<std::string> copy =
      copies_ != nullptr ? copies_->readPart(path, handle, offset, length) : std::nullopt;
  count(length, copy.has_value());
  if (copy) return *std::move(copy);
  std::shared_ptr<ObjectStore> keeper;
  return readRange(storeOf(path, keeper), path, handle.offset + offset, length);
}

void CheckpointStorage::failChecksum(const std::string& folder, const StateHandle& handle) {
  throw Error(ErrorKind::kCorruption,
              "file '" + folder + "/" + handle.file + "' of a checkpoint is damaged: the " +
                  std::to_string(handle.length) + " bytes from " + std::to_string(handle.offset) +
                  " on do not match their checksum. Restore from another checkpoint");
}

void CheckpointStorage::checkThere(const std::string& folder, const StateHandle& handle) {
  if (handle.file.empty()) return;
  const std::string path = folder + "/" + handle.file;
  std::shared_ptr<ObjectStore> keeper;
  checkSize(storeOf(path, keeper), path, handle.offset, handle.length);
}

StateFileWriter CheckpointStorage::createFile(const std::string& folder, const std::string& name) {
  std::shared_ptr<ObjectStore> keeper;
  ObjectStore& store = storeOf(folder, keeper);
  std::unique_ptr<ObjectWriter> object = store.create(folder + "/" + name);
  std::unique_ptr<ObjectWriter> copy = copies_ != nullptr ? copies_->create(folder + "/" + name) : nullptr;
  return {std::move(keeper), std::move(object), std::move(copy), name};
}

void StateFileWriter::write(std::string_view bytes) {
  object_->write(bytes);
  if (copy_ != nullptr) copy_->write(bytes);
  hash_.add(bytes);
  handle_.length += bytes.size();
}

StateHandle StateFileWriter::finish() {
  object_->close();
  if (copy_ != nullptr) copy_->close();
  handle_.checksum = hash_.value();
  return std::move(handle_);
}

// Somebody may have removed or cut off what a task wrote a moment ago.
void CheckpointStorage::checkFiles(const CheckpointMetadata& metadata) {
  std::map<std::string, uint64_t> needed;  // by path, how many bytes at least
  const auto need = [&](const StateHandle& handle) {
    if (handle.file.empty()) return;
    uint64_t& size = needed[metadata.folder + "/" + handle.file];
    size = std::max(size, handle.offset + handle.length);
  };
  for (const OperatorSnapshot& op : metadata.operators) {
    for (const SubtaskSnapshot& subtask : op.subtasks) {
      need(subtask.keyed);
      need(subtask.operatorState);
      need(subtask.cold.image);
    }
  }
  for (const ChannelSnapshot& channel : metadata.channels) need(channel.elements);
  if (needed.empty()) return;
  std::shared_ptr<ObjectStore> keeper;
  std::map<std::string, uint64_t> there;
  for (const ObjectInfo& file : storeOf(metadata.folder, keeper).list(metadata.folder)) {
    there[file.uri] = file.size;
  }
  for (const auto& [path, size] : needed) {
    const auto found = there.find(path);
    if (found != there.end() && found->second >= size) continue;
    throw Error(ErrorKind::kTransient,
                "file '" + path + "' was written, but now " +
                    (found == there.end() ? "it is not there"
                                          : "has only " + std::to_string(found->second) + " of " +
                                                std::to_string(size) + " bytes") +
                    ". See who else works in this folder");
  }
}

void CheckpointStorage::complete(CheckpointMetadata& metadata) {
  if (metadata.folder.empty()) metadata.folder = folderOf(metadata.id);
  if (metadata.folder.empty()) return;
  checkFiles(metadata);
  if (const std::string problem = problemOfShared(metadata); !problem.empty())
    throw Error(ErrorKind::kTransient, problem + ", which was written. See who else works in this folder");
  std::shared_ptr<ObjectStore> keeper;
  const std::string bytes = metadata.encode();
  storeOf(metadata.folder, keeper).put(metadata.folder + "/" + std::string(kMetadataFile), {&bytes, 1});
}

void CheckpointStorage::discard(CheckpointId checkpoint) {
  if (!options_.folder.empty()) discard(folderOf(checkpoint));
}

// The metadata goes first: what is left of a discarded checkpoint must not look like a complete one.
void CheckpointStorage::discard(const std::string& folderOfCheckpoint) {
  std::shared_ptr<ObjectStore> keeper;
  ObjectStore& store = storeOf(folderOfCheckpoint, keeper);
  store.remove(folderOfCheckpoint + "/" + std::string(kMetadataFile));
  store.removeFolder(folderOfCheckpoint);
}

CheckpointId CheckpointStorage::sweep(const std::string& folder, const CheckpointSweep& what) {
  std::shared_ptr<ObjectStore> keeper;
  std::map<uint64_t, bool> found;  // complete?
  for (const ObjectInfo& file : storeOf(folder, keeper).list(folder)) {
    const std::optional<uint64_t> id = checkpointOf(file.uri, folder);
    if (id) found[*id] |= file.uri.ends_with("/" + std::string(kMetadataFile));
  }
  std::set<uint64_t> complete;
  for (const auto& [id, isComplete] : found) {
    const bool stays =
        id > what.upTo || what.keep.contains(CheckpointId(id)) || (isComplete && id <= what.ownAfter);
    if (!stays) discard(folder + "/" + std::string(kCheckpointFolder) + std::to_string(id));
    if (stays && isComplete) complete.insert(id);
  }
  const uint64_t highest = found.empty() ? 0 : found.rbegin()->first;
  return CheckpointId(std::max(highest, sweepShared(folder, what, complete)));
}

void CheckpointStorage::removeIfEmpty() {
  std::shared_ptr<ObjectStore> keeper;
  ObjectStore& store = storeOf(options_.folder, keeper);
  if (store.list(options_.folder).empty()) store.removeFolder(options_.folder);
}

CheckpointMetadata CheckpointStorage::readMetadata(const std::string& uri) {
  std::string path = locatedFolder(uri);
  std::shared_ptr<ObjectStore> keeper;
  ObjectStore& store = storeOf(path, keeper);
  std::optional<uint64_t> size = store.size(path);
  if (!size) {
    const std::string inside = path + "/" + std::string(kMetadataFile);
    size = store.size(inside);
    if (!size) {
      throw Error(
          ErrorKind::kUser,
          "no checkpoint at '" + uri + "': there is no file '" + inside +
              "'. Give the folder of a completed checkpoint or savepoint, one with a _metadata file in it");
    }
    path = inside;
  }
  try {
    CheckpointMetadata metadata = CheckpointMetadata::decode(readRange(store, path, 0, *size));
    metadata.folder = path.substr(0, path.find_last_of('/'));
    return metadata;
  } catch (Error& error) {
    throw std::move(error).at("file '" + path + "'");
  }
}

}  // namespace flott
