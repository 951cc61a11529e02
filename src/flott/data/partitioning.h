// How records of one operator are spread over the subtasks of the next.
//
// A Partitioning is part of the logical graph and is shared, unchanged, by all subtasks; the exchange of a
// task asks it to route whole batches. Hashers and routers are stateless, so any thread may call them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flott/data/batch.h"

namespace flott {

enum class PartitionKind : uint8_t {
  kForward,    // subtask i to subtask i: equal parallelism
  kRebalance,  // round robin over all
  kRescale,    // round robin within a local group
  kShuffle,    // at random
  kBroadcast,  // a copy to every one
  kGlobal,     // all to subtask 0
  kHash,       // by key group
  kCustom,     // a user's function names the subtask
};

std::string_view toString(PartitionKind kind);

/// Computes the key hash of every record of a batch into batch.hashes().
class KeyHasher {
 public:
  virtual ~KeyHasher() = default;
  virtual void hash(Batch& batch) const = 0;
  /// The key of record i as a user would want to read it.
  virtual std::string keyText(const Batch& batch, size_t i) const { return batch->print(i); }
};

/// Names the target subtask of every record.
class RowRouter {
 public:
  virtual ~RowRouter() = default;
  /// Writes batch.size() indices below `channels`. Throws Error(kUser) for an index outside.
  virtual void route(const Batch& batch, uint32_t channels, uint32_t* targets) const = 0;
};

struct Partitioning {
  PartitionKind kind = PartitionKind::kForward;
  std::shared_ptr<const KeyHasher> hasher;  // kHash only
  std::shared_ptr<const RowRouter> router;  // kCustom only
};

}  // namespace flott
