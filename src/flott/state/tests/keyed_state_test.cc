#include "flott/state/keyed_state.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/env/simulated.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/tests/cold_fixture.h"

namespace flott {
namespace {

class KeyedState : public testing::TestWithParam<Where> {
 protected:
  void key(const std::string& k) {
    current_ = k;
    backend_.setCurrentKey(hashKey(current_), current_);
  }

  KeyedStateBackend backend_{typeOps<std::string>(), GetParam()()};
  std::string current_;
};

TEST_P(KeyedState, ValueHasADefault) {
  ValueState<int64_t> plain = backend_.state(ValueStateDescriptor<int64_t>("plain"));
  ValueState<std::string> greeting =
      backend_.state(ValueStateDescriptor<std::string>("greeting").defaultValue("hi"));
  key("a");
  EXPECT_EQ(plain.get(), 0);
  EXPECT_FALSE(plain.has());
  EXPECT_EQ(greeting.get(), "hi");
  greeting.set("hello");
  plain.set(3);
  key("b");
  EXPECT_EQ(greeting.get(), "hi");
  key("a");
  EXPECT_EQ(greeting.get(), "hello");
  EXPECT_TRUE(plain.has());
  greeting.clear();
  EXPECT_EQ(greeting.get(), "hi");
}

TEST_P(KeyedState, ValueIsUpdatedInPlace) {
  ValueState<std::string> text = backend_.state(ValueStateDescriptor<std::string>("text").defaultValue("a"));
  key("k");
  text.update([](std::string& t) { t += "b"; });
  text.update([](std::string& t) { t += "c"; });
  EXPECT_EQ(text.get(), "abc");
}

// By kind of access, and told on which state.
class Metered final : public StateMeter {
 public:
  explicit Metered(const Clock& clock) : clock_(clock) {}
  std::unique_ptr<StateTimes> timesOf(const std::string& state) override {
    return std::make_unique<StateTimes>(1, clock_, [this, state](StateAccess access, int64_t) {
      text += state + " " + std::string(latencyName(access)) + "\n";
    });
  }
  std::string taken() { return std::exchange(text, {}); }

