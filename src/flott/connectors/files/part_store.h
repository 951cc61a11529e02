// Where a file sink's parts lie: in folders, or in an object store such as S3.
//
// A part of a store is sent while it is written, as an object with a hidden name that appears whole when it
// is closed. It is published by a copy within the store, which also appears whole; the hidden one is then
// removed. So readers see each part once, as with files; but a part cannot be left open over a barrier, since
// an upload cannot be gone on with by another process. All calls block, and run on off-load threads.
//
//   const std::shared_ptr<PartStore> parts = partStoreFor(env, configuration, "s3://bucket/out");
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flott {

class Configuration;
struct Env;
class FileReader;
class FileWriter;

/// How much of a part is in memory when it is copied, bytes.
inline constexpr size_t kCopyBlock = size_t{1} << 20;

class PartStore {
 public:
  virtual ~PartStore() = default;
  /// A new file, empty; folders are made if need be. In a store it is there when close() has returned.
  virtual std::unique_ptr<FileWriter> create(const std::string& path) = 0;
  virtual std::unique_ptr<FileReader> open(const std::string& path) = 0;
  /// Nothing when there is no such file.
  virtual std::optional<uint64_t> size(const std::string& path) = 0;
  /// All files below the sink's folder, hidden ones too; none when there is no such folder.
  virtual std::vector<std::string> list() = 0;
  /// When it returns or fails there is all of `to` or nothing of it.
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// No error when it is not there.
  virtual void remove(const std::string& path) = 0;
  /// Returns when names in the folder are as safe as what is in the files.
  virtual void syncFolder(const std::string& folder) = 0;
};

/// Whether the path is in an object store.
bool isInStore(const std::string& path);
/// For a sink that writes below `path`.
std::shared_ptr<PartStore> partStoreFor(Env& env, const Configuration& configuration,
                                        const std::string& path);

}  // namespace flott
