#include "flott/state/checkpoint_storage.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/hash.h"

namespace flott {
namespace {

constexpr std::string_view kMetadataFile = "_metadata";

std::string readRange(Files& files, const std::string& path, uint64_t offset, uint64_t length) {
  const std::unique_ptr<FileReader> reader = files.open(path);
  // Before memory is taken for it: the length may be that of another file.
  if (const uint64_t size = reader->size(); size < offset || size - offset < length) {
    throw Error(ErrorKind::kCorruption, "file '" + path + "' of a checkpoint is cut off: it has " +
                                            std::to_string(size) + " bytes instead of at least " +
                                            std::to_string(offset + length));
  }
  std::string bytes(length, '\0');
  for (uint64_t at = 0; at < length;) {
    const size_t n = reader->read(offset + at, {bytes.data() + at, length - at});
    if (n == 0) throw Error(ErrorKind::kCorruption, "file '" + path + "' of a checkpoint ends early");
    at += n;
  }
  return bytes;
}

}  // namespace

std::string localPath(const std::string& uri) {
  const size_t colon = uri.find(':');
  if (colon == std::string::npos || uri.find('/') < colon) return uri;
  if (uri.substr(0, colon) != "file") {
    throw Error(ErrorKind::kUser, "'" + uri + "' has the scheme '" + uri.substr(0, colon) +
                                      "', but checkpoints are kept in local files: give a path or file:///…");
  }
  std::string path = uri.substr(colon + 1);
  if (path.starts_with("//")) path = path.substr(2);
  return path;
}

CheckpointStorage::CheckpointStorage(Files& files, CheckpointStorageOptions options)
    : files_(files), options_(std::move(options)) {}

std::string CheckpointStorage::folderOf(CheckpointId checkpoint) const {
  if (options_.folder.empty()) return {};
  return options_.folder + "/chk-" + std::to_string(checkpoint.value);
}

std::vector<StateHandle> CheckpointStorage::write(CheckpointId checkpoint, const std::string& name,
                                                  std::vector<std::string> sections) {
  uint64_t total = 0;
  for (const std::string& section : sections) total += section.size();
  const bool inlined = options_.folder.empty() || total <= options_.inlineThreshold;
  std::unique_ptr<FileWriter> writer;
  if (!inlined) {
    files_.makeFolders(folderOf(checkpoint));
    writer = files_.create(folderOf(checkpoint) + "/" + name, WriteMode::kCreate);
  }
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
    writer->write(section);
    section = std::string();
  }
  if (writer != nullptr) {
    writer->sync();
    writer->close();
  }
  return handles;
}

std::string CheckpointStorage::read(const std::string& folder, const StateHandle& handle) {
  if (handle.file.empty()) return handle.inlined;
  const std::string path = folder + "/" + handle.file;
  std::string bytes = readRange(files_, path, handle.offset, handle.length);
  if (hashBytes(bytes) != handle.checksum) {
    throw Error(ErrorKind::kCorruption,
                "file '" + path + "' of a checkpoint is damaged: the " + std::to_string(handle.length) +
                    " bytes from " + std::to_string(handle.offset) +
                    " on do not match their checksum. Restore from another checkpoint");
  }
  return bytes;
}

void CheckpointStorage::complete(CheckpointMetadata& metadata) {
  if (options_.folder.empty()) return;
  metadata.folder = folderOf(metadata.id);
  files_.makeFolders(metadata.folder);
  const std::string path = metadata.folder + "/" + std::string(kMetadataFile);
  const std::string unfinished = path + ".inprogress";
  const std::unique_ptr<FileWriter> writer = files_.create(unfinished, WriteMode::kCreate);
  writer->write(metadata.encode());
  writer->sync();
  writer->close();
  files_.rename(unfinished, path);
}

// The metadata goes first: what is left of a discarded checkpoint must not look like a complete one.
void CheckpointStorage::discard(CheckpointId checkpoint) {
  const std::string folder = folderOf(checkpoint);
  if (folder.empty() || !files_.stat(folder)) return;
  files_.remove(folder + "/" + std::string(kMetadataFile));
  for (const FileInfo& file : files_.listFolder(folder)) files_.remove(file.path);
  files_.remove(folder);
}

CheckpointMetadata CheckpointStorage::readMetadata(Files& files, const std::string& uri) {
  std::string path = localPath(uri);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::optional<FileInfo> info = files.stat(path);
  if (info && info->isFolder) {
    path += "/" + std::string(kMetadataFile);
    info = files.stat(path);
  }
  if (!info) {
    throw Error(ErrorKind::kUser,
                "no checkpoint at '" + uri + "': there is no file '" + path +
                    "'. Give the folder of a completed checkpoint, one with a _metadata file in it");
  }
  try {
    CheckpointMetadata metadata = CheckpointMetadata::decode(readRange(files, path, 0, info->size));
    metadata.folder = path.substr(0, path.find_last_of('/'));
    return metadata;
  } catch (Error& error) {
    throw std::move(error).at("file '" + path + "'");
  }
}

}  // namespace flott
