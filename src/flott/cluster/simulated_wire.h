// A link between two ports in one test: frames take a while that the seed chooses, under virtual time, and
// the test may hold them up or cut the link.
//
// It is stepped by the deterministic scheduler as if it were a part of the job. The test's own thread only.
//
//   SimulatedWire wire(sim, "worker 1");
//   scheduler.add(0, wire);
//   WorkerAgent agent(…, wire.end(1));
//   job.accept(wire.end(0));
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "flott/base/time.h"
#include "flott/cluster/message_port.h"
#include "flott/env/random.h"
#include "flott/env/simulated.h"
#include "flott/runtime/runnable.h"

namespace flott {

struct SimulatedWireOptions {
  int64_t leastDelayNanos = 50'000;
  int64_t mostDelayNanos = 3'000'000;
  /// That may wait in one direction.
  uint64_t mostBytes = uint64_t{64} << 20;
};

class SimulatedWire final : public Runnable {
 public:
  SimulatedWire(SimulatedEnv& env, const std::string& name, SimulatedWireOptions options = {});
  ~SimulatedWire() override;

  /// End 0 or 1, once each. `peer` of it is the wire's name.
  std::unique_ptr<MessagePort> end(int side);
  /// Nothing gets through as long as it is held: it waits, and so does the news of a close.
  void hold(bool held);
  /// What is on its way is lost, and both ends are told.
  void cut();
  /// That came out at the end.
  int64_t framesAt(int side) const;

  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override;

 private:
  class End;
  struct Sent {
    int64_t due = 0;
    bool close = false;
    std::string bytes;  // of the frame; of a close that breaks, why
  };
  // What both ends and the wire refer to, whichever lives longest.
  struct Shared {
    std::string name;
    SimulatedWireOptions options;
    SimulatedClock& clock;
    Random random;
    SimulatedWire* wire = nullptr;
    std::array<std::deque<Sent>, 2> towards;  // by the end that they come out at
    std::array<uint64_t, 2> waitingBytes{};
    std::array<MessagePort::Receiver*, 2> receivers{};
    std::array<bool, 2> closed{};  // nothing comes out at this end any more
    std::array<int64_t, 2> frames{};
    bool held = false;

    void put(int side, Sent sent);
    void breakUp(const std::string& why);
  };

  std::shared_ptr<Shared> shared_;
};

}  // namespace flott
