// State that expires: all kinds against a naive model, its clean-up, and what snapshots keep of it.
#include "flott/state/state_ttl.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/operator_state.h"
#include "flott/state/tests/cold_fixture.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kLife = 100;

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

StateTtl withSettings(uint64_t number) {
  StateTtl ttl = StateTtl::after(Duration(kLife));
  if ((number & 1) != 0) ttl = ttl.updateTtlOnReadAndWrite();
  if ((number & 2) != 0) ttl = ttl.returnExpiredIfNotCleanedUp();
  if ((number & 4) != 0) ttl = ttl.cleanupFullSnapshot();
  switch (number >> 3 & 3) {
    case 1:
      return ttl.disableCleanupInBackground();
    case 2:
      return ttl.cleanupIncrementally(1, true);
    case 3:
      return ttl.cleanupIncrementally(100, false);
    default:
      return ttl;
  }
}

struct CountingSink final : SegmentSink {
  void take(const SegmentImage& image) override { entries += image.entries; }
  size_t entries = 0;
};

/// A backend with one state of each kind, and its time.
struct Job {
  explicit Job(const StateTtl& ttl, int64_t time = 1000, RestoredKeyedState restored = {}, Where where = {})
      : backend(typeOps<int64_t>(), where({.processingTime = Timestamp(time)}), std::move(restored)) {
    value = backend.state(ValueStateDescriptor<int64_t>("value").defaultValue(-1).ttl(ttl));
    list = backend.state(ListStateDescriptor<int64_t>("list").ttl(ttl));
    map = backend.state(MapStateDescriptor<int64_t, int64_t>("map").ttl(ttl));
    reducing = backend.state(ReducingStateDescriptor<int64_t>("reducing", std::plus<int64_t>()).ttl(ttl));
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

RestoredKeyedState restoredFrom(std::string section) {
  RestoredKeyedState restored;
  restored.add(std::move(section), {0, kDefaultMaxParallelism});
  return restored;
}

/// What one key has, as plainly as it can be said: parts with the time of their last touch. It hides what has
/// expired, or keeps it for ever.
struct Model {
  struct Part {
    int64_t touched;
    int64_t key;
    int64_t value;
  };

  bool expired(const Part& part, int64_t now) const { return part.touched + kLife <= now; }
  void dropExpired(std::vector<Part>& parts, int64_t now) const {
    if (!keeps) std::erase_if(parts, [&](const Part& part) { return expired(part, now); });
  }
  void read(std::vector<Part>& parts, int64_t now, bool touch) const {
    dropExpired(parts, now);
    for (Part& part : parts) {
      if (touch && !expired(part, now)) part.touched = now;
    }
  }

  bool keeps = false;
  std::vector<Part> value, list, map, reducing, aggregating;  // at most one part of all but list and map
};

/// One random step on both, and what both say.
class Walk {
 public:
  Walk(uint64_t seed, uint64_t settings, Where where)
      : random_(seed),
        ttl_(withSettings(settings)),
        touch_((settings & 1) != 0),
        where_(where),
        job_(std::in_place, ttl_, now_, RestoredKeyedState(), where_) {}

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      switch (random_.below(20)) {
        case 0:
          now_ += static_cast<int64_t>(random_.below(kLife * 2));
          break;
        case 1:
          restore();
          break;
        default:
          now_ += static_cast<int64_t>(random_.below(4));
      }
      job_->advanceTo(now_);
      const auto key = static_cast<int64_t>(random_.below(6));
      job_->key(key);
      Model& model = models_[key];
      model.keeps = ttl_.visibility() == StateTtl::Visibility::kReturnExpiredIfNotCleanedUp;
      stepOn(model);
    }
  }

 private:
  void restore() {
    std::string section = job_->cut();
    job_.emplace(ttl_, now_, restoredFrom(std::move(section)), where_);
  }

