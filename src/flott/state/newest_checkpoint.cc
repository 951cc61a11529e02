#include "flott/state/newest_checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>

#include "flott/state/folder_store.h"

namespace flott {
namespace {

constexpr std::string_view kPrefix = "/chk-";
constexpr std::string_view kSuffix = "/_metadata";

/// 7 for "<folder>/chk-7/_metadata", else 0.
uint64_t completeCheckpoint(std::string_view path, size_t folderSize) {
  if (path.size() <= folderSize) return 0;
  std::string_view rest = path.substr(folderSize);
  if (!rest.starts_with(kPrefix) || !rest.ends_with(kSuffix)) return 0;
  rest.remove_prefix(kPrefix.size());
  rest.remove_suffix(kSuffix.size());
  uint64_t id = 0;
  const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), id);
  return problem == std::errc() && end == rest.data() + rest.size() ? id : 0;
}

}  // namespace

std::optional<std::string> newestCheckpoint(Files& files, ObjectStores& stores,
                                            const CheckpointStorageOptions& options) {
  if (options.folder.empty()) return std::nullopt;
  FolderStore local(files);
  std::shared_ptr<ObjectStore> remote;
  if (!schemeOf(options.folder).empty()) remote = stores.open(options.folder, options.stores);
  ObjectStore& store = remote != nullptr ? *remote : local;
  uint64_t newest = 0;
  for (const ObjectInfo& object : store.list(options.folder))
    newest = std::max(newest, completeCheckpoint(object.uri, options.folder.size()));
  if (newest == 0) return std::nullopt;
  return options.folder + std::string(kPrefix) + std::to_string(newest);
}

}  // namespace flott
