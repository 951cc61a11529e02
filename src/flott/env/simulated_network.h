// A network in memory: peers follow a script, and both ends of a connection can live in one test.
//
// Nothing listens at an address until a script or a Listener is there, so that connecting is refused, with
// the real environment's words. Reads return seed-chosen pieces. A read that would have to wait is a broken
// invariant, since nobody else runs: ask waitReadable(), which never waits. The test's own thread only.
//
//   simulated.network().answer("localhost", 9999, {.text = "to be\n", .end = PeerEnd::kBreaks});
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/env/network.h"
#include "flott/env/random.h"

namespace flott {

/// What a scripted peer does when all of its text was read.
enum class PeerEnd : uint8_t {
  kCloses,     // the next read returns 0
  kBreaks,     // the next read or write throws: connection reset
  kStaysOpen,  // nothing more comes
};

struct PeerScript {
  std::string text = {};
  PeerEnd end = PeerEnd::kCloses;
};

class SimulatedNetwork final : public Network {
 public:
  explicit SimulatedNetwork(Random random);
  ~SimulatedNetwork() override;

  /// The next connection to the address that has no script yet meets this peer. Later ones are refused.
  void answer(const std::string& host, uint16_t port, PeerScript script);
  /// All that was written to scripted peers at the address.
  std::string received(const std::string& host, uint16_t port) const;

  std::unique_ptr<Connection> connect(const std::string& host, uint16_t port, Duration timeout) override;
  std::unique_ptr<Listener> listen(const std::string& host, uint16_t port) override;

 private:
  struct Pipe;
  struct Backlog;
  class End;
  class Door;

  Random random_;
  uint16_t nextPort_ = 49152;
  std::map<std::string, std::deque<PeerScript>> scripts_;
  std::map<std::string, std::vector<std::shared_ptr<Pipe>>> received_;
  std::map<std::string, std::shared_ptr<Backlog>> listeners_;
};

}  // namespace flott
