// A world for tests: time stands still until it is advanced, chance comes from a seed, files, network and
// outputs are in memory, and off-loaded work runs when the test says so. The same seed gives the same run.
//
// Everything happens on the test's own thread; there are no others, and asking for one is a broken invariant.
//
//   SimulatedEnv world(7);
//   world.files().put("in.txt", "to be or not to be\n");
//   Job job(world.env());
//   while (job.step() || world.offload().runOne()) world.clock().advance(Duration::millis(1));
//   EXPECT_EQ(world.console().outText(), "...");
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/env/env.h"
#include "flott/env/simulated_files.h"
#include "flott/env/simulated_network.h"
#include "flott/env/simulated_stores.h"

namespace flott {

/// Begins at 2026-01-01T00:00:00.000Z, one second after the machine "started".
class SimulatedClock final : public Clock {
 public:
  Timestamp wallTime() const override { return Timestamp(kStart.ms + (nanos_ - kFirstNanos) / 1'000'000); }
  int64_t monotonicNanos() const override { return nanos_; }
  /// Never backwards.
  void advance(Duration by);
  /// To a deadline in monotonic nanoseconds; nothing happens when it has passed already.
  void advanceTo(int64_t nanos);

 private:
  static constexpr Timestamp kStart{1'767'225'600'000};
  static constexpr int64_t kFirstNanos = 1'000'000'000;
  int64_t nanos_ = kFirstNanos;
};

/// Keeps work until the test runs it.
class SimulatedOffload final : public Offload {
 public:
  explicit SimulatedOffload(Random random) : random_(random) {}

  bool submit(std::string name, MoveFunction<void()>&& work) override;
  /// Drops all work; nothing can be running.
  std::vector<std::string> stop(Duration timeout) override;

  /// Runs one of the waiting works, chosen by the seed, and returns whether there was one. What the work
  /// throws comes out here.
  bool runOne();
  /// Names of the works that wait, oldest first.
  std::vector<std::string> waiting() const;
  /// Works whose names begin so do not run from now on: a slow disk. Empty: all run.
  void hold(std::string prefix) { held_ = std::move(prefix); }
  /// How many works may wait; 1024 at first.
  void setCapacity(size_t works) { capacity_ = works; }

 private:
  struct Work {
    std::string name;
    MoveFunction<void()> body;
  };
  Random random_;
  size_t capacity_ = 1024;
  bool stopped_ = false;
  std::string held_;
  std::vector<Work> works_;
};

class SimulatedThreads final : public Threads {
 public:
  std::unique_ptr<Thread> start(ThreadOptions options, MoveFunction<void()> body) override;
  std::unique_ptr<Parker> makeParker() override;
};

class SimulatedSignals final : public Signals {
 public:
  std::unique_ptr<SignalWatch> watch(MoveFunction<void(int)> onSignal) override;
  /// Calls the watches that live and were not called yet.
  void raise(int number);

 private:
  class Watch;
  std::vector<Watch*> watches_;
};

class SimulatedConsole final : public Console {
 public:
  void out(std::string_view text) override { out_.append(text); }
  void err(std::string_view text) override { err_.append(text); }
  bool isTerminal() const override { return false; }

  const std::string& outText() const { return out_; }
  const std::string& errText() const { return err_; }

 private:
  std::string out_;
  std::string err_;
};

/// Keeps lines as "WARN [component] text", from kTrace upwards.
class SimulatedLogger final : public Logger {
 public:
  SimulatedLogger() : Logger(LogLevel::kTrace) {}
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void write(LogLevel level, std::string_view component, std::string_view text) override;
  std::vector<std::string> lines_;
};

/// Two cores, no memory and no CPU time in use, and the environment variables the test sets.
class SimulatedSystem final : public System {
 public:
  int cpus() const override { return cpus_; }
  uint64_t residentBytes() const override { return 0; }
  uint64_t anonymousBytes() const override { return 0; }
  int64_t processCpuNanos() const override { return 0; }
  std::optional<std::string> environment(const std::string& name) const override;

  void setCpus(int cpus) { cpus_ = cpus; }
  void setEnvironment(const std::string& name, std::string value) { variables_[name] = std::move(value); }

 private:
  int cpus_ = 2;
  std::map<std::string, std::string> variables_;
};

class SimulatedEnv {
 public:
  explicit SimulatedEnv(uint64_t seed);
  SimulatedEnv(const SimulatedEnv&) = delete;
  SimulatedEnv& operator=(const SimulatedEnv&) = delete;

  Env env();
  const Random& random() const { return random_; }
  SimulatedClock& clock() { return clock_; }
  SimulatedFiles& files() { return files_; }
  SimulatedNetwork& network() { return network_; }
  SimulatedOffload& offload() { return offload_; }
  SimulatedSignals& signals() { return signals_; }
  SimulatedConsole& console() { return console_; }
  SimulatedLogger& log() { return log_; }
  SimulatedSystem& system() { return system_; }
  SimulatedStores& stores() { return stores_; }

 private:
  const Random random_;
  SimulatedClock clock_;
  SimulatedFiles files_;
  SimulatedNetwork network_;
  SimulatedThreads threads_;
  SimulatedOffload offload_;
  SimulatedSignals signals_;
  SimulatedConsole console_;
  SimulatedLogger log_;
  SimulatedSystem system_;
  SimulatedStores stores_;
};

}  // namespace flott