  void stepOn(Model& model) {
    const auto n = static_cast<int64_t>(random_.below(10));
    switch (random_.below(5)) {
      case 0:
        return onValue(model, n);
      case 1:
        return onList(model, n);
      case 2:
        return onMap(model, n);
      case 3:
        return onReducing(model, n);
      default:
        return onAggregating(model, n);
    }
  }

  void onValue(Model& model, int64_t n) {
    auto& parts = model.value;
    switch (random_.below(4)) {
      case 0:
        job_->value.set(n);
        parts = {{now_, 0, n}};
        return;
      case 1: {
        model.dropExpired(parts, now_);
        const int64_t before = parts.empty() ? -1 : parts[0].value;
        job_->value.update([&](int64_t& value) {
          EXPECT_EQ(value, before);
          value += n;
        });
        parts = {{now_, 0, before + n}};
        return;
      }
      case 2:
        job_->value.clear();
        parts.clear();
        return;
      default:
        model.read(parts, now_, touch_);
        EXPECT_EQ(job_->value.has(), !parts.empty());
        EXPECT_EQ(job_->value.get(), parts.empty() ? -1 : parts[0].value);
    }
  }

  void onList(Model& model, int64_t n) {
    auto& parts = model.list;
    switch (random_.below(6)) {
      case 0:
        job_->list.set({n, n + 1});
        parts = {{now_, 0, n}, {now_, 0, n + 1}};
        return;
      case 1:
      case 2:
        job_->list.add(n);
        parts.push_back({now_, 0, n});
        return;
      case 3:
        job_->list.addAll(Numbers{n, n});
        parts.insert(parts.end(), 2, {now_, 0, n});
        return;
      case 4:
        model.dropExpired(parts, now_);
        EXPECT_EQ(job_->list.isEmpty(), parts.empty());
        return;
      default: {
        model.read(parts, now_, touch_);
        Numbers expected;
        for (const auto& part : parts) expected.push_back(part.value);
        const auto list = job_->list.get();
        EXPECT_EQ(Numbers(list.begin(), list.end()), expected);
      }
    }
  }

  void onMap(Model& model, int64_t n) {
    auto& parts = model.map;
    const auto k = static_cast<int64_t>(random_.below(20));
    model.dropExpired(parts, now_);
    const auto at = std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return part.key == k; });
    const bool there = at != parts.end();
    switch (random_.below(8)) {
      case 0:
      case 1:
        job_->map.put(k, n);
        there ? * at = {now_, k, n} : parts.emplace_back(Model::Part{now_, k, n});
        return;
      case 2:
        job_->map.update(k, [&](int64_t& value) {
          EXPECT_EQ(value, there ? at->value : 0);
          value += n;
        });
        there ? * at = {now_, k, at->value + n} : parts.emplace_back(Model::Part{now_, k, n});
        return;
      case 3:
        EXPECT_EQ(job_->map.remove(k), there);
        if (there) parts.erase(at);
        return;
      case 4:
        EXPECT_EQ(job_->map.size(), parts.size());
        EXPECT_EQ(job_->map.isEmpty(), parts.empty());
        return;
      case 5: {
        model.read(parts, now_, touch_);
        Pairs expected;
        for (const auto& part : parts) expected.emplace_back(part.key, part.value);
        const auto& entries = job_->map.entries();
        EXPECT_EQ(Pairs(entries.begin(), entries.end()), expected);
        return;
      }
      default: {
        const int64_t* found = job_->map.get(k);
        ASSERT_EQ(found != nullptr, there);
        if (!there) return;
        EXPECT_EQ(*found, at->value);
        if (touch_) at->touched = now_;
      }
    }
  }

  void onReducing(Model& model, int64_t n) {
    auto& parts = model.reducing;
    if (random_.below(2) == 0) {
      model.dropExpired(parts, now_);
      job_->reducing.add(n);
      parts = {{now_, 0, parts.empty() ? n : parts[0].value + n}};
    } else {
      model.read(parts, now_, touch_);
      const int64_t* sum = job_->reducing.get();
      ASSERT_EQ(sum != nullptr, !parts.empty());
      EXPECT_EQ(sum != nullptr ? *sum : 0, parts.empty() ? 0 : parts[0].value);
    }
  }

  void onAggregating(Model& model, int64_t n) {
    auto& parts = model.aggregating;
    if (random_.below(2) == 0) {
      model.dropExpired(parts, now_);
      job_->aggregating.add(n);
      parts = {{now_, 0, (parts.empty() ? 0 : parts[0].value) + n * 1000 + 1}};
    } else {
      model.read(parts, now_, touch_);
      EXPECT_EQ(job_->aggregating.get(), parts.empty() ? std::nullopt : std::optional(parts[0].value));
    }
  }

  Random random_;
  StateTtl ttl_;
  bool touch_;
  const Where where_;
  std::map<int64_t, Model> models_;
  int64_t now_ = 1000;
  std::optional<Job> job_;
};

