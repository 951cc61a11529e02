// State that was written as one type and goes on as another; key groups that became more or fewer.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/tests/error_text.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/keyed_snapshot.h"
#include "flott/state/operator_state.h"
#include "flott/state/tests/cold_fixture.h"
#include "flott/state/tests/stored_files.h"

namespace flott {

/// A type with a codec of its own.
struct Sticker {
  std::string text;
  bool operator==(const Sticker&) const = default;
};

template <>
struct Codec<Sticker> {
  static constexpr std::string_view kName = "sticker";
  static void encode(const Sticker& value, ByteWriter& out) { out.string(value.text); }
  static void decode(ByteReader& in, Sticker& value) { value.text = in.string(); }
};

namespace {

constexpr int64_t kKeys = 500;

namespace was {
struct Order {
  std::string item;
  int64_t price = 0;
  std::string note;
};
struct Total {
  int64_t sum = 0;
};
}  // namespace was

namespace now {
struct Order {
  int64_t price = 0;
  std::string currency = "EUR";
  std::string item;
  bool operator==(const Order&) const = default;
};
struct Total {
  int64_t sum = 0;
  int64_t count = 1;
};
}  // namespace now

std::string cutOf(KeyedStateBackend& backend) {
  KeyedSnapshotWriter writer(backend);
  while (!backend.encodeSome(100)) {
  }
  return writer.finish();
}

void setKey(KeyedStateBackend& backend, const int64_t& key) { backend.setCurrentKey(hashKey(key), key); }

template <typename Order, typename Total>
struct States {
  States(KeyedStateBackend& in, const StateTtl& ttl)
      : backend(in),
        value(in.state(ValueStateDescriptor<Order>("value").ttl(ttl))),
        list(in.state(ListStateDescriptor<Order>("list").ttl(ttl))),
        map(in.state(MapStateDescriptor<std::string, Order>("map").ttl(ttl))),
        reducing(in.state(ReducingStateDescriptor<Order>("reducing",
                                                         [](const Order& a, const Order& b) {
                                                           Order sum = a;
                                                           sum.price += b.price;
                                                           return sum;
                                                         })
                              .ttl(ttl))),
        aggregating(
            in.state(AggregatingStateDescriptor<int64_t, Total, int64_t>("aggregating", Summing()).ttl(ttl))),
        table(in.template table<int64_t, Order>("table")),
        slices(in.template slices<int64_t, Total>("slices")) {}

  struct Summing {
    Total createAccumulator() const { return {}; }
    void add(const int64_t& in, Total& total) const { total.sum += in; }
    int64_t getResult(const Total& total) const { return total.sum; }
  };

