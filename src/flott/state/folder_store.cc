#include "flott/state/folder_store.h"

#include <algorithm>

#include "flott/env/write_behind.h"

namespace flott {

namespace {

constexpr uint64_t kSyncedAtOnce = uint64_t{8} << 20;
constexpr uint64_t kCopyBlock = uint64_t{1} << 20;

class UnfinishedFile final : public ObjectWriter {
 public:
  UnfinishedFile(Files& files, const std::string& path)
      : files_(files),
        path_(path),
        unfinished_(path + ".inprogress"),
        writer_(files.create(unfinished_, WriteMode::kCreate)),
        behind_(dynamic_cast<WritesBehind*>(writer_.get())) {}
  // The disk works while the rest is made.
  void write(std::string_view bytes) override {
    writer_->write(bytes);
    sinceSync_ += bytes.size();
    if (behind_ == nullptr || sinceSync_ < kSyncedAtOnce) return;
    behind_->startSync();
    sinceSync_ = 0;
  }
  void close() override {
    writer_->sync();
    writer_->close();
    files_.rename(unfinished_, path_);
  }

 private:
  Files& files_;
  const std::string path_;
  const std::string unfinished_;
  const std::unique_ptr<FileWriter> writer_;
  WritesBehind* const behind_;  // null: it cannot
  uint64_t sinceSync_ = 0;
};

}  // namespace

std::unique_ptr<ObjectWriter> FolderStore::create(const std::string& path) {
  files_.makeFolders(path.substr(0, path.rfind('/')));
  return std::make_unique<UnfinishedFile>(files_, path);
}

void FolderStore::copy(const std::string& from, const std::string& to) {
  const std::unique_ptr<ObjectWriter> writer = create(to);
  for (uint64_t at = 0;; at += kCopyBlock) {
    const std::string block = read(from, at, kCopyBlock);
    writer->write(block);
    if (block.size() < kCopyBlock) break;
  }
  writer->close();
}

void FolderStore::put(const std::string& path, std::span<const std::string> parts) {
  const std::unique_ptr<ObjectWriter> writer = create(path);
  for (const std::string& part : parts) writer->write(part);
  writer->close();
}

std::optional<uint64_t> FolderStore::size(const std::string& path) {
  const std::optional<FileInfo> info = files_.stat(path);
  return info && !info->isFolder ? std::optional<uint64_t>(info->size) : std::nullopt;
}

std::string FolderStore::read(const std::string& path, uint64_t offset, uint64_t length) {
  const std::unique_ptr<FileReader> reader = files_.open(path);
  const uint64_t size = reader->size();
  if (offset >= size) return {};
  std::string bytes(std::min(length, size - offset), '\0');
  for (uint64_t at = 0; at < bytes.size();) {
    const size_t n = reader->read(offset + at, {bytes.data() + at, bytes.size() - at});
    if (n == 0) bytes.resize(at);
    at += n;
  }
  return bytes;
}

std::vector<ObjectInfo> FolderStore::list(const std::string& folder) {
  std::vector<ObjectInfo> found;
  const std::optional<FileInfo> info = files_.stat(folder);
  if (!info || !info->isFolder) return found;
  for (const FileInfo& file : files_.listFiles(folder)) found.push_back({file.path, file.size});
  return found;
}

void FolderStore::removeFolder(const std::string& folder) {
  const std::optional<FileInfo> info = files_.stat(folder);
  if (!info || !info->isFolder) return;
  for (const FileInfo& inside : files_.listFolder(folder)) {
    if (inside.isFolder && !inside.isLink) {
      removeFolder(inside.path);
    } else {
      files_.remove(inside.path);
    }
  }
  files_.remove(folder);
}

}  // namespace flott
