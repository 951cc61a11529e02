// The connection of this worker with one other: all channels between their tasks, in both directions.
//
// Part of WorkerLinks, on its thread. Of each outgoing channel it takes elements while it has credits, and
// encodes them into what is to be written; what comes in it decodes and pushes into the incoming channels,
// which have a slot for each credit that was given. So the link itself never waits for a task, and always
// reads: credits alone hold a sender back. News of a barrier needs no credit and goes before all that waits.
//
// A connection that breaks, falls silent or brings what it must not is lost: all tasks with a channel that
// has not ended fail, with the names of both workers. It ends well when all channels have, in both
// directions, and both ends have said so.
//
// Credits: the receiver gives as many as its channel has slots, and new ones when half of them are empty or
// its task has worked off all. A channel counts as starving at its sender when all credits are back. One that
// has ended gets no more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/time.h"
#include "flott/data/pool.h"
#include "flott/env/async_network.h"
#include "flott/runtime/links/frames.h"

namespace flott {

class Configuration;
class Task;

struct LinkOptions {
  std::string job = {};
  int attempt = 0;
  std::string worker = {};  // this one's name
  /// Numeric, of this machine; and the port to listen on, 0 for any.
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  /// For a connection and its first words.
  Duration connectTimeout = Duration::seconds(30);
  /// A peer that says nothing for so long is lost. Each says something four times as often.
  Duration silence = Duration::seconds(20);
  FrameOptions frames = {};
};

/// With what the configuration says; the rest is the caller's to fill in.
LinkOptions linkOptions(const Configuration& configuration);

struct PeerAddress {
  std::string address;  // numeric
  uint16_t port = 0;
};

class Link {
 public:
  /// The options and pools outlive it.
  Link(const LinkOptions& options, std::string peer, BatchPools& pools, int64_t nowNanos);
  ~Link();

  /// Before the first step.
  void addOutgoing(uint32_t number, Channel& channel, Task& sender);
  void addIncoming(uint32_t number, Channel& channel, Task& receiver, PoolOf pool);

  /// The way to the peer, for the one of the two that calls the other.
  void call(AsyncNetwork& network, const PeerAddress& address, int64_t nowNanos);
  /// The other one: the peer has called, and said who it is. What it has sent since is in `in`.
  void answer(std::unique_ptr<AsyncConnection> connection, FrameReader in, int64_t nowNanos);

  /// Moves what can be moved. Returns whether there is more to do right away. Never throws.
  bool step(int64_t nowNanos);
  int64_t deadlineNanos() const;
  /// Has ended, well or not.
  bool over() const { return state_ == State::kOver; }
  bool awaited() const { return state_ == State::kAwaited; }
  const std::string& peer() const { return peer_; }
  /// Gives up the connection; the peer finds it lost.
  void close();

 private:
  enum class State : uint8_t {
    kAwaited,  // the peer is to call
    kCalling,  // the peer was called, and has not answered
    kOpen,     // elements may go
    kOver,     // the connection is closed
  };
  struct Outgoing {
    Channel* channel;
    Task* sender;
    uint32_t number;
    uint32_t window = 0;   // credits in all: given or with the receiver
    uint32_t credits = 0;  // given, not used
    bool ended = false;    // the last element has left
  };
  struct Incoming {
    Channel* channel;
    Task* receiver;
    BatchPool* pool;
    uint32_t number;
    uint32_t credits = 0;  // given, not used
    bool ended = false;
  };

  void open(int64_t nowNanos);
  bool read(int64_t nowNanos);
  void take(const Frame& frame);
  void takeElement(const Frame& frame);
  void takeCredit(const Frame& frame);
  bool fill();
  bool send(Outgoing& out);
  void giveCredits(Incoming& in);
  void flush(int64_t nowNanos);
  void endIfDone();
  void watchSilence(int64_t nowNanos);
  void lose(const Error& why);
  std::string name() const;
  size_t unsent() const { return toSend_.size() - sent_; }

  const LinkOptions& options_;
  const std::string peer_;
  BatchPools& pools_;
  State state_ = State::kAwaited;
  std::unique_ptr<AsyncConnection> connection_;
  FrameWriter writer_;
  FrameReader in_;
  std::vector<Outgoing> outgoing_;
  std::vector<Incoming> incoming_;
  std::map<uint32_t, size_t> outgoingAt_;  // by number
  std::map<uint32_t, size_t> incomingAt_;
  size_t open_ = 0;  // channels that have not ended
  size_t turn_ = 0;  // of the outgoing channels
  std::string toSend_;
  size_t sent_ = 0;  // of toSend_
  bool canRead_ = false;
  bool canWrite_ = false;
  bool saidEnd_ = false;
  bool heardEnd_ = false;
  int64_t since_;  // waits for a connection
  int64_t heardAt_ = 0;
  int64_t spokeAt_ = 0;
};

}  // namespace flott
