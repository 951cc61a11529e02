// An object store in memory, with faults on request, whatever the scheme.
//
//   simulated.stores().fail("s3://bucket/", "the store is on fire");
//   EXPECT_EQ(simulated.stores().objects().size(), 3u);
#pragma once

#include <map>
#include <memory>
#include <string>

#include "flott/env/object_store.h"

namespace flott {

/// The test's own thread only; lives as long as the stores that it opened.
class SimulatedStores final : public ObjectStores {
 public:
  std::shared_ptr<ObjectStore> open(const std::string& uri, const StringMap& options) override;

  /// From now on calls for names that begin so fail for this reason; an empty reason ends it.
  void fail(const std::string& prefix, const std::string& reason);
  /// By name; may be changed.
  std::map<std::string, std::string>& objects() { return objects_; }

 private:
  class Store;
  class Writer;
  void checkFault(const char* deed, const std::string& uri) const;

  std::map<std::string, std::string> objects_;
  std::map<std::string, std::string> faults_;
};

}  // namespace flott
