// TCP that never waits, for links that one thread serves: the data plane between workers.
//
// One thread at a time, the loop, makes all calls; only wake() may come from elsewhere. Nothing calls back:
// poll() notes which connections and listeners have something to do, and the loop then asks each of its own.
// So a connection may be destroyed at any point between two calls. What cannot be done now is told by
// Io::State::kWaits; once it can be, poll() returns and ready() is true. In the simulation time stands still:
// poll() never waits, and nextEventNanos() is when to call it again.
//
//   auto connection = network.connect("10.0.0.7", 6122, Duration::seconds(10));
//   for (;;) {
//     network.poll(deadline);
//     if (connection->ready()) work(*connection);  // read() and write() until both wait
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "flott/base/time.h"
#include "flott/env/clock.h"

namespace flott {

/// What came of one attempt to read or to write.
struct Io {
  enum class State : uint8_t {
    kDone,   // some bytes went; there may be more to do
    kWaits,  // none can go now: until ready()
    kEnded,  // reading only: the peer sends no more
  };
  State state = State::kDone;
  size_t bytes = 0;
};

class AsyncConnection {
 public:
  /// Closes it. What was written is still sent, unless something that has come was not read.
  virtual ~AsyncConnection() = default;
  /// At most into.size() bytes, at least one unless it waits or has ended. Throws Error(kTransient) when the
  /// connection is broken, or could not be made; each call does from then on.
  virtual Io read(std::span<char> into) = 0;
  /// Some of the bytes of the parts, from the beginning of the first on; at most kMostParts parts are looked
  /// at. Throws as read() does.
  virtual Io write(std::span<const std::string_view> parts) = 0;
  /// Whether a call that waited, or the first one, may now do something. Asking takes the answer back.
  virtual bool ready() = 0;
  /// Of the peer, as in error messages: "10.0.0.7:6122".
  virtual const std::string& address() const = 0;

  static constexpr size_t kMostParts = 64;
};

class AsyncListener {
 public:
  /// Takes no more peers.
  virtual ~AsyncListener() = default;
  /// The port it listens on: the one asked for, or the one the system chose for 0.
  virtual uint16_t port() const = 0;
  /// A peer that has connected; null when there is none now: then poll() returns once there is. Throws
  /// Error(kTransient) when the system has no socket left for it.
  virtual std::unique_ptr<AsyncConnection> accept() = 0;
};

class AsyncNetwork {
 public:
  virtual ~AsyncNetwork() = default;
  /// Begins to connect, and returns at once; the connection is ready() when it is made, or has failed.
  /// `address` is a numeric one: a look-up of a name would wait. Throws Error(kUser) for any other.
  virtual std::unique_ptr<AsyncConnection> connect(const std::string& address, uint16_t port,
                                                   Duration timeout) = 0;
  /// `address` is a numeric one of this machine; port 0 lets the system choose a free one. Throws what
  /// Network::listen() does.
  virtual std::unique_ptr<AsyncListener> listen(const std::string& address, uint16_t port) = 0;
  /// Returns as soon as something of this network is ready or wake() was called, at the monotonic time
  /// `deadlineNanos` at the latest; at once for one that has passed.
  virtual void poll(int64_t deadlineNanos) = 0;
  /// Ends the poll() that is under way, or the next one. Any thread.
  virtual void wake() noexcept = 0;
  /// When poll() will find something, as far as that is known beforehand: in the simulation, where nobody
  /// waits for it. kNoDeadline otherwise.
  virtual int64_t nextEventNanos() const { return kNoDeadline; }
};

}  // namespace flott
