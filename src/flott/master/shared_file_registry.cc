#include "flott/master/shared_file_registry.h"

#include "flott/base/error.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

void SharedFileRegistry::retain(const CheckpointMetadata& checkpoint) {
  Need& need = checkpoints_[checkpoint.id];
  FLOTT_CHECK(need.holders == 0, "a checkpoint is retained twice");
  ++need.holders;
  checkpoint.forEachShared([&](const SharedFile& file) {
    need.files.push_back(file);
    ++users_[pathOf(file)];
  });
}

void SharedFileRegistry::hold(CheckpointId checkpoint) { ++checkpoints_.at(checkpoint).holders; }

std::vector<SharedFile> SharedFileRegistry::letGo(CheckpointId checkpoint) {
  std::vector<SharedFile> useless;
  const auto known = checkpoints_.find(checkpoint);
  if (known == checkpoints_.end() || --known->second.holders > 0) return useless;
  for (SharedFile& file : known->second.files) {
    const auto users = users_.find(pathOf(file));
    if (--users->second > 0) continue;
    users_.erase(users);
    useless.push_back(std::move(file));
  }
  checkpoints_.erase(known);
  return useless;
}

std::set<std::string> SharedFileRegistry::needed() const {
  std::set<std::string> all;
  for (const auto& [path, users] : users_) all.insert(path);
  return all;
}

}  // namespace flott
