// From the files of stores in a checkpoint to a store that an operator instance can go on with.
//
// Where one old subtask had just the key groups of the new one, a database is opened on its files as they
// are. Otherwise they are read in their order as far as they are wanted, into a new database, of one old
// subtask after the other: memory holds a few blocks whatever the size. Blocks for as long as that takes:
// off-load threads only.
//
//   ColdStates states = restoreCold(storage, options, stored, orderRange({0, 64}, 128));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flott/state/checkpoint_metadata.h"
#include "flott/state/checkpoint_storage.h"
#include "flott/state/cold/cold_image.h"
#include "flott/state/cold/cold_store.h"
#include "flott/state/cold/rocksdb_store.h"
#include "flott/state/key_groups.h"

namespace flott {

/// From `first` to `last`, which belongs to it, in the order of the tables.
struct OrderRange {
  uint64_t first = 0;
  uint64_t last = 0;
  bool operator==(const OrderRange&) const = default;
};
/// Those of these key groups; the range must not be empty.
OrderRange orderRange(KeyGroupRange groups, uint32_t maxParallelism);

/// The store of an old subtask.
struct StoredColdState {
  CheckpointId checkpoint;
  std::string folder;  // of the checkpoint
  std::vector<SharedFile> files;
  ColdImage image;
  OrderRange range;  // that the subtask had
};

/// A store, and what is in it.
struct ColdStates {
  std::shared_ptr<ColdStore> store;  // null: there was nothing
  std::vector<ColdImage::State> states;
  /// Files of this checkpoint that the store was opened on, and still has in part.
  CheckpointId checkpoint;
  std::vector<SharedFile> files;
};

/// The state of `all` that has this schema, added with a number that no other has if there is none.
ColdImage::State& stateOf(const KeyedStateSchema& schema, std::vector<ColdImage::State>& all);

/// `options` tell where the new store is to be. Throws Error(kCorruption) that names the file of the
/// checkpoint, and what the store throws.
ColdStates restoreCold(CheckpointStorage& storage, const RocksDbOptions& options,
                       const std::vector<StoredColdState>& stored, OrderRange wanted);

/// One of them, for reading only.
std::shared_ptr<ColdStore> openStored(CheckpointStorage& storage, const RocksDbOptions& options,
                                      const StoredColdState& stored);

}  // namespace flott
