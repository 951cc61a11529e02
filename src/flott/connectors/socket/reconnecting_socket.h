// A client's connection that is opened again when it is lost: what the socket source and sink have in common.
//
// Belongs to one operator instance and is called on its task's thread; connecting happens on an off-load
// thread. After a failure it waits 500 ms, then twice as long each time up to 30 s, and logs what it waits
// for. The owner calls open() in each of its turns until that is true; it gets a turn (askToResume) whenever
// that may have changed.
//
//   if (!socket_.open()) return Poll::kIdle;
//   startReading(socket_.connection());
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "flott/base/error.h"
#include "flott/env/network.h"
#include "flott/operators/context.h"

namespace flott {

struct SocketAddress {
  std::string host;
  uint16_t port = 0;
  /// How often in a row it is tried again after connecting has failed or a connection was lost; −1: for ever.
  int64_t maxRetries = 0;
};

/// Throws Error(kUser) for a port outside of 1 to 65535.
SocketAddress socketAddress(std::string host, int64_t port, int64_t maxRetries = 0);

class ReconnectingSocket {
 public:
  ReconnectingSocket(SocketAddress address, OperatorContext& context);

  /// Whether there is a connection; takes the next step towards one otherwise. Throws what connecting failed
  /// with when it was not to be tried again.
  bool open();
  /// Of an open socket. Off-loaded work may hold on to it.
  const std::shared_ptr<Connection>& connection() const { return connection_; }
  /// "localhost:9999".
  const std::string& address() const { return address_; }

  bool mayRetry() const { return options_.maxRetries < 0 || retries_ < options_.maxRetries; }
  /// The connection is of no use any more: tries again after a pause, or throws the error when it may not.
  void lost(const Error& error);
  /// Bytes have gone through: failures count from the beginning again.
  void worked() { retries_ = 0; }
  /// Ends reads and writes that are under way.
  void close() noexcept;

 private:
  enum class State : uint8_t {
    kClosed,      // nothing under way
    kConnecting,  // off-loaded
    kPausing,     // until retryAt_
    kOpen,
  };
  void connect();

  const SocketAddress options_;
  const std::string address_;
  OperatorContext& context_;
  State state_ = State::kClosed;
  std::shared_ptr<Connection> connection_;
  int64_t retries_ = 0;
  int64_t retryAt_ = 0;
};

}  // namespace flott
