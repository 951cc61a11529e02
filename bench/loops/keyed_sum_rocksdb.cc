#include "bench/loops/keyed_sum_rocksdb.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "flott/state/cold/rocksdb_store.h"

namespace flott::bench {
namespace {

constexpr size_t kBatch = 1024;  // as the engine's
constexpr size_t kKeyAt = 3;     // behind what all keys of a state have in common, as the engine's

/// A record of a batch, to be put in the order of keys, and of arrival for each key.
struct Arrived {
  std::array<char, kKeyAt + sizeof(int64_t)> bytes{};  // of the key
  uint32_t index;

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
};

Outcome sum(const Load& load, ColdStore& store) {
  FoldBuffer<KeyValue> out;
  std::vector<KeyValue> in;
  std::vector<Arrived> order;
  std::vector<std::string_view> keys;
  for (uint64_t from = 0; from < load.size; from += kBatch) {
    const uint64_t count = std::min<uint64_t>(kBatch, load.size - from);
    in.clear();
    order.clear();
    keys.clear();
    for (uint64_t i = 0; i < count; ++i) {
      in.push_back(keyedSumInput(from + i));
      Arrived& arrived = order.emplace_back();
      std::memcpy(arrived.bytes.data() + kKeyAt, &in.back().key, sizeof(int64_t));
      arrived.index = static_cast<uint32_t>(i);
    }
    std::sort(order.begin(), order.end(), [](const Arrived& a, const Arrived& b) {
      const int compared = std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size());
      return compared != 0 ? compared < 0 : a.index < b.index;
    });
    for (const Arrived& arrived : order) {
      if (keys.empty() || keys.back() != arrived.view()) keys.push_back(arrived.view());
    }
    const auto& found = store.get(keys);
    auto record = order.begin();
    for (size_t k = 0; k < keys.size(); ++k) {
      int64_t sum = 0;
      if (found[k]) std::memcpy(&sum, found[k]->data(), sizeof sum);
      for (; record != order.end() && record->view() == keys[k]; ++record) {
        sum += in[record->index].value;
        out.next() = {in[record->index].key, sum};
        out.written();
      }
      store.put(keys[k], {reinterpret_cast<const char*>(&sum), sizeof sum});
    }
    store.commit();
  }
  return out.outcome(load.size);
}

}  // namespace

Outcome keyedSumRocksDbLoop(const Load& load) {
  const auto store = openRocksDb({.folder = "/tmp",
                                  .folderOption = "bench",
                                  .name = "flott-bench",
                                  .memory = sharedColdMemory(MemorySize::mb(512), 0.5, 0.1)});
  return sum(load, *store);
}

Outcome keyedSumRocksDbColdLoop(const Load& load) {
  const auto store = openRocksDb({.folder = "/tmp",
                                  .folderOption = "bench",
                                  .name = "flott-bench",
                                  .memory = nullptr,
                                  .blockCache = kColdMemory,
                                  .writeBuffer = kColdWriteBuffer});
  return sum(load, *store);
}

}  // namespace flott::bench
