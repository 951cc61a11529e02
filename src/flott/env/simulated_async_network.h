// AsyncNetwork in memory: hosts of one simulated world, the wires between them, and what befalls those.
//
// Each host has its AsyncNetwork. What is written arrives a while later in pieces, reads and writes take
// parts only, both drawn from the seed; a wire holds a bounded number of bytes. Faults are the test's to
// make. The test's own thread only.
//
//   SimulatedWires wires(world.clock(), world.random().fork("wires"));
//   auto left = wires.addHost("10.0.0.1");
//   auto right = wires.addHost("10.0.0.2");
//   ...
//   wires.cut("10.0.0.1", "10.0.0.2");  // their connections break
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/async_network.h"
#include "flott/env/random.h"

namespace flott {

struct SimulatedWiresOptions {
  int64_t mostDelayNanos = 500'000;  // for each write, evenly from 0
  size_t roomBytes = 64 * 1024;      // on the way and not read, in each direction
};

class SimulatedWires {
 public:
  /// The clock outlives the wires, and they all their hosts.
  SimulatedWires(const Clock& clock, Random random, SimulatedWiresOptions options = {});
  ~SimulatedWires();

  /// A network at this address; when it dies its connections must have died.
  std::unique_ptr<AsyncNetwork> addHost(const std::string& address);

  /// Connections between the two break at both ends, and what is on its way is lost.
  void cut(const std::string& one, const std::string& other);
  /// What is sent between the two from now on does not arrive, and no end hears of that, before they are
  /// joined again.
  void part(const std::string& one, const std::string& other);
  void join(const std::string& one, const std::string& other);
  /// Of all connections so far, in both directions.
  uint64_t bytesSent() const { return bytesSent_; }

 private:
  struct Pipe;
  struct Wire;
  struct Door;
  class End;
  class Listening;
  class Host;

  bool parted(const std::string& one, const std::string& other) const;
  std::vector<std::shared_ptr<Wire>> between(const std::string& one, const std::string& other) const;
  /// What its ends have handed over is on its way from now on.
  void send(Wire& wire);
  int64_t arrival();

  const Clock& clock_;
  Random random_;
  const SimulatedWiresOptions options_;
  std::map<std::string, std::shared_ptr<Door>> doors_;  // by address and port
  std::vector<std::weak_ptr<Wire>> wires_;
  std::set<std::pair<std::string, std::string>> parted_;
  uint16_t nextPort_ = 49152;
  uint64_t bytesSent_ = 0;
};

}  // namespace flott
