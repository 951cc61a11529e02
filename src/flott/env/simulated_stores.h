// An object store in memory, with faults on request, whatever the scheme.
//
//   simulated.stores().fail("s3://bucket/", "the store is on fire");
//   EXPECT_EQ(simulated.stores().objects().size(), 3u);
#pragma once

#include <map>
#include <memory>
#include <string>

#include "flott/env/object_store.h"
#include "flott/env/random.h"

namespace flott {

/// The test's own thread only; lives as long as the stores that it opened.
class SimulatedStores final : public ObjectStores {
 public:
  std::shared_ptr<ObjectStore> open(const std::string& uri, const StringMap& options) override;

  /// From now on calls for names that begin so fail for this reason; an empty reason ends it.
  void fail(const std::string& prefix, const std::string& reason);
  /// From now on so many calls fail, about one in `every`: before they have done anything, or after.
  void failSome(uint64_t every, int count, Random random) {
    failEvery_ = every;
    failCount_ = count;
    random_ = random;
  }
  /// By name; may be changed.
  std::map<std::string, std::string>& objects() { return objects_; }

 private:
  class Store;
  class Writer;
  void checkFault(const char* deed, const std::string& uri) const;
  /// At the beginning and at the end of a call.
  void mayFail(const char* deed, const std::string& uri);

  std::map<std::string, std::string> objects_;
  std::map<std::string, std::string> faults_;
  uint64_t failEvery_ = 0;
  int failCount_ = 0;
  Random random_{0};
};

}  // namespace flott
