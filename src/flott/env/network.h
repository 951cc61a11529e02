// TCP, for sources and sinks that talk to a socket and for tests.
//
// All calls block, so they run on off-load threads, never on a lane. Network may be used from any thread; a
// Connection by one thread at a time, except close(), with which another thread ends a read that waits.
// Failures throw Error(kTransient) with the address and what to look at: the world may be better after a
// pause.
//
//   auto connection = env.network.connect("localhost", 9999, Duration::seconds(10));
//   char block[4096];
//   while (size_t n = connection->read(block)) parse({block, n});
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "flott/base/time.h"

namespace flott {

class Connection {
 public:
  virtual ~Connection() = default;
  /// Waits for at least one byte and returns how many came; 0 when the peer has ended or close() was called.
  virtual size_t read(std::span<char> into) = 0;
  /// Whether read() would return at once (with bytes, the end or an error); waits up to `timeout` for that. A
  /// loop that is to run in the simulation asks before it reads: there, a read that would wait is a broken
  /// invariant.
  virtual bool waitReadable(Duration timeout) = 0;
  /// All of `bytes`; waits while the peer does not take them.
  virtual void write(std::string_view bytes) = 0;
  /// Ends both directions. From any thread, any number of times.
  virtual void close() noexcept = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  /// The port it listens on: the one asked for, or the one the system chose for 0.
  virtual uint16_t port() const = 0;
  /// Waits for a peer; nullptr when none came within `timeout` or close() was called.
  virtual std::unique_ptr<Connection> accept(Duration timeout) = 0;
  /// Takes no more peers and ends an accept() that waits. From any thread.
  virtual void close() noexcept = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  /// Resolves the name, then tries each of its addresses until one answers or `timeout` has passed.
  virtual std::unique_ptr<Connection> connect(const std::string& host, uint16_t port, Duration timeout) = 0;
  /// `host` is an address of this machine, "127.0.0.1" as a rule; port 0 lets the system choose a free one.
  virtual std::unique_ptr<Listener> listen(const std::string& host, uint16_t port) = 0;
};

}  // namespace flott