TEST(StateTtl, WhatExpiredIsAsIfItWereNotThere) {
  for (uint64_t settings = 0; settings < 32; ++settings) {
    const StateTtl ttl = withSettings(settings);
    // What is returned until it is cleaned up is known where nothing cleans up.
    if (ttl.visibility() == StateTtl::Visibility::kReturnExpiredIfNotCleanedUp &&
        (ttl.cleansInBackground() || ttl.cleansSnapshots()))
      continue;
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", settings " + std::to_string(settings));
      Walk(seed, settings, Where()).run(2000);
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST(StateTtl, WhatExpiredIsAsIfItWereNotThereOnDisk) {
  for (const uint64_t settings : {0, 1, 4, 5, 8, 11, 16, 24}) {
    for (const uint64_t cacheBytes : {1, 20'000}) {
      SCOPED_TRACE("settings " + std::to_string(settings) + ", cache " + std::to_string(cacheBytes));
      Walk(settings, settings, Where{cacheBytes}).run(500);
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST(StateTtl, ExpiresTheMomentItsTimeIsOver) {
  Job job(StateTtl::after(Duration(kLife)));
  job.key(1);
  job.value.set(7);
  job.advanceTo(1000 + kLife - 1);
  EXPECT_EQ(job.value.get(), 7);
  job.advanceTo(1000 + kLife);
  EXPECT_EQ(job.value.get(), -1);
}

TEST(StateTtl, WhatIsReturnedUntilItIsCleanedUpGoesBetweenRecordsOnly) {
  Job job(StateTtl::after(Duration(kLife)).returnExpiredIfNotCleanedUp().cleanupIncrementally(100, true));
  job.key(1);
  job.value.set(7);
  job.list.add(7);
  job.map.put(7, 7);
  job.reducing.add(7);
  job.backend.setProcessingTime(Timestamp(2000));
  for (int access = 0; access < 3; ++access) {
    EXPECT_TRUE(job.value.has());
    EXPECT_EQ(job.value.get(), 7);
    EXPECT_EQ(job.list.get().size(), 1u);
    EXPECT_TRUE(job.map.contains(7));
    EXPECT_EQ(*job.map.get(7), 7);
    EXPECT_EQ(job.map.entries().size(), 1u);
    EXPECT_EQ(*job.reducing.get(), 7);
  }
  job.key(1);
  EXPECT_FALSE(job.value.has());
  EXPECT_TRUE(job.list.isEmpty());
  EXPECT_TRUE(job.map.isEmpty());
  EXPECT_EQ(job.reducing.get(), nullptr);
}

// All five states of so many keys.
void fill(Job& job, int64_t keys) {
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

TEST(StateTtl, StateThatNobodyAccessesAgainGoesWithTime) {
  for (const Where where : {Where{0}, Where{30'000}}) {
    Job job(StateTtl::after(Duration(kLife)), 1000, {}, where);
    EXPECT_EQ(job.backend.cleanUpAt(), Timestamp::max()) << "there is nothing to clean up";
    const int64_t keys = where.cacheBytes == 0 ? 20'000 : 1'000;
    fill(job, keys);
    const uint64_t used = job.backend.budget().used();
    EXPECT_EQ(job.entriesInSnapshot(), static_cast<size_t>(5 * keys));
    job.advanceTo(1000 + kLife * 2);
    EXPECT_EQ(job.entriesInSnapshot(), 0u);
    EXPECT_EQ(job.backend.cleanUpAt(), Timestamp::max()) << "an empty state wakes nobody";
    EXPECT_LT(job.backend.budget().used(), std::max<uint64_t>(used / 10, 1 << 16));
    job.key(1);
    job.value.set(1);
    EXPECT_LE(job.backend.cleanUpAt(), Timestamp(1000 + kLife * 3)) << "a new one does";
  }
}

TEST(StateTtl, RestoredStateThatNobodyAccessesGoesWithTime) {
  for (const Where where : {Where{0}, Where{30'000}}) {
    Job first(StateTtl::after(Duration(kLife)), 1000, {}, where);
    fill(first, 1000);
    Job second(StateTtl::after(Duration(kLife)), 1050, restoredFrom(first.cut()), where);
    second.advanceTo(1000 + kLife - 1);
    EXPECT_EQ(second.entriesInSnapshot(), 5000u);
    second.advanceTo(1000 + kLife * 2);
    EXPECT_EQ(second.entriesInSnapshot(), 0u);
  }
}

// The clock goes on with each record, but nothing is done for time alone.
size_t entriesAfterAccessesOfOtherKeys(const StateTtl& ttl, int64_t records) {
  Job job(ttl);
  for (int64_t k = 0; k < records; ++k) {
    job.backend.setProcessingTime(Timestamp(1000 + k));
    job.key(k);
    job.value.set(k);
  }
  return job.entriesInSnapshot();
}

TEST(StateTtl, AccessesOfOtherKeysCleanUp) {
  const StateTtl ttl = StateTtl::after(Duration(kLife));
  EXPECT_LE(entriesAfterAccessesOfOtherKeys(ttl, 10'000), kLife * 3 / 2);
  EXPECT_LE(entriesAfterAccessesOfOtherKeys(ttl.cleanupIncrementally(2, false), 10'000), kLife * 3);
  EXPECT_LE(entriesAfterAccessesOfOtherKeys(ttl.cleanupIncrementally(2, true), 10'000), kLife * 3);
  EXPECT_EQ(entriesAfterAccessesOfOtherKeys(ttl.disableCleanupInBackground(), 10'000), 10'000u);
}

TEST(StateTtl, RecordsCleanUpWithoutAnAccessIfAsked) {
  for (const bool everyRecord : {false, true}) {
    Job job(StateTtl::after(Duration(kLife)).cleanupIncrementally(10, everyRecord));
    fill(job, 100);
    job.backend.setProcessingTime(Timestamp(2000));
    job.key(-1);  // what fill() left to do
    const size_t before = job.entriesInSnapshot();
    for (int64_t record = 0; record < 60; ++record) job.key(record);
    EXPECT_EQ(job.entriesInSnapshot(), everyRecord ? 0 : before);
  }
}

TEST(StateTtl, OneRecordWithManyAccessesDoesNotScanEverything) {
  Job job(StateTtl::after(Duration(kLife)));
  fill(job, 20'000);
  job.backend.setProcessingTime(Timestamp(2000));
  for (int access = 0; access < 10'000; ++access) EXPECT_FALSE(job.value.has());
  const size_t before = job.entriesInSnapshot();
  job.key(1);
  EXPECT_LT(job.entriesInSnapshot(), before);
  EXPECT_GE(job.entriesInSnapshot(), before - 5 * 1024);
}

TEST(StateTtl, SnapshotsLeaveOutWhatHasExpiredIfAsked) {
  for (const Where where : {Where{0}, Where{30'000}}) {
    const StateTtl kept = StateTtl::after(Duration(kLife)).disableCleanupInBackground();
    for (const StateTtl& ttl : {kept, kept.cleanupFullSnapshot()}) {
      Job job(ttl, 1000, {}, where);
      fill(job, 1000);
      job.advanceTo(1050);
      job.key(5);
      job.value.set(50);
      job.list.add(50);
      job.map.put(2, 50);
      job.map.put(3, 50);
      job.advanceTo(1000 + kLife);
      EXPECT_EQ(job.entriesInSnapshot(), ttl.cleansSnapshots() ? 3u : 5000u);
      const std::string section = job.cut();
      EXPECT_EQ(section.size() < 1000, ttl.cleansSnapshots());
      Job restored(ttl, 1000 + kLife, restoredFrom(section), where);
      restored.key(5);
      EXPECT_EQ(restored.value.get(), 50);
      EXPECT_EQ(restored.list.get().size(), 1u);
      const auto& entries = restored.map.entries();
      EXPECT_EQ(Pairs(entries.begin(), entries.end()), (Pairs{{2, 50}, {3, 50}}));
      EXPECT_EQ(restored.reducing.get(), nullptr);
    }
  }
}

TEST(StateTtl, ACutHasWhatWasThereWhateverIsCleanedUpMeanwhile) {
  Job job(StateTtl::after(Duration(kLife)).returnExpiredIfNotCleanedUp());
  fill(job, 5000);
  KeyedSnapshotWriter writer(job.backend);
  EXPECT_FALSE(job.backend.encodeSome(1000));
  job.advanceTo(1000 + kLife * 2);
  while (!job.backend.encodeSome(1000)) {
  }
  Job restored(StateTtl::after(Duration(kLife)), 1000, restoredFrom(writer.finish()));
  EXPECT_EQ(restored.entriesInSnapshot(), 25'000u);
  EXPECT_EQ(job.entriesInSnapshot(), 0u);
}

TEST(StateTtl, IsTurnedOnAtARestore) {
  Job plain(StateTtl::disabled());
  fill(plain, 100);
  Job job(StateTtl::after(Duration(kLife)), 5000, restoredFrom(plain.cut()));
  for (const int64_t time : {5000 + kLife - 1, 5000 + kLife}) {
    const bool alive = time < 5000 + kLife;
    job.backend.setProcessingTime(Timestamp(time));
    job.key(42);
    EXPECT_EQ(job.value.get(), alive ? 42 : -1);
    EXPECT_EQ(job.list.get().size(), alive ? 3u : 0u);
    EXPECT_EQ(job.map.size(), alive ? 2u : 0u);
    EXPECT_EQ(job.reducing.get() != nullptr, alive);
    EXPECT_EQ(job.aggregating.get(), alive ? std::optional<int64_t>(42'001) : std::nullopt);
  }
}

TEST(StateTtl, IsTurnedOffAtARestore) {
  Job expiring(StateTtl::after(Duration(kLife)));
  fill(expiring, 100);
  Job job(StateTtl::disabled(), 5000, restoredFrom(expiring.cut()));
  job.key(42);
  EXPECT_EQ(job.value.get(), 42);
  EXPECT_EQ(job.list.get().size(), 3u);
  EXPECT_EQ(*job.map.get(2), 42);
  EXPECT_EQ(*job.reducing.get(), 42);
  EXPECT_EQ(job.aggregating.get(), 42'001);
  EXPECT_EQ(job.backend.cleanUpAt(), Timestamp::max());
}

TEST(StateTtl, AnotherTimeToLiveCountsFromTheOldTouch) {
  Job first(StateTtl::after(Duration(kLife)));
  fill(first, 10);
  Job second(StateTtl::after(Duration(kLife * 10)), 1000 + kLife * 9, restoredFrom(first.cut()));
  second.key(4);
  EXPECT_EQ(second.value.get(), 4);
  second.advanceTo(1000 + kLife * 10);
  second.key(4);
  EXPECT_EQ(second.value.get(), -1);
}

TEST(StateTtl, IsPartOfTheSchema) {
  Job job(StateTtl::after(Duration(kLife)));
  job.backend.state(ValueStateDescriptor<int64_t>("for ever"));
  const std::map<std::string, std::string> plain = {{"value", "int64"},
                                                    {"list", "list<int64>"},
                                                    {"map", "map<int64, int64>"},
                                                    {"reducing", "int64"},
                                                    {"aggregating", "struct{sum: int64, count: int64}"},
                                                    {"for ever", "int64"}};
  for (const KeyedStateSchema& schema : job.backend.schemas()) {
    EXPECT_EQ(schema.expires, schema.name != "for ever");
    EXPECT_EQ(schema.value.toString(), plain.at(schema.name));
  }
}

TEST(StateTtl, SnapshotsFromBeforeItAreRead) {
  std::string section;
  ByteWriter out(section);
  out.fixed(uint32_t{0x53'4b'4c'46});
  out.varint(1);
  describe<int64_t>().encode(out);
  out.varint(1);
  out.string("value");
  out.string("value");
  describe<int64_t>().encode(out);
  const int64_t key = 3;
  out.varint(0);
  out.fixed(kNoNamespace);
  out.varint(keyGroupOf(hashKey(key), kDefaultMaxParallelism).value);
  out.fixed(uint64_t{0});
  out.varint(1);
  std::string entry;
  ByteWriter entryOut(entry);
  Codec<int64_t>::encode(key, entryOut);
  Codec<int64_t>::encode(30, entryOut);
  out.string(entry);
  Job job(StateTtl::after(Duration(kLife)), 1000, restoredFrom(section));
  job.key(3);
  EXPECT_EQ(job.value.get(), 30);
}

TEST(StateTtl, ListsAndMapsWhoseTimesDoNotFitAreRefused) {
  const auto refusal = [](auto value, auto&& spoil) {
    using E = decltype(value);
    std::string bytes;
    ByteWriter out(bytes);
    Codec<E>::encode(value, out);
    spoil(bytes);
    return errorText(
        [&] {
          ByteReader in(bytes);
          Codec<E>::decode(in, value);
        },
        ErrorKind::kCorruption);
  };
  ExpiringList<int8_t> list;
  list.addAll(std::vector<int8_t>{1, 2}, Timestamp(5));
  EXPECT_NE(refusal(list, [](std::string& bytes) { bytes[5] = 6; }).find("times do not fit"),
            std::string::npos);  // the first later than the second
  ExpiringMap<int64_t, int64_t> map;
  map.at(1, Timestamp(5));
  const auto untouched = [](std::string& bytes) {
    bytes.replace(bytes.size() - 8, 8, "\0\0\0\0\0\0\0\x80", 8);
  };
  EXPECT_NE(refusal(map, untouched).find("never touched"), std::string::npos);
}

TEST(StateTtl, AListStaysInOrderWhereTheClockGoesBack) {
  Job job(StateTtl::after(Duration(kLife)));
  job.key(1);
  job.list.add(1);
  job.backend.setProcessingTime(Timestamp(950));
  job.list.add(2);
  job.backend.setProcessingTime(Timestamp(1000 + kLife - 1));
  EXPECT_EQ(job.list.get().size(), 2u) << "the second is taken for as young as the first";
  job.backend.setProcessingTime(Timestamp(1000 + kLife));
  EXPECT_TRUE(job.list.isEmpty());
}

TEST(StateTtl, VisitsOfAllKeysSkipWhatHasExpired) {
  KeyedStateBackend backend(typeOps<int64_t>(), {.processingTime = Timestamp(1000)});
  const auto descriptor = ListStateDescriptor<int64_t>("list").ttl(StateTtl::after(Duration(kLife)));
  auto list = backend.state(descriptor);
  for (int64_t k = 0; k < 1000; ++k) {
    backend.setProcessingTime(Timestamp(1000 + k % 2));
    backend.setCurrentKey(hashKey(k), k);
    list.add(k);
  }
  backend.setProcessingTime(Timestamp(1000 + kLife));
  size_t seen = 0;
  backend.applyToAllKeys<int64_t>(descriptor, [&](const int64_t& key, ListState<int64_t>& state) {
    EXPECT_EQ(key % 2, 1);
    EXPECT_EQ(state.get().size(), 1u);
    ++seen;
  });
  EXPECT_EQ(seen, 500u);
}

TEST(StateTtl, StateOfWindowsExpiresToo) {
  KeyedStateBackend backend(typeOps<int64_t>(), {.processingTime = Timestamp(1000)});
  const auto count = ValueStateDescriptor<int64_t>("count").ttl(StateTtl::after(Duration(kLife)));
  for (int64_t window = 0; window < 20; ++window) {
    for (int64_t k = 0; k < 50; ++k) {
      backend.setCurrentKey(hashKey(k), k);
      backend.stateIn(window, count).set(k);
    }
    if (window % 3 == 0) backend.dropNamespace(window);
  }
  const int64_t key = 7;
  backend.setCurrentKey(hashKey(key), key);
  EXPECT_EQ(backend.stateIn(19, count).get(), 7);
  backend.setProcessingTime(Timestamp(1000 + kLife));
  EXPECT_EQ(backend.stateIn(19, count).get(), 0);
  for (backend.clearCurrentKey(); backend.cleanUpAt() < Timestamp::max(); backend.cleanUp()) {
    backend.setProcessingTime(backend.cleanUpAt());
  }
  CountingSink left;
  backend.cut(left);
  EXPECT_TRUE(backend.encodeSome(1 << 20));
  EXPECT_EQ(left.entries, 0u);
}

TEST(StateTtl, SlipsAreNamed) {
  EXPECT_EQ(errorText([] { (void)StateTtl::after(0s); }),
            "a time to live of 0 ms: give StateTtl::after(…) 1 ms or more, or use StateTtl::disabled()");
  EXPECT_EQ(errorText([] { (void)StateTtl::after(1h).cleanupIncrementally(0, true); }),
            "cleanupIncrementally(0, …) would clean up nothing: give it 1 entry or more, or call "
            "disableCleanupInBackground()");
  KeyedStateBackend backend(typeOps<int64_t>(), {});
  const auto descriptor = [] { return ValueStateDescriptor<int64_t>("seen"); };
  backend.state(descriptor().ttl(StateTtl::after(1h)));
  backend.state(descriptor().ttl(StateTtl::after(1h)));
  EXPECT_EQ(errorText([&] { (void)backend.state(descriptor()); }),
            "state 'seen' is registered with a time to live of 1 h and again with no time to live: use one "
            "descriptor for both");
  EXPECT_EQ(errorText([&] { (void)backend.state(descriptor().ttl(StateTtl::after(2h))); }),
            "state 'seen' is registered with a time to live of 1 h and again with a time to live of 2 h: use "
            "one descriptor for both");
  EXPECT_EQ(
      errorText([&] { (void)backend.state(descriptor().ttl(StateTtl::after(1h).cleanupFullSnapshot())); }),
      "state 'seen' is registered with a time to live of 1 h and again with a time to live of 1 h but other "
      "settings: use one descriptor for both");
  OperatorStateBackend operatorState;
  EXPECT_EQ(errorText([&] {
              operatorState.broadcast(MapStateDescriptor<int64_t, int64_t>("rules").ttl(StateTtl::after(1h)));
            }),
            "broadcast state 'rules' has a time to live: only keyed state expires; remove .ttl(…) from its "
            "descriptor");
}

}  // namespace
}  // namespace flott