  KeyedStateBackend& backend;
  ValueState<Order> value;
  ListState<Order> list;
  MapState<std::string, Order> map;
  ReducingState<Order> reducing;
  AggregatingState<int64_t, Total, int64_t> aggregating;
  TypedTable<int64_t, Order> table;
  SliceStore<int64_t, Total> slices;
};

was::Order orderWas(int64_t n) {
  return {"item " + std::to_string(n), n, std::string(static_cast<size_t>((n + kKeys) % 5), 'n')};
}
now::Order orderNow(int64_t n) { return {n, "EUR", "item " + std::to_string(n)}; }

const StateTtl kTtl = StateTtl::after(Duration::seconds(1));

template <typename F>
void write(Where where, const StateTtl& ttl, KeyGroupRange groups, uint32_t max, F&& cut) {
  KeyedStateBackend backend(
      typeOps<int64_t>(),
      where({.keyGroups = groups, .maxParallelism = max, .processingTime = Timestamp(1000)}));
  States<was::Order, was::Total> states(backend, ttl);
  for (int64_t key = 0; key < kKeys; ++key) {
    if (!groups.contains(keyGroupOf(hashKey(key), max))) continue;
    setKey(backend, key);
    states.value.set(orderWas(key));
    states.list.add(orderWas(key + 1));
    states.list.add(orderWas(key + 2));
    states.map.put("a", orderWas(key + 3));
    states.map.put("b", orderWas(key + 4));
    states.reducing.add(orderWas(key));
    states.reducing.add(orderWas(10));
    states.aggregating.add(key);
    states.table.findOrInsert(hashKey(key), key) = orderWas(key + 5);
    states.slices.at(Timestamp(key % 3)).findOrInsert(hashKey(key), key).sum = key;
    backend.eventTimers().add(backend.currentKey(), Timestamp(key % 7));
    backend.stateIn(5, ValueStateDescriptor<was::Order>("windowed")).set(orderWas(-key));
  }
  cut(backend);
}

std::string written(Where where, const StateTtl& ttl, KeyGroupRange groups = {0, 128}, uint32_t max = 128) {
  std::string section;
  write(where, ttl, groups, max, [&](KeyedStateBackend& backend) { section = cutOf(backend); });
  return section;
}

void check(StoredFiles::Start start, const StateTtl& ttl, KeyGroupRange groups, uint32_t max, int64_t& seen,
           int64_t& fired, bool expiredLater) {
  KeyedStateBackend backend(typeOps<int64_t>(), start.options, std::move(start.restored));
  States<now::Order, now::Total> states(backend, ttl);
  for (int64_t key = 0; key < kKeys; ++key) {
    if (!groups.contains(keyGroupOf(hashKey(key), max))) continue;
    ++seen;
    setKey(backend, key);
    EXPECT_EQ(states.value.get(), orderNow(key));
    EXPECT_EQ(std::vector<now::Order>(states.list.get().begin(), states.list.get().end()),
              (std::vector<now::Order>{orderNow(key + 1), orderNow(key + 2)}));
    EXPECT_EQ(*states.map.get("a"), orderNow(key + 3));
    EXPECT_EQ(*states.map.get("b"), orderNow(key + 4));
    EXPECT_EQ(*states.reducing.get(), (now::Order{key + 10, "EUR", "item " + std::to_string(key)}));
    EXPECT_EQ(*states.aggregating.get(), key);
    EXPECT_EQ(*states.table.find(hashKey(key), key), orderNow(key + 5));
    EXPECT_EQ(states.slices.at(Timestamp(key % 3)).find(hashKey(key), key)->sum, key);
    EXPECT_EQ(states.slices.at(Timestamp(key % 3)).find(hashKey(key), key)->count, 1);
    EXPECT_EQ(backend.stateIn(5, ValueStateDescriptor<now::Order>("windowed")).get(), orderNow(-key));
  }
  Timer timer;
  while (backend.eventTimers().popDue(Timestamp(7), timer)) ++fired;
  if (!ttl.enabled()) return;
  backend.setProcessingTime(Timestamp(2001));
  for (int64_t key = 0; key < kKeys; ++key) {
    if (!groups.contains(keyGroupOf(hashKey(key), max))) continue;
    setKey(backend, key);
    EXPECT_EQ(states.value.has(), !expiredLater);
    return;
  }
}

void check(RestoredKeyedState restored, Where where, const StateTtl& ttl, KeyGroupRange groups, uint32_t max,
           int64_t& seen, int64_t& fired, bool expiredLater = false) {
  check({where({.keyGroups = groups, .maxParallelism = max, .processingTime = Timestamp(1500)}),
         std::move(restored)},
        ttl, groups, max, seen, fired, expiredLater);
}

void evolve(Where from, Where to) {
  const StateTtl forever = StateTtl::disabled();
  for (const auto& [before, after] :
       {std::pair{forever, forever}, {forever, kTtl}, {kTtl, forever}, {kTtl, kTtl}}) {
    RestoredKeyedState restored;
    restored.add(written(from, before), {0, 128});
    KeyedStateBackend backend(typeOps<int64_t>(), to({.processingTime = Timestamp(1500)}),
                              std::move(restored));
    States<now::Order, now::Total> states(backend, after);
    RestoredKeyedState again;
    again.add(cutOf(backend), {0, 128});
    int64_t seen = 0;
    int64_t fired = 0;
    // What had no time to live begins its life when it is restored, at 1500.
    check(std::move(again), {}, after, {0, 128}, 128, seen, fired, before.enabled());
    EXPECT_EQ(seen, kKeys);
    EXPECT_EQ(fired, kKeys);
  }
}

/// By way of a store's files, or of a section that is put into a store entry by entry.
void evolveOnDisk(Where to, bool bySection) {
  const StateTtl forever = StateTtl::disabled();
  constexpr Where kDisk{30'000};
  for (const auto& [before, after] :
       {std::pair{forever, forever}, {forever, kTtl}, {kTtl, forever}, {kTtl, kTtl}}) {
    StoredFiles stored;
    int64_t seen = 0;
    int64_t fired = 0;
    StoredFiles::Cut cut;
    if (bySection) {
      cut.section = written({}, before);
    } else {
      write(kDisk, before, {0, 128}, 128, [&](KeyedStateBackend& backend) { cut = stored.cut(backend); });
      ASSERT_TRUE(cut.cold);
    }
    for (const KeyGroupRange groups : {KeyGroupRange{0, 50}, {50, 128}}) {
      const KeyedStateBackend::Options options{.keyGroups = groups, .processingTime = Timestamp(1500)};
      StoredFiles::Start start =
          bySection ? stored.load(cut.section, options) : stored.fetch({cut}, to, options);
      if (bySection) start.options.cacheBytes = to.cacheBytes;
      check(std::move(start), after, groups, 128, seen, fired, before.enabled());
    }
    EXPECT_EQ(seen, kKeys);
    EXPECT_EQ(fired, kKeys);
  }
}

TEST(SchemaEvolution, OfStoresThatAreStoredAsTheirFiles) {
  evolveOnDisk({}, false);
  evolveOnDisk({30'000}, false);
}
TEST(SchemaEvolution, OfSectionsThatGoToTheDiskEntryByEntry) { evolveOnDisk({30'000}, true); }

TEST(SchemaEvolution, EveryKindOfState) { evolve({}, {}); }
TEST(SchemaEvolution, FromOneBackendToTheOther) {
  evolve({}, {20'000});
  evolve({20'000}, {});
}

TEST(SchemaEvolution, WhatWasRegisteredLateMayBeOfBothTypes) {
  RestoredKeyedState restored;
  restored.add(written({}, kTtl, {0, 64}), {0, 128});
  restored.add(written({}, StateTtl::disabled(), {64, 128}), {0, 128});
  ASSERT_EQ(restored.states().at("value").others.size(), 1u);
  // Nothing is registered: both types are in the next snapshot as well.
  KeyedStateBackend between(typeOps<int64_t>(), {.processingTime = Timestamp(1000)}, std::move(restored));
  RestoredKeyedState again;
  again.add(cutOf(between), {0, 128});
  ASSERT_EQ(again.states().at("value").others.size(), 1u);
  int64_t seen = 0;
  int64_t fired = 0;
  check(std::move(again), {}, StateTtl::disabled(), {0, 128}, 128, seen, fired);
  EXPECT_EQ(seen, kKeys);
  EXPECT_EQ(fired, kKeys);
}

TEST(SchemaEvolution, KeyGroupsMayBecomeMoreOrFewer) {
  for (const uint32_t before : {1u, 16u, 128u, 1024u}) {
    for (const uint32_t after : {1u, 16u, 64u, 128u, 2048u}) {
      for (const auto& [wasSubtasks, isSubtasks] : {std::pair{1u, 1u}, {1u, 3u}, {3u, 2u}}) {
        if (wasSubtasks > before || isSubtasks > after) continue;
        std::vector<std::string> sections;
        for (uint32_t subtask = 0; subtask < wasSubtasks; ++subtask)
          sections.push_back(
              written({}, StateTtl::disabled(), keyGroupRange(subtask, before, wasSubtasks), before));
        int64_t seen = 0;
        int64_t fired = 0;
        for (uint32_t subtask = 0; subtask < isSubtasks; ++subtask) {
          const KeyGroupRange groups = keyGroupRange(subtask, after, isSubtasks);
          RestoredKeyedState restored;
          for (const std::string& section : sections) restored.add(section, groups, before, after);
          // Once through a snapshot in which nothing is registered.
          KeyedStateBackend between(typeOps<int64_t>(), {.keyGroups = groups, .maxParallelism = after},
                                    std::move(restored));
          RestoredKeyedState again;
          again.add(cutOf(between), groups, after, after);
          check(std::move(again), {}, StateTtl::disabled(), groups, after, seen, fired);
        }
        EXPECT_EQ(seen, kKeys) << before << " to " << after;
        EXPECT_EQ(fired, kKeys) << before << " to " << after;
      }
    }
  }
}

TEST(SchemaEvolution, KeyGroupsOfTypesWithACodecOfTheirOwn) {
  KeyedStateBackend first(typeOps<int64_t>(), {});
  auto value = first.state(ValueStateDescriptor<Sticker>("value").ttl(kTtl));
  for (int64_t key = 0; key < kKeys; ++key) {
    setKey(first, key);
    value.set({std::to_string(key)});
  }
  const std::string section = cutOf(first);
  const auto raised = [&](KeyGroupRange groups) {
    RestoredKeyedState restored;
    restored.add(section, groups, 128, 256);
    return restored;
  };
  KeyedStateBackend late(typeOps<int64_t>(), {.keyGroups = {0, 256}, .maxParallelism = 256},
                         raised({0, 256}));
  EXPECT_EQ(
      errorText([&] { cutOf(late); }),
      "state 'value' was restored with more key groups than it was written with, and its custom(sticker) can "
      "only be told apart once it is registered: register it in open(), or keep the max parallelism");
  int64_t seen = 0;
  for (const KeyGroupRange groups : {KeyGroupRange{0, 85}, {85, 256}}) {
    KeyedStateBackend second(typeOps<int64_t>(), {.keyGroups = groups, .maxParallelism = 256},
                             raised(groups));
    auto again = second.state(ValueStateDescriptor<Sticker>("value").ttl(kTtl));
    for (int64_t key = 0; key < kKeys; ++key) {
      if (!groups.contains(keyGroupOf(hashKey(key), 256))) continue;
      setKey(second, key);
      EXPECT_EQ(again.get().text, std::to_string(key));
      ++seen;
    }
  }
  EXPECT_EQ(seen, kKeys);
}

// What the program has under "value" now, after `written`.
template <typename Descriptor>
std::string refusal(const Descriptor& descriptor) {
  RestoredKeyedState restored;
  restored.add(written({}, StateTtl::disabled()), {0, 128});
  KeyedStateBackend backend(typeOps<int64_t>(), {}, std::move(restored));
  return errorText([&] { backend.state(descriptor); });
}

TEST(SchemaEvolution, WhatDoesNotFitIsNamed) {
  struct Wider {
    std::string item;
    double price;
  };
  EXPECT_EQ(
      refusal(ValueStateDescriptor<Wider>("value")),
      "state 'value' does not fit the snapshot: field 'price' was int64 and is now double. Keep the field's "
      "type, or give it another name: it then begins with its default");
  EXPECT_EQ(refusal(ListStateDescriptor<Wider>("list")),
            "state 'list' does not fit the snapshot: field '[].price' was int64 and is now double. Keep the "
            "field's type, or give it another name: it then begins with its default");
  EXPECT_EQ(
      refusal(ValueStateDescriptor<int64_t>("value")),
      "state 'value' is value of struct{item: string, price: int64, note: string} in the snapshot and value "
      "of int64 in the program (the value was struct{item: string, price: int64, note: string} and is now "
      "int64): keep its type, or give the state another name to begin it anew");
  EXPECT_EQ(
      refusal(MapStateDescriptor<int64_t, was::Order>("map")),
      "state 'map' is map of map<string, struct{item: string, price: int64, note: string}> in the snapshot "
      "and map of map<int64, struct{item: string, price: int64, note: string}> in the program (the value was "
      "map<string, struct{item: string, price: int64, note: string}> and is now map<int64, struct{item: "
      "string, price: int64, note: string}>): keep its type, or give the state another name to begin it "
      "anew");
  EXPECT_EQ(refusal(ListStateDescriptor<was::Order>("value")).substr(0, 78),
            "state 'value' is value of struct{item: string, price: int64, note: string} in ");
}

TEST(SchemaEvolution, KeysStay) {
  struct KeyWas {
    int64_t user = 0;
    bool operator==(const KeyWas&) const = default;
  };
  struct KeyNow {
    int64_t user = 0;
    int64_t shop = 0;
    bool operator==(const KeyNow&) const = default;
  };
  KeyedStateBackend first(typeOps<KeyWas>(), {});
  first.state(ValueStateDescriptor<int64_t>("value"));
  RestoredKeyedState restored;
  restored.add(cutOf(first), {0, 128});
  EXPECT_EQ(
      errorText([&] { KeyedStateBackend(typeOps<KeyNow>(), {}, std::move(restored)); }),
      "the snapshot has keys of type struct{user: int64}, the program of type struct{user: int64, shop: "
      "int64}: the type of a key cannot change; give the operator another uid to start without this state");
}

// --- state of operators ---

OperatorStateImage readBack(const OperatorStateImage& image) {
  std::string bytes;
  ByteWriter out(bytes);
  image.encode(out);
  ByteReader in(bytes);
  return OperatorStateImage::decode(in);
}

OperatorStateImage operatorStateWas() {
  OperatorStateBackend backend;
  backend.list<was::Order>("list").set({orderWas(1), orderWas(2)});
  backend.unionList<was::Order>("union").set({orderWas(3)});
  auto& rules = backend.broadcast(MapStateDescriptor<std::string, was::Order>("rules"));
  rules.put("z", orderWas(4));
  rules.put("a", orderWas(5));
  return readBack(backend.snapshot());
}

TEST(SchemaEvolution, StateOfOperators) {
  OperatorStateBackend backend(operatorStateWas());
  EXPECT_EQ(backend.list<now::Order>("list").get(), (std::vector<now::Order>{orderNow(1), orderNow(2)}));
  EXPECT_EQ(backend.unionList<now::Order>("union").get(), std::vector<now::Order>{orderNow(3)});
  const auto& rules = backend.broadcast(MapStateDescriptor<std::string, now::Order>("rules"));
  EXPECT_EQ(*rules.get("z"), orderNow(4));
  EXPECT_EQ(*rules.get("a"), orderNow(5));
  struct Wider {
    std::string item;
    double price;
  };
  OperatorStateBackend wrong(operatorStateWas());
  EXPECT_EQ(
      errorText([&] { wrong.list<Wider>("list"); }),
      "state 'list' does not fit the snapshot: field 'price' was int64 and is now double. Keep the field's "
      "type, or give it another name: it then begins with its default");
  EXPECT_EQ(
      errorText([&] { wrong.broadcast(MapStateDescriptor<int64_t, was::Order>("rules")); }),
      "state 'rules' is broadcast state of map<string, struct{item: string, price: int64, note: string}> in "
      "the snapshot and broadcast state of map<int64, struct{item: string, price: int64, note: string}> in "
      "the program: keep its type, or give the state another name to begin it anew");
}

TEST(SchemaEvolution, SubtasksMayHaveStoredStateOfOperatorsAsBothTypes) {
  OperatorStateBackend newer(operatorStateWas());
  newer.list<now::Order>("list");
  newer.broadcast(MapStateDescriptor<std::string, now::Order>("rules"));
  const std::vector<OperatorStateImage> old = {operatorStateWas(), readBack(newer.snapshot())};
  const std::vector<OperatorStateImage> dealt = split(old, 1);
  OperatorStateBackend backend(readBack(dealt[0]));
  EXPECT_EQ(backend.list<now::Order>("list").get(),
            (std::vector<now::Order>{orderNow(1), orderNow(2), orderNow(1), orderNow(2)}));
  EXPECT_EQ(backend.unionList<now::Order>("union").get(),
            (std::vector<now::Order>{orderNow(3), orderNow(3)}));
  EXPECT_EQ(backend.broadcast(MapStateDescriptor<std::string, now::Order>("rules")).size(), 2u);
}

}  // namespace
}  // namespace flott
