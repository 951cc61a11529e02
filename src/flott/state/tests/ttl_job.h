// For tests of state that expires: a backend with one state of each kind, whose clock the test moves.
//
//   TtlJob job(StateTtl::after(Duration(kLife)));
//   fill(job, 10);
//   job.advanceTo(1000 + kLife);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/state/keyed_backend.h"
#include "flott/state/operator_state.h"
#include "flott/state/state_ttl.h"
#include "flott/state/tests/cold_fixture.h"

namespace flott {

/// Milliseconds.
inline constexpr int64_t kLife = 100;

using Numbers = std::vector<int64_t>;
using Pairs = std::vector<std::pair<int64_t, int64_t>>;

/// Sums as a pair, so that AggregatingState has another type than what is added.
struct Totals {
  struct Sum {
    int64_t sum = 0;
    int64_t count = 0;
  };
  Sum createAccumulator() const { return {}; }
  void add(const int64_t& value, Sum& sum) const {
    sum.sum += value;
    ++sum.count;
  }
  int64_t getResult(const Sum& sum) const { return sum.sum * 1000 + sum.count; }
};

struct CountingSink final : SegmentSink {
  void take(const SegmentImage& image) override { entries += image.entries; }
  size_t entries = 0;
};

/// A backend with one state of each kind, and its time.
struct TtlJob {
  explicit TtlJob(const StateTtl& ttl, int64_t time = 1000, RestoredKeyedState restored = {},
                  Where where = {})
      : backend(typeOps<int64_t>(), where({.processingTime = Timestamp(time)}), std::move(restored)) {
    const auto plus = [](int64_t a, int64_t b) { return a + b; };
    value = backend.state(ValueStateDescriptor<int64_t>("value").defaultValue(-1).ttl(ttl));
    list = backend.state(ListStateDescriptor<int64_t>("list").ttl(ttl));
    map = backend.state(MapStateDescriptor<int64_t, int64_t>("map").ttl(ttl));
    reducing = backend.state(ReducingStateDescriptor<int64_t>("reducing", plus).ttl(ttl));
    aggregating = backend.state(
        AggregatingStateDescriptor<int64_t, Totals::Sum, int64_t>("aggregating", Totals()).ttl(ttl));
  }

  void key(int64_t k) {
    current = k;
    backend.setCurrentKey(hashKey(current), current);
  }
  /// Moves the clock, with the clean-up that is due by then.
  void advanceTo(int64_t time) {
    while (backend.cleanUpAt() <= Timestamp(time)) {
      backend.setProcessingTime(backend.cleanUpAt());
      backend.cleanUp();
    }
    backend.setProcessingTime(Timestamp(time));
  }
  std::string cut() {
    KeyedSnapshotWriter writer(backend);
    while (!backend.encodeSome(100)) {
    }
    return writer.finish();
  }
  /// Entries of all states that lie in memory or, here the same, in a snapshot.
  size_t entriesInSnapshot() {
    CountingSink counter;
    backend.cut(counter);
    while (!backend.encodeSome(100)) {
    }
    return counter.entries;
  }

  KeyedStateBackend backend;
  ValueState<int64_t> value;
  ListState<int64_t> list;
  MapState<int64_t, int64_t> map;
  ReducingState<int64_t> reducing;
  AggregatingState<int64_t, Totals::Sum, int64_t> aggregating;
  int64_t current = 0;
};

inline RestoredKeyedState restoredFrom(std::string section) {
  RestoredKeyedState restored;
  restored.add(std::move(section), {0, kDefaultMaxParallelism});
  return restored;
}

/// All five states of so many keys.
inline void fill(TtlJob& job, int64_t keys) {
  for (int64_t k = 0; k < keys; ++k) {
    job.key(k);
    job.value.set(k);
    job.list.addAll(Numbers(3, k));
    job.map.put(1, k);
    job.map.put(2, k);
    job.reducing.add(k);
    job.aggregating.add(k);
  }
}

}  // namespace flott
