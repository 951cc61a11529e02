#include "flott/api/test_world.h"

#include <algorithm>

namespace flott {

class TestWorld::Host final : public ExecutionHost {
 public:
  explicit Host(uint64_t seed) : sim(seed), seed_(seed) {}

  Env env() override { return sim.env(); }
  std::unique_ptr<Scheduler> makeScheduler(int lanes, const Configuration&) override {
    auto scheduler =
        std::make_unique<DeterministicScheduler>(sim, lanes, DeterministicOptions{.seed = seed_});
    latest = scheduler.get();
    return scheduler;
  }
  bool watchSignals() const override { return false; }
  bool servesWeb() const override { return false; }

  SimulatedEnv sim;
  DeterministicScheduler* latest = nullptr;  // of the job started last; its owner is the job

 private:
  uint64_t seed_;
};

TestWorld::TestWorld(uint64_t seed) : host_(std::make_shared<Host>(seed)) {}
TestWorld::~TestWorld() = default;

StreamExecutionEnvironment TestWorld::environment(Configuration configuration) {
  return StreamExecutionEnvironment(host_, std::move(configuration));
}

SimulatedEnv& TestWorld::sim() { return host_->sim; }

bool TestWorld::runUntilIdle() {
  FLOTT_CHECK(host_->latest != nullptr, "no job was started: call executeAsync() first");
  return host_->latest->runUntilIdle();
}

bool TestWorld::advance(Duration by) {
  FLOTT_CHECK(host_->latest != nullptr, "no job was started: call executeAsync() first");
  const int64_t end = deadlineAfter(host_->sim.clock(), by);
  while (!host_->latest->runUntilIdle()) {
    const int64_t next = std::min(end, host_->latest->nextDeadline());
    if (host_->sim.clock().monotonicNanos() >= end) return false;
    host_->sim.clock().advanceTo(next);
  }
  return true;
}

}  // namespace flott
