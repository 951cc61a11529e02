// State that expires: all kinds against a naive model, and its clean-up.
#include "flott/state/state_ttl.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/state/tests/ttl_job.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

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
  std::optional<TtlJob> job_;
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
  TtlJob job(StateTtl::after(Duration(kLife)));
  job.key(1);
  job.value.set(7);
  job.advanceTo(1000 + kLife - 1);
  EXPECT_EQ(job.value.get(), 7);
  job.advanceTo(1000 + kLife);
  EXPECT_EQ(job.value.get(), -1);
}

TEST(StateTtl, WhatIsReturnedUntilItIsCleanedUpGoesBetweenRecordsOnly) {
  TtlJob job(StateTtl::after(Duration(kLife)).returnExpiredIfNotCleanedUp().cleanupIncrementally(100, true));
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

TEST(StateTtl, StateThatNobodyAccessesAgainGoesWithTime) {
  for (const Where where : {Where{0}, Where{30'000}}) {
    TtlJob job(StateTtl::after(Duration(kLife)), 1000, {}, where);
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

// The clock goes on with each record, but nothing is done for time alone.
size_t entriesAfterAccessesOfOtherKeys(const StateTtl& ttl, int64_t records) {
  TtlJob job(ttl);
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
    TtlJob job(StateTtl::after(Duration(kLife)).cleanupIncrementally(10, everyRecord));
    fill(job, 100);
    job.backend.setProcessingTime(Timestamp(2000));
    job.key(-1);  // what fill() left to do
    const size_t before = job.entriesInSnapshot();
    for (int64_t record = 0; record < 60; ++record) job.key(record);
    EXPECT_EQ(job.entriesInSnapshot(), everyRecord ? 0 : before);
  }
}

TEST(StateTtl, OneRecordWithManyAccessesDoesNotScanEverything) {
  TtlJob job(StateTtl::after(Duration(kLife)));
  fill(job, 20'000);
  job.backend.setProcessingTime(Timestamp(2000));
  for (int access = 0; access < 10'000; ++access) EXPECT_FALSE(job.value.has());
  const size_t before = job.entriesInSnapshot();
  job.key(1);
  EXPECT_LT(job.entriesInSnapshot(), before);
  EXPECT_GE(job.entriesInSnapshot(), before - 5 * 1024);
}

TEST(StateTtl, AListStaysInOrderWhereTheClockGoesBack) {
  TtlJob job(StateTtl::after(Duration(kLife)));
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
