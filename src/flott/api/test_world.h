// Runs whole jobs in a test: one thread, virtual time, everything decided by a seed.
//
// A program is written as always, against the environment that environment() returns; execute() then steps
// its tasks on the test's thread in an order drawn from the seed, and moves the clock when nothing else can
// go on. Files, network, console and log are the simulated ones of sim(). A seed gives the same run every
// time; run a test under many. sim().signals().raise(2) is a Ctrl-C.
//
//   TestWorld world(seed);
//   auto env = world.environment();
//   env.fromElements<int64_t>({1, 2, 3}).map([](int64_t x) { return x * x; }).print();
//   env.execute();
//   EXPECT_EQ(world.sim().console().outText(), "1\n4\n9\n");
//
// For scripts over time start the job with executeAsync(), then runUntilIdle() and advance().
#pragma once

#include <memory>

#include "flott/api/environment.h"
#include "flott/env/simulated.h"

namespace flott {

class TestWorld {
 public:
  explicit TestWorld(uint64_t seed = 1);
  ~TestWorld();

  /// An environment in this world; its configuration may be changed until execute().
  StreamExecutionEnvironment environment(Configuration configuration = {});
  SimulatedEnv& sim();
  /// Steps the job that was started last until only time can go on. Whether it has ended.
  bool runUntilIdle();
  /// Moves the clock, stopping at every deadline on the way, and runs what becomes ready. Whether the job has
  /// ended.
  bool advance(Duration by);

 private:
  class Host;
  std::shared_ptr<Host> host_;
};

}  // namespace flott
