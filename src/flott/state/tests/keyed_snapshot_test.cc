// Keyed state from one backend to others: all kinds, key groups dealt out anew, states registered late, types
// that changed.
#include "flott/state/keyed_snapshot.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/tests/cold_fixture.h"

namespace flott {
namespace {

std::string cutOf(KeyedStateBackend& backend) {
  KeyedSnapshotWriter writer(backend);
  while (!backend.encodeSome(100)) {
  }
  return writer.finish();
}

void setKey(KeyedStateBackend& backend, const int64_t& key) { backend.setCurrentKey(hashKey(key), key); }

/// What is written in one place is restored in another.
void changeParallelism(Where from, Where to) {
  for (const auto& [before, after] : {std::pair<uint32_t, uint32_t>{1, 1}, {1, 3}, {3, 2}, {2, 5}}) {
    std::vector<std::string> sections;
    for (uint32_t subtask = 0; subtask < before; ++subtask) {
      const KeyGroupRange groups = keyGroupRange(subtask, 128, before);
      KeyedStateBackend backend(typeOps<int64_t>(), from({.keyGroups = groups}));
      auto value = backend.state(ValueStateDescriptor<int64_t>("value"));
      auto list = backend.state(ListStateDescriptor<std::string>("list"));
      auto map = backend.state(MapStateDescriptor<std::string, int64_t>("map"));
      auto sum = backend.state(ReducingStateDescriptor<int64_t>("sum", std::plus<int64_t>()));
      for (int64_t key = 0; key < 1000; ++key) {
        if (!groups.contains(keyGroupOf(hashKey(key), 128))) continue;
        setKey(backend, key);
        value.set(key * 2);
        list.add("a" + std::to_string(key));
        list.add("b");
        map.put("k", key);
        sum.add(key);
        sum.add(1);
        backend.eventTimers().add(backend.currentKey(), Timestamp(key % 7));
        backend.stateIn(5, ValueStateDescriptor<int64_t>("windowed")).set(-key);
      }
      sections.push_back(cutOf(backend));
    }
    int64_t seen = 0;
    int64_t fired = 0;
    for (uint32_t subtask = 0; subtask < after; ++subtask) {
      const KeyGroupRange groups = keyGroupRange(subtask, 128, after);
      RestoredKeyedState restored;
      for (const std::string& section : sections) restored.add(section, groups);
      KeyedStateBackend backend(typeOps<int64_t>(), to({.keyGroups = groups}), std::move(restored));
      auto value = backend.state(ValueStateDescriptor<int64_t>("value"));
      auto list = backend.state(ListStateDescriptor<std::string>("list"));
      auto map = backend.state(MapStateDescriptor<std::string, int64_t>("map"));
      auto sum = backend.state(ReducingStateDescriptor<int64_t>("sum", std::plus<int64_t>()));
      for (int64_t key = 0; key < 1000; ++key) {
        if (!groups.contains(keyGroupOf(hashKey(key), 128))) continue;
        ++seen;
        setKey(backend, key);
        EXPECT_EQ(value.get(), key * 2);
        EXPECT_EQ(std::vector<std::string>(list.get().begin(), list.get().end()),
                  (std::vector<std::string>{"a" + std::to_string(key), "b"}));
        EXPECT_EQ(*map.get("k"), key);
        EXPECT_EQ(*sum.get(), key + 1);
        EXPECT_EQ(backend.stateIn(5, ValueStateDescriptor<int64_t>("windowed")).get(), -key);
      }
      Timer timer;
      while (backend.eventTimers().popDue(Timestamp(7), timer)) ++fired;
    }
    EXPECT_EQ(seen, 1000);
    EXPECT_EQ(fired, 1000);
  }
}

TEST(KeyedSnapshot, AllKindsSurviveAnyChangeOfParallelism) { changeParallelism({}, {}); }
TEST(KeyedSnapshot, AllKindsSurviveAnyChangeOfParallelismAndBackend) {
  changeParallelism({}, {20'000});
  changeParallelism({1}, {});
  changeParallelism({20'000}, {1});
}

TEST(KeyedSnapshot, WhatIsToBeRestoredTravelsAsBytes) {
  KeyedStateBackend first(typeOps<int64_t>(), {});
  auto value = first.state(ValueStateDescriptor<int64_t>("value"));
  for (int64_t key = 0; key < 100; ++key) {
    setKey(first, key);
    value.set(key);
  }
  RestoredKeyedState restored;
  const KeyGroupRange groups{64, 256};  // of twice as many as there were
  restored.add(cutOf(first), groups, 128, 256);
  std::string bytes;
  ByteWriter out(bytes);
  restored.encode(out);
  ByteReader in(bytes);
  KeyedStateBackend second(typeOps<int64_t>(), {.keyGroups = groups, .maxParallelism = 256},
                           RestoredKeyedState::decode(in));
  EXPECT_TRUE(in.atEnd());
  auto same = second.state(ValueStateDescriptor<int64_t>("value"));
  int64_t mine = 0;
  for (int64_t key = 0; key < 100; ++key) {
    if (!groups.contains(keyGroupOf(hashKey(key), 256))) continue;
    ++mine;
    setKey(second, key);
    EXPECT_EQ(same.get(), key);
  }
  EXPECT_GT(mine, 50);
  for (size_t size = 0; size < bytes.size(); size += 7) {
    ByteReader cut(std::string_view(bytes).substr(0, size));
    EXPECT_THROW(RestoredKeyedState::decode(cut), Error) << size;
  }
}

TEST(KeyedSnapshot, WhatIsNotRegisteredStaysInTheNextSnapshot) {
  KeyedStateBackend first(typeOps<int64_t>(), {});
  auto value = first.state(ValueStateDescriptor<int64_t>("value"));
  for (int64_t key = 0; key < 100; ++key) {
    setKey(first, key);
    value.set(key);
  }
  RestoredKeyedState restored;
  restored.add(cutOf(first), {0, 128});
  KeyedStateBackend second(typeOps<int64_t>(), {}, std::move(restored));
  second.state(ValueStateDescriptor<int64_t>("other"));
  RestoredKeyedState again;
  again.add(cutOf(second), {0, 128});
  KeyedStateBackend third(typeOps<int64_t>(), {}, std::move(again));
  auto late = third.state(ValueStateDescriptor<int64_t>("value"));
  for (int64_t key = 0; key < 100; ++key) {
    setKey(third, key);
    EXPECT_EQ(late.get(), key);
  }
}

// A window may end before the state that a function keeps for it is used again.
TEST(KeyedSnapshot, WhatIsClearedBeforeItIsRegisteredStaysAway) {
  const ValueStateDescriptor<std::string> text("text");
  for (const Where where : {Where{0}, Where{1}}) {
    KeyedStateBackend backend(typeOps<int64_t>(), where());
    for (int64_t key = 0; key < 300; ++key) {
      setKey(backend, key);
      for (const int64_t window : {5, 6, 7}) backend.stateIn(window, text).set(std::to_string(key));
    }
    RestoredKeyedState restored;
    restored.add(cutOf(backend), {0, 128});
    KeyedStateBackend next(typeOps<int64_t>(), where(), std::move(restored));
    // Some twice, some that are not there.
    for (const int64_t key : {7, 8, 9, 200, 7, 1000, 0}) {
      setKey(next, key);
      next.clearNamespace(6);
    }
    for (int64_t key = 0; key < 300; ++key) {
      setKey(next, key);
      next.clearNamespace(7);
    }
    RestoredKeyedState again;
    again.add(cutOf(next), {0, 128});
    KeyedStateBackend last(typeOps<int64_t>(), where(), std::move(again));
    for (KeyedStateBackend* there : {&next, &last}) {
      for (int64_t key = 0; key < 300; ++key) {
        setKey(*there, key);
        const bool cleared = key == 0 || (key >= 7 && key <= 9) || key == 200;
        EXPECT_EQ(there->stateIn(5, text).get(), std::to_string(key));
        EXPECT_EQ(there->stateIn(6, text).has(), !cleared) << key;
        EXPECT_FALSE(there->stateIn(7, text).has()) << key;
      }
    }
  }
}

TEST(KeyedSnapshot, ATypeThatChangedIsNamedWithItsState) {
  KeyedStateBackend first(typeOps<int64_t>(), {});
  first.state(ValueStateDescriptor<int64_t>("count"));
  RestoredKeyedState restored;
  restored.add(cutOf(first), {0, 128});
  KeyedStateBackend second(typeOps<int64_t>(), {}, std::move(restored));
  try {
    second.state(ValueStateDescriptor<std::string>("count"));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 85),
              "state 'count' is value of int64 in the snapshot and value of string in the program (t");
  }
  RestoredKeyedState otherKeys;
  otherKeys.add(cutOf(first), {0, 128});
  try {
    KeyedStateBackend third(typeOps<std::string>(), {}, std::move(otherKeys));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 75),
              "the snapshot has keys of type int64, the program of type string: the type o");
  }
}

// A section that ends between two pieces is whole; the checksum of whoever keeps it tells that it was longer.
TEST(KeyedSnapshot, BytesThatAreCutOffAreRefusedOrHoldNoEntry) {
  KeyedStateBackend first(typeOps<int64_t>(), {});
  auto value = first.state(ValueStateDescriptor<int64_t>("value"));
  const int64_t key = 3;
  setKey(first, key);
  value.set(1);
  const std::string section = cutOf(first);
  for (size_t length = 1; length < section.size(); ++length) {
    try {
      RestoredKeyedState restored;
      restored.add(section.substr(0, length), {0, 128});
      KeyedStateBackend backend(typeOps<int64_t>(), {}, std::move(restored));
      setKey(backend, key);
      EXPECT_EQ(backend.state(ValueStateDescriptor<int64_t>("value")).get(), 0) << "cut off before the entry";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorruption);
    }
  }
}

}  // namespace
}  // namespace flott
