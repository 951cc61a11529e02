// What a store on disk forgets by itself.
#include "flott/state/cold/cold_expiry.h"

#include <gtest/gtest.h>

#include "flott/state/cold/cold_side.h"
#include "flott/state/expiring.h"
#include "flott/state/tests/stored_files.h"
#include "flott/state/tests/ttl_job.h"

namespace flott {
namespace {

constexpr int64_t kNow = 5000;

template <typename E>
std::string encoded(const E& value) {
  std::string bytes;
  ByteWriter out(bytes);
  Codec<E>::encode(value, out);
  return bytes;
}

std::string keyOf(uint16_t state) { return ColdKey::prefix(state, 7) + "the rest"; }

/// Whether a value is dropped at kNow where it lives so long.
bool dropped(TimesPlace times, int64_t life, const std::string& value) {
  const auto clock = std::make_shared<ColdExpiry::Clock>(kNow);
  const ColdExpiry expiry({{0x1234, {times, Duration(life)}}}, clock);
  EXPECT_FALSE(expiry.drops(keyOf(0x1233), value)) << "a state without a rule";
  return expiry.drops(keyOf(0x1234), value);
}

TEST(ColdExpiry, AValueGoesWithItsTime) {
  const std::string value = encoded(Expiring<std::string>{Timestamp(kNow - 100), "x"});
  EXPECT_TRUE(dropped(TimesPlace::kBefore, 100, value));
  EXPECT_FALSE(dropped(TimesPlace::kBefore, 101, value));
  EXPECT_FALSE(dropped(TimesPlace::kNone, 1, value));
}

TEST(ColdExpiry, AListGoesWithItsLastElement) {
  ExpiringList<std::string> list;
  list.add("old", Timestamp(1));
  list.add("new", Timestamp(kNow - 100));
  EXPECT_TRUE(dropped(TimesPlace::kBehindList, 100, encoded(list)));
  EXPECT_FALSE(dropped(TimesPlace::kBehindList, 101, encoded(list)));
}

TEST(ColdExpiry, AMapGoesWithTheEntryTouchedLast) {
  for (const int newest : {0, 150, 299}) {
    ExpiringMap<int64_t, std::string> map;
    for (int key = 0; key < 300; ++key) {
      map.at(key, Timestamp(key == newest ? kNow - 100 : key)).entry.second = std::string(7, 'v');
    }
    EXPECT_TRUE(dropped(TimesPlace::kBehindMap, 100, encoded(map)));
    EXPECT_FALSE(dropped(TimesPlace::kBehindMap, 101, encoded(map)));
  }
}

TEST(ColdExpiry, WhatIsNoValueStays) {
  for (const TimesPlace times : {TimesPlace::kBefore, TimesPlace::kBehindList, TimesPlace::kBehindMap}) {
    for (const std::string& bytes : {std::string(), std::string(7, '\0')})
      EXPECT_FALSE(dropped(times, 1, bytes));
  }
  EXPECT_FALSE(dropped(TimesPlace::kBehindMap, 1, std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9)));
  EXPECT_FALSE(dropped(TimesPlace::kBehindMap, 1, std::string(9, '\0'))) << "a map of nothing";
  EXPECT_FALSE(dropped(TimesPlace::kBehindMap, 1, std::string("\x02", 1) + std::string(8, '\0')));
}

TEST(ColdExpiry, NothingExpiresBeforeTheBeginningOfTime) {
  const auto clock = std::make_shared<ColdExpiry::Clock>(std::numeric_limits<int64_t>::min());
  const ColdExpiry expiry({{1, {TimesPlace::kBefore, Duration(1)}}}, clock);
  EXPECT_FALSE(expiry.drops(keyOf(1), encoded(Expiring<int64_t>{Timestamp::min(), 1})));
  *clock = std::numeric_limits<int64_t>::min() + 1;
  EXPECT_TRUE(expiry.drops(keyOf(1), encoded(Expiring<int64_t>{Timestamp::min(), 1})));
}

/// Entries of the store, once it has written what it has in memory.
size_t entriesOf(ColdStore& store) {
  store.commit();
  (void)store.files();
  size_t entries = 0;
  for (const auto scan = store.scan("", std::string(8, '\xff')); scan->valid(); scan->next()) ++entries;
  return entries;
}

TEST(ColdExpiry, AStoreForgetsWhatExpired) {
  for (const bool cleans : {true, false}) {
    const std::shared_ptr<ColdStore> store = newTestStore();
    const StateTtl ttl = StateTtl::after(Duration(kLife));
    KeyedStateBackend backend(typeOps<int64_t>(),
                              {.processingTime = Timestamp(1000), .cold = store, .cacheBytes = 1});
    auto mortal = backend.state(
        ListStateDescriptor<int64_t>("mortal").ttl(cleans ? ttl : ttl.disableCleanupInBackground()));
    auto eternal = backend.state(ValueStateDescriptor<int64_t>("eternal"));
    const auto add = [&](int64_t from) {
      for (int64_t key = from; key < from + 100; ++key) {
        backend.setCurrentKey(hashKey(key), key);
        mortal.add(key);
        eternal.set(key);
      }
      backend.clearCurrentKey();
      backend.keepToBudget();
    };
    add(0);
    EXPECT_EQ(entriesOf(*store), 200u) << "alive as they are written";
    backend.setProcessingTime(Timestamp(1000 + kLife / 2));
    add(100);
    backend.setProcessingTime(Timestamp(1000 + kLife));
    add(1000);
    EXPECT_EQ(entriesOf(*store), 600u) << "what was written then was alive";
    // The first hundred are in files already, which are merged in the store's own time.
    backend.setProcessingTime(Timestamp(1000 + kLife + kLife / 2));
    add(200);
    backend.setProcessingTime(Timestamp(2000 + kLife));
    // Written anew, and expired by the time that they reach the disk.
    EXPECT_EQ(entriesOf(*store), cleans ? 700u : 800u);
    int64_t key = 250;
    backend.setCurrentKey(hashKey(key), key);
    EXPECT_TRUE(mortal.isEmpty());
    EXPECT_EQ(eternal.get(), 250);
    key = 0;
    backend.setCurrentKey(hashKey(key), key);
    EXPECT_TRUE(mortal.isEmpty()) << "whether the store still has it or not";
  }
}

}  // namespace
}  // namespace flott
