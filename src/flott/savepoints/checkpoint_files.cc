#include "flott/savepoints/checkpoint_files.h"

#include <algorithm>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/base/nearest.h"
#include "flott/state/cold/cold_restore.h"
#include "flott/state/keyed_section.h"
#include "flott/state/segment_catalog.h"
#include "flott/state/spill/spilled_run.h"

namespace flott {
namespace {

std::string folderOfPath(const std::string& path) {
  const std::string folder = locatedFolder(path);
  return schemeOf(folder).empty() ? std::string() : folder;
}

}  // namespace

std::string nameOf(const OperatorSnapshot& op) {
  return "operator '" + op.name + "' (" +
         (op.uid.empty() ? "id " + toString(op.id) : "uid '" + op.uid + "'") + ")";
}

OperatorId operatorIdOf(const std::string& uid) { return OperatorId(hashBytes(uid)); }

const OperatorSnapshot& findOperator(const CheckpointMetadata& checkpoint, const std::string& which) {
  std::vector<const OperatorSnapshot*> named;
  std::vector<std::string_view> known;
  std::string all;
  for (const OperatorSnapshot& op : checkpoint.operators) {
    if (toString(op.id) == which || (!op.uid.empty() && op.uid == which)) return op;
    if (op.name == which) named.push_back(&op);
    known.push_back(op.name);
    if (!op.uid.empty()) known.push_back(op.uid);
    (all += all.empty() ? "" : ", ") += "'" + (op.uid.empty() ? op.name : op.uid) + "'";
  }
  if (named.size() == 1) return *named[0];
  if (named.size() > 1) {
    std::string ids;
    for (const OperatorSnapshot* op : named)
      (ids += ids.empty() ? "" : ", ") += op->uid.empty() ? toString(op->id) : op->uid;
    throw Error(ErrorKind::kUser, std::to_string(named.size()) + " operators are named '" + which +
                                      "': give the uid or id of one: " + ids);
  }
  const std::string_view nearest = nearestOf(which, known);
  throw Error(ErrorKind::kUser, "the checkpoint has no operator '" + which + "'" +
                                    (nearest.empty() ? ": it has " + (all.empty() ? std::string("none") : all)
                                                     : ": did you mean '" + std::string(nearest) + "'?"));
}

CheckpointFiles::CheckpointFiles(const Env& env, const StringMap& stores, const std::string& path)
    : env_(env),
      storage_(env.files, {.folder = {}, .stores = stores}, &env.stores),
      local_(env.files),
      metadata_(storage_.readMetadata(path)) {
  const std::string folder = folderOfPath(path);
  if (!folder.empty()) remote_ = env.stores.open(folder, stores);
  for (OperatorSnapshot& op : metadata_.operators) {
    for (size_t i = 0; i < op.subtasks.size(); ++i) {
      if (op.subtasks[i].cold.image.empty()) continue;
      try {
        unpack(op, i, op.subtasks[i]);
      } catch (Error& error) {
        throw std::move(error).at(nameOf(op));
      }
    }
  }
}

void CheckpointFiles::unpack(const OperatorSnapshot& op, size_t index, SubtaskSnapshot& subtask) {
  const std::string folder = env_.system.environment("TMPDIR").value_or("/tmp");
  const std::string path =
      SpillPlace::in(env_, folder, 0, this).next() + "-" + std::to_string(unpacked_.size());
  env_.files.makeFolders(folder);
  const std::unique_ptr<FileWriter> writer = env_.files.create(path, WriteMode::kCreate);
  RunningHash hash;
  StateHandle handle{.inlined = {},
                     .file = "shared files of " + toString(op.id) + "-" + std::to_string(index)};
  const auto write = [&](std::string_view part) {
    writer->write(part);
    hash.add(part);
    handle.length += part.size();
  };
  if (subtask.sharesSegments()) {
    readSharedSection(storage_, metadata_.folder, subtask.cold, write);
  } else {
    const StoredColdState stored{.checkpoint = metadata_.id,
                                 .folder = metadata_.folder,
                                 .files = subtask.cold.files,
                                 .image = ColdImage::decode(read(subtask.cold.image)),
                                 .range = {}};
    const std::shared_ptr<ColdStore> store = openStored(
        storage_, {.folder = folder, .folderOption = "TMPDIR", .name = "flott-state", .memory = nullptr},
        stored);
    addColdPieces(read(subtask.keyed), stored.image, store, op.maxParallelism, write);
  }
  writer->close();
  unpacked_[handle.file] = env_.files.open(path);
  env_.files.remove(path);
  handle.checksum = hash.value();
  subtask.keyed = std::move(handle);
  subtask.cold = {};
}

FileReader* CheckpointFiles::unpacked(const StateHandle& handle) const {
  const auto found = unpacked_.find(handle.file);
  return found == unpacked_.end() ? nullptr : found->second.get();
}

std::string CheckpointFiles::placeOf(const StateHandle& handle) const {
  return "file '" + metadata_.folder + "/" + (handle.file.empty() ? "_metadata" : handle.file) + "'";
}

std::string CheckpointFiles::read(const StateHandle& handle) {
  if (unpacked(handle) != nullptr) return readPart(handle, 0, handle.length);
  return storage_.read(metadata_.folder, handle);
}

std::string CheckpointFiles::readPart(const StateHandle& handle, uint64_t offset, uint64_t length) {
  if (handle.file.empty()) return handle.inlined.substr(offset, length);
  if (FileReader* const file = unpacked(handle)) {
    std::string part(length, '\0');
    for (size_t at = 0, n = 1; at < length && n > 0; at += n)
      n = file->read(offset + at, {part.data() + at, length - at});
    return part;
  }
  ObjectStore& store = remote_ != nullptr ? *remote_ : local_;
  const std::string path = metadata_.folder + "/" + handle.file;
  std::string bytes;
  try {
    bytes = store.read(path, handle.offset + offset, length);
  } catch (const Error&) {
    if (store.size(path)) throw;
    throw Error(ErrorKind::kCorruption,
                "file '" + path + "' of a checkpoint is missing. Look at another checkpoint");
  }
  if (bytes.size() != length) {
    throw Error(ErrorKind::kCorruption, "file '" + path + "' of a checkpoint is cut off: it has " +
                                            std::to_string(store.size(path).value_or(0)) +
                                            " bytes instead of at least " +
                                            std::to_string(handle.offset + handle.length));
  }
  return bytes;
}

void CheckpointFiles::failChecksum(const StateHandle& handle) const {
  throw Error(ErrorKind::kCorruption, placeOf(handle) + " of a checkpoint is damaged: the " +
                                          std::to_string(handle.length) + " bytes from " +
                                          std::to_string(handle.offset) +
                                          " on do not match their checksum. Look at another checkpoint");
}

}  // namespace flott