 private:
  const Clock& clock_;
  std::string text;
};

TEST(MeasuredState, TellsEachAccessOnce) {
  for (const bool expires : {false, true}) {
    SimulatedEnv world(1);
    Metered meter(world.clock());
    KeyedStateBackend backend(typeOps<int64_t>(), {.meter = &meter});
    const StateTtl ttl = expires ? StateTtl::after(Duration::seconds(9)) : StateTtl::disabled();
    auto value = backend.state(ValueStateDescriptor<int64_t>("v").ttl(ttl));
    auto list = backend.state(ListStateDescriptor<int64_t>("l").ttl(ttl));
    auto map = backend.state(MapStateDescriptor<int64_t, int64_t>("m").ttl(ttl));
    auto sum = backend.state(
        ReducingStateDescriptor<int64_t>("r", [](int64_t a, int64_t b) { return a + b; }).ttl(ttl));
    const int64_t key = 7;
    backend.setCurrentKey(hashKey(key), key);
    value.set(value.get() + 1);
    value.update([](int64_t& v) { ++v; });
    (void)value.has();
    EXPECT_EQ(meter.taken(),
              "v valueStateGetLatency\nv valueStateUpdateLatency\nv valueStateUpdateLatency\n"
              "v valueStateGetLatency\n");
    list.add(1);
    list.addAll(std::vector<int64_t>{2, 3});
    (void)list.get();
    list.set({});
    EXPECT_EQ(meter.taken(),
              "l listStateAddLatency\nl listStateAddAllLatency\nl listStateGetLatency\n"
              "l listStateUpdateLatency\n");
    map.put(1, 2);
    (void)map.get(1);
    (void)map.contains(1);
    (void)map.isEmpty();
    (void)map.entries();
    EXPECT_TRUE(map.remove(1));
    EXPECT_EQ(meter.taken(),
              "m mapStatePutLatency\nm mapStateGetLatency\nm mapStateContainsLatency\n"
              "m mapStateIsEmptyLatency\nm mapStateEntriesInitLatency\nm mapStateRemoveLatency\n");
    sum.add(3);
    (void)sum.get();
    sum.clear();
    EXPECT_EQ(meter.taken(), "r reducingStateAddLatency\nr reducingStateGetLatency\nr stateClearLatency\n");
  }
}

TEST(MeasuredState, TakesTheTimeOfOneInSoMany) {
  SimulatedEnv world(1);
  std::vector<int64_t> taken;
  StateTimes times(3, world.clock(), [&taken](StateAccess, int64_t nanos) { taken.push_back(nanos); });
  for (int i = 0; i < 7; ++i) {
    const MeasuredAccess access(&times, StateAccess::kMapGet);
    const MeasuredAccess other(&times, StateAccess::kMapPut);
    world.clock().advance(Duration::millis(1));
  }
  EXPECT_EQ(taken, (std::vector<int64_t>(4, 1'000'000))) << "of each kind the third and the sixth";
}

TEST_P(KeyedState, IsCountedByState) {
  ValueState<int64_t> plain = backend_.state(ValueStateDescriptor<int64_t>("plain"));
  const ListStateDescriptor<std::string> list("list");
  for (const std::string k : {"a", "b", "c"}) {
    key(k);
    plain.set(1);
    if (k != "c") backend_.stateIn(7, list).add("text");
    if (k == "a") backend_.stateIn(8, list).add("text");
  }
  const std::vector<KeyedStateBackend::Size> sizes = backend_.sizes();
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(sizes[0].state, "plain");
  EXPECT_EQ(sizes[0].entries, 3u);
  EXPECT_GT(sizes[0].bytes, 0u);
  EXPECT_EQ(sizes[1].entries, 3u) << "of all windows";
}

TEST_P(KeyedState, NamespacesAreApartAndGoAsAWhole) {
  const ValueStateDescriptor<int64_t> count("count");
  const ListStateDescriptor<std::string> list("list");
  ValueState<int64_t> plain = backend_.state(count);
  for (const std::string k : {"a", "b"}) {
    key(k);
    plain.set(1);
    backend_.stateIn(7, count).set(2);
    backend_.stateIn(8, count).set(3);
    backend_.stateIn(7, list).add(k);
  }
  key("a");
  EXPECT_EQ(plain.get(), 1);
  EXPECT_EQ(backend_.stateIn(7, count).get(), 2);
  EXPECT_EQ(backend_.stateIn(8, count).get(), 3);
  backend_.clearNamespace(7);
  EXPECT_FALSE(backend_.stateIn(7, count).has());
  EXPECT_TRUE(backend_.stateIn(7, list).isEmpty());
  EXPECT_EQ(backend_.stateIn(8, count).get(), 3);
  key("b");
  EXPECT_EQ(backend_.stateIn(7, count).get(), 2);
  backend_.dropNamespace(8);
  EXPECT_FALSE(backend_.stateIn(8, count).has());
  EXPECT_EQ(backend_.stateIn(7, count).get(), 2);
  EXPECT_EQ(plain.get(), 1);
}

TEST_P(KeyedState, ListKeepsItsOrder) {
  ListState<std::string> list = backend_.state(ListStateDescriptor<std::string>("list"));
  key("k");
  EXPECT_TRUE(list.isEmpty());
  EXPECT_TRUE(list.get().empty());
  list.add("one");
  list.addAll(std::vector<std::string>{"two", "three"});
  EXPECT_EQ(list.get().size(), 3u);
  EXPECT_EQ(list.get()[2], "three");
  list.set({"four"});
  EXPECT_EQ(list.get()[0], "four");
  list.set({});
  EXPECT_TRUE(list.isEmpty());
}

TEST_P(KeyedState, MapIsWalkedInTheOrderOfInsertion) {
  MapState<std::string, int64_t> map = backend_.state(MapStateDescriptor<std::string, int64_t>("map"));
  key("k");
  EXPECT_TRUE(map.isEmpty());
  EXPECT_TRUE(map.entries().empty());
  for (int64_t i = 20; i > 0; --i) map.put("key " + std::to_string(i), i);
  map.put("key 20", -20);  // keeps its place
  EXPECT_TRUE(map.remove("key 19"));
  EXPECT_FALSE(map.remove("key 19"));
  map.put("key 19", 19);  // goes to the end
  map.update("key 18", [](int64_t& value) { value = 180; });
  std::vector<int64_t> values;
  for (const auto& [name, value] : map.entries()) values.push_back(value);
  EXPECT_EQ(values.front(), -20);
  EXPECT_EQ(values[1], 180);
  EXPECT_EQ(values.back(), 19);
  EXPECT_EQ(map.size(), 20u);
  EXPECT_TRUE(map.contains("key 1"));
  EXPECT_EQ(*map.get("key 1"), 1);
  EXPECT_EQ(map.get("key 21"), nullptr);
  map.clear();
  EXPECT_EQ(map.size(), 0u);
}

TEST_P(KeyedState, ReducingFoldsWhatIsAdded) {
  ReducingState<int64_t> largest = backend_.state(
      ReducingStateDescriptor<int64_t>("largest", [](int64_t a, int64_t b) { return std::max(a, b); }));
  key("k");
  EXPECT_EQ(largest.get(), nullptr);
  for (const int64_t n : {-5, 8, 3}) largest.add(n);
  EXPECT_EQ(*largest.get(), 8);
  largest.clear();
  EXPECT_EQ(largest.get(), nullptr);
}

struct Mean {
  struct Sum {
    int64_t sum = 0;
    int64_t count = 0;
  };
  Sum createAccumulator() const { return {}; }
  void add(const int64_t& value, Sum& sum) const {
    sum.sum += value;
    ++sum.count;
  }
  double getResult(const Sum& sum) const {
    return static_cast<double>(sum.sum) / static_cast<double>(sum.count);
  }
};

TEST_P(KeyedState, AggregatingGivesItsResult) {
  AggregatingState<int64_t, Mean::Sum, double> mean =
      backend_.state(AggregatingStateDescriptor<int64_t, Mean::Sum, double>("mean", Mean()));
  key("k");
  EXPECT_FALSE(mean.get().has_value());
  for (const int64_t n : {1, 2, 6}) mean.add(n);
  EXPECT_DOUBLE_EQ(mean.get().value(), 3.0);
}

TEST_P(KeyedState, OneNameIsOneState) {
  ValueState<int64_t> first = backend_.state(ValueStateDescriptor<int64_t>("count"));
  ValueState<int64_t> second = backend_.state(ValueStateDescriptor<int64_t>("count"));
  key("k");
  first.set(4);
  EXPECT_EQ(second.get(), 4);
  EXPECT_EQ(
      errorText([&] { (void)backend_.state(ValueStateDescriptor<std::string>("count")); }),
      "state 'count' is registered as value of int64 and again as value of string: give each state of an "
      "operator a name of its own");
  EXPECT_EQ(
      errorText([&] { (void)backend_.state(ListStateDescriptor<int64_t>("count")); }),
      "state 'count' is registered as value of int64 and again as list of list<int64>: give each state of an "
      "operator a name of its own");
}

TEST_P(KeyedState, NeedsAKeyAndAnOrigin) {
  ValueState<int64_t> count = backend_.state(ValueStateDescriptor<int64_t>("count"));
  EXPECT_EQ(errorText([&] { count.set(1); }),
            "state 'count' was used where there is no current key: keyed state can be used while a record or "
            "a timer is "
            "worked on, not in open() or close()");
  EXPECT_EQ(
      errorText([&] { (void)ValueState<int64_t>().get(); }),
      "a state handle was used that no state was assigned to: get it in open() from the runtime context");
}

TEST_P(KeyedState, EveryKeyIsVisitedOnceInTheOrderOfTheHash) {
  const ValueStateDescriptor<int64_t> descriptor("count");
  ValueState<int64_t> count = backend_.state(descriptor);
  for (int64_t i = 0; i < 1'000; ++i) {
    key(std::to_string(i));
    count.set(i);
  }
  key("before");
  uint64_t last = 0;
  std::vector<int64_t> seen;
  backend_.applyToAllKeys<std::string>(descriptor, [&](const std::string& k, ValueState<int64_t>& state) {
    EXPECT_GE(hashKey(k), last);
    last = hashKey(k);
    EXPECT_EQ(std::to_string(state.get()), k);
    seen.push_back(state.get());
    if (state.get() % 2 == 0) {
      state.clear();
    } else {
      state.set(-state.get());
    }
  });
  EXPECT_EQ(seen.size(), 1'000u);
  key("31");
  EXPECT_EQ(count.get(), -31);
  key("32");
  EXPECT_FALSE(count.has());
}

TEST_P(KeyedState, SlicesComeInTheOrderOfTimeAndGoAsAWhole) {
  SliceStore<std::string, int64_t> slices = backend_.slices<std::string, int64_t>("slices");
  EXPECT_FALSE(slices.first().has_value());
  for (const int64_t end : {30, 10, 20}) {
    for (int i = 0; i < 10'000; ++i) {
      const std::string k = std::to_string(i);
      slices.at(Timestamp(end)).findOrInsert(hashKey(k), k) += end;
    }
  }
  const uint64_t used = backend_.budget().used();
  EXPECT_EQ(slices.first(), Timestamp(10));
  EXPECT_EQ(slices.after(Timestamp(10)), Timestamp(20));
  EXPECT_EQ(slices.after(Timestamp(30)), std::nullopt);
  EXPECT_EQ(*slices.at(Timestamp(20)).find(hashKey(std::string("7")), "7"), 20);
  slices.drop(Timestamp(10));
  slices.drop(Timestamp(11));
  EXPECT_FALSE(slices.find(Timestamp(10)).has_value());
  EXPECT_EQ(slices.first(), Timestamp(20));
  if (GetParam().cacheBytes == 0) {
    EXPECT_LT(backend_.budget().used(), used * 3 / 4);
  }
}

TEST(Slices, TheNextOneIsMadeReadyForAsManyKeys) {
  KeyedStateBackend backend(typeOps<int64_t>(), KeyedStateBackend::Options{});
  SliceStore<int64_t, int64_t> slices = backend.slices<int64_t, int64_t>("slices");
  const auto add = [&](int64_t end, int64_t keys) {  // returns how often segments came or moved
    TypedTable<int64_t, int64_t> table = slices.at(Timestamp(end));
    const uint64_t before = table.untyped().ticket();
    for (int64_t key = 0; key < keys; ++key) table.findOrInsert(hashKey(key), key) = end;
    return table.untyped().ticket() - before;
  };
  const uint64_t growing = add(1'000, 20'000);
  EXPECT_LT(add(2'000, 20'000), growing / 3);
  // Not so one for late records.
  add(500, 1);
  add(3'000, 1);
  EXPECT_LT(slices.at(Timestamp(500)).untyped().bytes(), slices.at(Timestamp(3'000)).untyped().bytes());
}

TEST_P(KeyedState, TheKeyMustBeAKey) {
  EXPECT_EQ(errorText([] { KeyedStateBackend backend(typeOps<OrderedMap<int64_t, int64_t>>(), {}); }),
            "a stream cannot be keyed by map<int64, int64>: use a number, a string, or a struct of such");
}

INSTANTIATE_TEST_SUITE_P(Backends, KeyedState, kEverywhere, nameOfPlace);

TEST(OrderedMap, MatchesAModel) {
  OrderedMap<int64_t, std::string> map;
  std::vector<std::pair<int64_t, std::string>> model;
  Random random(3);
  for (int step = 0; step < 20'000; ++step) {
    const auto k = static_cast<int64_t>(random.below(step % 4'000 < 2'000 ? 300 : 5));
    const auto at =
        std::find_if(model.begin(), model.end(), [&](const auto& entry) { return entry.first == k; });
    if (random.below(2) == 0) {
      const std::string value = std::to_string(step);
      map.put(k, value);
      if (at == model.end()) {
        model.emplace_back(k, value);
      } else {
        at->second = value;
      }
    } else {
      ASSERT_EQ(map.erase(k), at != model.end());
      if (at != model.end()) model.erase(at);
    }
    ASSERT_EQ(map.size(), model.size());
    if (step % 100 == 0) {
      size_t i = 0;
      for (const auto& entry : map) ASSERT_EQ(entry, model[i++]);
      ASSERT_EQ(i, model.size());
    }
  }
}

TEST(OrderedMap, IsEncodedAsAMapInItsOrder) {
  OrderedMap<std::string, int64_t> map;
  for (int64_t i = 30; i > 0; --i) map.put(std::to_string(i), i);
  std::string bytes;
  ByteWriter out(bytes);
  Codec<OrderedMap<std::string, int64_t>>::encode(map, out);
  OrderedMap<std::string, int64_t> copy;
  ByteReader in(bytes);
  Codec<OrderedMap<std::string, int64_t>>::decode(in, copy);
  EXPECT_TRUE(in.atEnd());
  EXPECT_TRUE(std::equal(map.begin(), map.end(), copy.begin(), copy.end()));
  EXPECT_EQ((describe<OrderedMap<std::string, int64_t>>().toString()), "map<string, int64>");
}

}  // namespace
}  // namespace flott
