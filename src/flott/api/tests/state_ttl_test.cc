// State with a time to live in whole jobs and single operators: under the simulated clock, idle, and over a
// crash.
#include "flott/state/state_ttl.h"

#include <gtest/gtest.h>

#include <chrono>

#include "flott/api/operator_harness.h"
#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/state/keyed_backend.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

struct Click {
  std::string user;
  int64_t page = 0;
  bool operator==(const Click&) const = default;
};

using Clicks = std::vector<Click>;

/// Lets a page of a user through once in a while.
class Dedup final : public KeyedProcessFunction<std::string, Click, Click> {
 public:
  explicit Dedup(StateTtl ttl, KeyedStateBackend** backend = nullptr) : ttl_(ttl), backend_(backend) {}

  void open(RuntimeContext& ctx) override {
    seen_ = ctx.state(MapStateDescriptor<int64_t, bool>("seen").ttl(ttl_));
    if (backend_ != nullptr) *backend_ = &ctx.operatorContext().keyedState(typeOps<std::string>());
  }
  void processElement(const Click& click, Context&, Collector<Click>& out) override {
    if (seen_.contains(click.page)) return;
    seen_.put(click.page, true);
    out.collect(click);
  }

 private:
  StateTtl ttl_;
  KeyedStateBackend** backend_;
  MapState<int64_t, bool> seen_;
};

Clicks taken(OneInputHarness<Click, Click>& harness) {
  Clicks clicks = harness.output();
  harness.takeEvents();
  return clicks;
}

TEST(StateTtlInOperators, FollowsTheClockOfTheTask) {
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<Click, Click> harness(options, [](const DataStream<Click>& clicks) {
      return clicks.keyBy(&Click::user).process(Dedup(StateTtl::after(1h)));
    });
    harness.pushBatch({{"ann", 1}, {"ann", 1}, {"bob", 1}});
    harness.advance(59min);
    harness.pushBatch({{"ann", 1}, {"ann", 2}});
    EXPECT_EQ(taken(harness), (Clicks{{"ann", 1}, {"bob", 1}, {"ann", 2}}));
    harness.advance(1min);
    harness.pushBatch({{"ann", 1}, {"ann", 2}, {"ann", 1}});
    EXPECT_EQ(taken(harness), (Clicks{{"ann", 1}}));
  });
}

TEST(StateTtlInOperators, ReadsKeepItAliveIfAsked) {
  OneInputHarness<Click, Click> harness({}, [](const DataStream<Click>& clicks) {
    return clicks.keyBy(&Click::user).process(Dedup(StateTtl::after(1h).updateTtlOnReadAndWrite()));
  });
  for (int half = 0; half < 10; ++half) {
    harness.push({"ann", 1});
    harness.advance(30min);
  }
  EXPECT_EQ(taken(harness), (Clicks{{"ann", 1}}));
  harness.advance(30min);
  harness.push({"ann", 1});
  EXPECT_EQ(taken(harness), (Clicks{{"ann", 1}}));
}

TEST(StateTtlInOperators, AnIdleOperatorGivesItsMemoryBack) {
  KeyedStateBackend* backend = nullptr;
  OneInputHarness<Click, Click> harness({}, [&](const DataStream<Click>& clicks) {
    return clicks.keyBy(&Click::user).process(Dedup(StateTtl::after(1h), &backend));
  });
  Clicks clicks;
  for (int64_t user = 0; user < 20'000; ++user) clicks.push_back({"user " + std::to_string(user), user});
  harness.pushBatch(clicks);
  ASSERT_NE(backend, nullptr);
  const uint64_t used = backend->budget().used();
  harness.advance(59min);
  EXPECT_EQ(backend->budget().used(), used);
  harness.advance(17min);
  EXPECT_LT(backend->budget().used(), used / 10);
  EXPECT_EQ(backend->cleanUpAt(), Timestamp::max()) << "the operator sleeps";
}

TEST(StateTtlInJobs, PagesComeThroughAgainWhenTheirTimeIsOver) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.fromGenerator<Click>(
           [](int64_t second) {
             return Click{"user", second % 2};
           },
           {.count = 40, .recordsPerSecond = 1})
        .keyBy(&Click::user)
        .process(Dedup(StateTtl::after(9s)))
        .map([](const Click& click) { return click.page; })
        .print();
    env.execute();
    EXPECT_EQ(world.sim().console().outText(), "0\n1\n0\n1\n0\n1\n0\n1\n") << "seed " << seed;
  }
}

}  // namespace
}  // namespace flott
