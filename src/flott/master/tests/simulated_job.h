// Whole jobs for the tests of the master, under the deterministic scheduler.
#pragma once

#include <memory>
#include <string>

#include "flott/base/options.h"
#include "flott/master/embedded_job.h"
#include "flott/runtime/tests/test_job.h"

namespace flott {

// A job in a world of its own.
class Simulated {
 public:
  explicit Simulated(JobGraph graph, uint64_t seed = 1, Configuration configuration = {},
                     RestartPolicy restarts = {})
      : sim(std::make_shared<SimulatedEnv>(seed)) {
    EmbeddedJob::MakeScheduler make = [&](int lanes, const Configuration&) -> std::unique_ptr<Scheduler> {
      auto made = std::make_unique<DeterministicScheduler>(*sim, lanes, DeterministicOptions{.seed = seed});
      scheduler = made.get();
      return made;
    };
    job = std::make_unique<EmbeddedJob>(std::move(graph), std::move(configuration), sim->env(), sim, make,
                                        std::move(restarts));
    job->start();
  }

  JobResult end() {
    job->wait();
    return job->result();
  }
  std::string logged(const std::string& part) const {
    for (const std::string& line : sim->log().lines()) {
      if (line.find(part) != std::string::npos) return line;
    }
    return "not logged: " + part;
  }

  std::shared_ptr<SimulatedEnv> sim;
  DeterministicScheduler* scheduler = nullptr;
  std::unique_ptr<EmbeddedJob> job;
};

class IdleReader final : public ReaderWithoutSplits {
 public:
  Poll poll(Output&) override { return Poll::kIdle; }
};

}  // namespace flott
