#include "flott/state/cold/cold_restore.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "flott/base/error.h"
#include "flott/state/cold/cold_side.h"

namespace flott {
namespace {

constexpr size_t kCommittedAtOnce = size_t{1} << 20;

std::shared_ptr<ColdStore> open(CheckpointStorage& storage, const RocksDbOptions& options,
                                const StoredColdState& stored, bool readOnly) {
  RocksDbFolder folder(options);
  for (const SharedFile& file : stored.files) {
    folder.begin(file.nameInStore);
    storage.readShared(stored.folder, file, [&folder](std::string_view part) { folder.add(part); });
  }
  return folder.open(stored.image.manifestName, stored.image.manifest, readOnly);
}

void copyTable(ColdStore& from, const std::string& prefix, OrderRange range, ColdStore& to,
               const std::string& newPrefix, uint64_t& entries) {
  std::string begin = prefix;
  ColdKey::appendOrder(range.first, begin);
  std::string end = prefix;
  if (range.last == std::numeric_limits<uint64_t>::max()) {
    end = ColdKey::behind(prefix);
  } else {
    ColdKey::appendOrder(range.last + 1, end);
  }
  std::string key = newPrefix;
  for (const auto scan = from.scan(begin, end); scan->valid(); scan->next(), ++entries) {
    key.resize(newPrefix.size());
    key += scan->key().substr(prefix.size());
    to.put(key, scan->value());
    if (to.pendingBytes() >= kCommittedAtOnce) to.commit();
  }
}

}  // namespace

ColdImage::State& stateOf(const KeyedStateSchema& schema, std::vector<ColdImage::State>& all) {
  uint16_t next = 0;
  for (ColdImage::State& state : all) {
    if (state.schema == schema) return state;
    next = std::max<uint16_t>(next, state.number + 1);
  }
  return all.emplace_back(ColdImage::State{schema, next, {}});
}

OrderRange orderRange(KeyGroupRange groups, uint32_t maxParallelism) {
  FLOTT_CHECK(groups.size() > 0);
  const int bits = std::countr_zero(maxParallelism);
  // Two shifts, because with one group the distance would be 64.
  const auto firstOf = [bits](uint64_t group) { return group << 1 << (63 - bits); };
  return {firstOf(groups.first), firstOf(groups.end) - 1};
}

std::shared_ptr<ColdStore> openStored(CheckpointStorage& storage, const RocksDbOptions& options,
                                      const StoredColdState& stored) {
  return open(storage, options, stored, true);
}

ColdStates restoreCold(CheckpointStorage& storage, const RocksDbOptions& options,
                       const std::vector<StoredColdState>& stored, OrderRange wanted) {
  ColdStates restored;
  if (stored.empty()) return restored;
  if (stored.size() == 1 && stored[0].range == wanted) {
    restored.store = open(storage, options, stored[0], false);
    restored.states = stored[0].image.states;
    restored.checkpoint = stored[0].checkpoint;
    restored.files = stored[0].files;
    return restored;
  }
  restored.store = openRocksDb(options);
  for (const StoredColdState& old : stored) {
    const std::shared_ptr<ColdStore> from = openStored(storage, options, old);
    const OrderRange range{std::max(old.range.first, wanted.first), std::min(old.range.last, wanted.last)};
    for (const ColdImage::State& state : old.image.states) {
      ColdImage::State& now = stateOf(state.schema, restored.states);
      for (const auto& [nameSpace, count] : state.entries) {
        uint64_t entries = 0;
        copyTable(*from, ColdKey::prefix(state.number, nameSpace), range, *restored.store,
                  ColdKey::prefix(now.number, nameSpace), entries);
        if (entries > 0) now.entries[nameSpace] += entries;
      }
    }
    restored.store->commit();
  }
  return restored;
}

}  // namespace flott
