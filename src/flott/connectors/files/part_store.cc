#include "flott/connectors/files/part_store.h"

#include <algorithm>
#include <utility>

#include "flott/connectors/files/part_file.h"
#include "flott/env/env.h"

namespace flott {
namespace {

class FolderParts final : public PartStore {
 public:
  FolderParts(Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  std::unique_ptr<FileWriter> create(const std::string& path) override {
    files_.makeFolders(folderOf(path));
    return files_.create(path, WriteMode::kCreate);
  }
  std::unique_ptr<FileReader> open(const std::string& path) override { return files_.open(path); }
  std::optional<uint64_t> size(const std::string& path) override {
    const std::optional<FileInfo> info = files_.stat(path);
    return info ? std::optional(info->size) : std::nullopt;
  }
  std::vector<std::string> list() override {
    std::vector<std::string> paths;
    if (!files_.stat(path_)) return paths;
    for (FileInfo& file : files_.listFiles(path_)) paths.push_back(std::move(file.path));
    return paths;
  }
  void rename(const std::string& from, const std::string& to) override { files_.rename(from, to); }
  void remove(const std::string& path) override { files_.remove(path); }
  void syncFolder(const std::string& folder) override {
    if (files_.stat(folder)) files_.syncFolder(folder);
  }

 private:
  Files& files_;
  const std::string path_;
};

class ObjectPartWriter final : public FileWriter {
 public:
  explicit ObjectPartWriter(std::unique_ptr<ObjectWriter> object) : object_(std::move(object)) {}
  void write(std::string_view bytes) override {
    object_->write(bytes);
    size_ += bytes.size();
  }
  void flush() override {}
  void sync() override {}
  void close() override { object_->close(); }
  uint64_t size() const override { return size_; }

 private:
  const std::unique_ptr<ObjectWriter> object_;
  uint64_t size_ = 0;
};

class ObjectPartReader final : public FileReader {
 public:
  ObjectPartReader(std::shared_ptr<ObjectStore> store, std::string uri, uint64_t size)
      : store_(std::move(store)), uri_(std::move(uri)), size_(size) {}
  size_t read(uint64_t offset, std::span<char> into) override {
    const std::string bytes = store_->read(uri_, offset, into.size());
    std::copy(bytes.begin(), bytes.end(), into.begin());
    return bytes.size();
  }
  uint64_t size() const override { return size_; }

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::string uri_;
  const uint64_t size_;
};

class ObjectParts final : public PartStore {
 public:
  ObjectParts(std::shared_ptr<ObjectStore> store, std::string uri)
      : store_(std::move(store)), uri_(std::move(uri)) {}

  std::unique_ptr<FileWriter> create(const std::string& uri) override {
    return std::make_unique<ObjectPartWriter>(store_->create(uri));
  }
  std::unique_ptr<FileReader> open(const std::string& uri) override {
    return std::make_unique<ObjectPartReader>(store_, uri, store_->size(uri).value_or(0));
  }
  std::optional<uint64_t> size(const std::string& uri) override { return store_->size(uri); }
  std::vector<std::string> list() override {
    std::vector<std::string> uris;
    for (ObjectInfo& object : store_->list(uri_)) uris.push_back(std::move(object.uri));
    return uris;
  }
  void rename(const std::string& from, const std::string& to) override {
    store_->copy(from, to);
    store_->remove(from);
  }
  void remove(const std::string& uri) override { store_->remove(uri); }
  void syncFolder(const std::string&) override {}

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::string uri_;
};

}  // namespace

bool isInStore(const std::string& path) { return !schemeOf(path).empty(); }

std::shared_ptr<PartStore> partStoreFor(Env& env, const Configuration& configuration,
                                        const std::string& path) {
  if (!isInStore(path)) return std::make_shared<FolderParts>(env.files, path);
  return std::make_shared<ObjectParts>(env.stores.open(path, storeOptions(configuration)), path);
}

}  // namespace flott
