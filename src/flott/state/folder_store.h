// Local files as an object store: what appears whole in a real store is renamed into place here.
//
// Names are paths. As Files, it blocks, and may be used by any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flott/env/files.h"
#include "flott/env/object_store.h"

namespace flott {

class FolderStore final : public ObjectStore {
 public:
  explicit FolderStore(Files& files) : files_(files) {}

  std::unique_ptr<ObjectWriter> create(const std::string& path) override;
  void copy(const std::string& from, const std::string& to) override;
  void put(const std::string& path, std::span<const std::string> parts) override;
  std::optional<uint64_t> size(const std::string& path) override;
  std::string read(const std::string& path, uint64_t offset, uint64_t length) override;
  std::vector<ObjectInfo> list(const std::string& folder) override;
  void remove(const std::string& path) override { files_.remove(path); }
  void removeFolder(const std::string& folder) override;

 private:
  Files& files_;
};

}  // namespace flott
