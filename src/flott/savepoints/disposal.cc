#include "flott/savepoints/disposal.h"

#include <set>

#include "flott/state/checkpoint_storage.h"

namespace flott {
namespace {

constexpr const char* kMetadata = "_metadata";

void add(std::set<std::string>& files, const StateHandle& handle) {
  if (handle.file.empty()) return;
  if (handle.file.find('/') != std::string::npos || handle.file.starts_with(".."))
    throw Error(ErrorKind::kCorruption,
                "the metadata names a file '" + handle.file + "' that is not in the savepoint's folder");
  files.insert(handle.file);
}

std::set<std::string> filesOf(const CheckpointMetadata& metadata) {
  std::set<std::string> files;
  for (const OperatorSnapshot& op : metadata.operators) {
    for (const SubtaskSnapshot& subtask : op.subtasks) {
      add(files, subtask.keyed);
      add(files, subtask.cold.image);
      add(files, subtask.operatorState);
    }
  }
  for (const ChannelSnapshot& channel : metadata.channels) add(files, channel.elements);
  return files;
}

}  // namespace

Disposal disposeSavepoint(const Env& env, const StringMap& stores, const std::string& path) {
  CheckpointStorage storage(env.files, {.folder = {}, .stores = stores}, &env.stores);
  const CheckpointMetadata metadata = storage.readMetadata(path);
  const std::string& folder = metadata.folder;
  if (metadata.kind != CheckpointKind::kSavepoint) {
    throw Error(
        ErrorKind::kUser,
        "'" + folder + "' is checkpoint " + std::to_string(metadata.id.value) + " of job '" +
            metadata.jobName +
            "' and not a savepoint: the job removes its checkpoints itself. Those that it was to leave "
            "behind are its folder, all together: delete that");
  }
  const std::set<std::string> files = filesOf(metadata);
  FolderStore local(env.files);
  const std::shared_ptr<ObjectStore> remote =
      schemeOf(folder).empty() ? nullptr : env.stores.open(folder, stores);
  ObjectStore& store = remote != nullptr ? *remote : local;
  Disposal disposal{.folder = folder, .files = 0, .bytes = 0, .left = {}};
  const auto remove = [&](const std::string& name) {
    const std::string file = folder + "/" + name;
    const std::optional<uint64_t> size = store.size(file);
    if (!size) return;
    store.remove(file);
    ++disposal.files;
    disposal.bytes += *size;
  };
  remove(kMetadata);
  for (const std::string& name : files) remove(name);
  for (const ObjectInfo& other : store.list(folder)) disposal.left.push_back(other.uri);
  if (disposal.left.empty()) store.removeFolder(folder);
  return disposal;
}

}  // namespace flott
