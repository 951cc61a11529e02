// Objects in a store that is no local disk: S3 and whatever else has whole objects under names.
//
// Objects are named by URIs, s3://bucket/key, as users write them. An object appears whole or not at all;
// there are no folders, only names with slashes in them, and no renaming. All calls block, so they run on
// off-load threads; any number of threads may use one store. What cannot be done throws an Error that names
// the object: kTransient when the store or the way to it fails or refuses, for a later try may succeed.
//
//   auto store = env.stores.open("s3://bucket/checkpoints", {{"s3.endpoint", "http://localhost:9000"}});
//   store->put("s3://bucket/checkpoints/a", parts);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/config.h"
#include "flott/base/error.h"

namespace flott {

struct ObjectInfo {
  std::string uri;
  uint64_t size = 0;
};

/// An object that is sent part by part: it appears whole with close(). One thread at a time.
class ObjectWriter {
 public:
  /// Without close() there will be no object.
  virtual ~ObjectWriter() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void close() = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Makes or replaces an object of any size. What a process had sent when it was killed may stay in the
  /// store, unseen, until a rule of the store's removes it.
  virtual std::unique_ptr<ObjectWriter> create(const std::string& uri) = 0;
  /// Makes or replaces `to` by what `from` has, in the store: the bytes do not come by here. S3 takes up to 5
  /// GB.
  virtual void copy(const std::string& from, const std::string& to) = 0;
  /// Makes or replaces the object with the parts one after another.
  virtual void put(const std::string& uri, std::span<const std::string> parts) = 0;
  /// Nothing when there is no such object.
  virtual std::optional<uint64_t> size(const std::string& uri) = 0;
  /// Fewer bytes than asked for only where the object ends.
  virtual std::string read(const std::string& uri, uint64_t offset, uint64_t length) = 0;
  /// All objects below `folder`, by name; none when there are none.
  virtual std::vector<ObjectInfo> list(const std::string& folder) = 0;
  /// No error when it is not there.
  virtual void remove(const std::string& uri) = 0;
  /// All that lies below the folder, and what stands for the folder itself. No error when there is nothing.
  virtual void removeFolder(const std::string& folder) = 0;
};

/// The stores that can be reached. Any thread.
class ObjectStores {
 public:
  virtual ~ObjectStores() = default;
  /// The store that `uri` is in; `options` are those that storeOptions() lists. Connects with the first call
  /// of the store only, and may give the same store for the same options. Throws Error(kUser) where nobody
  /// knows the scheme.
  virtual std::shared_ptr<ObjectStore> open(const std::string& uri, const StringMap& options) = 0;
};

/// "s3" of "s3://bucket/a"; empty for a path.
std::string_view schemeOf(std::string_view uri);
/// Throws Error(kUser) that names the nearest scheme, unless a store of this scheme can be opened.
void checkScheme(const std::string& uri);
/// What options a store may be given, those of the configuration, that are set.
StringMap storeOptions(const Configuration& configuration);

/// "object 's3://b/a' could not be written: <reason>", with the way out where the reason tells one.
Error objectError(const char* deed, const std::string& uri, const std::string& reason);

}  // namespace flott
