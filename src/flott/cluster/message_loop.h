// Links over TCP: one loop reads and writes the frames of all connections of a process.
//
// Made once for a process. It runs on a thread of its own (MessageLoopThread), which sleeps in the network as
// long as nothing is to do; in tests the deterministic scheduler steps it. Ports may be used from any thread;
// they hand over to the loop. A link whose peer does not take what it is sent is closed. Who closes says so,
// and waits until the other side has closed too: a connection that is closed with something unread would take
// with it what has not been read at the other end.
//
//   MessageLoop loop(network, env.log);
//   const uint16_t port = loop.listen("127.0.0.1", 6123, [&](auto peer) { job.accept(std::move(peer)); });
//   MessageLoopThread thread(loop, network, env);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/cluster/message_port.h"
#include "flott/env/async_network.h"
#include "flott/env/env.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/runnable.h"

namespace flott {

struct MessageLoopOptions {
  /// That may wait to be sent on one link. More, or one larger frame, and it counts as broken.
  uint64_t mostWaitingBytes = uint64_t{1} << 30;
  /// How long a link that is closed may take to send what was given to it before.
  Duration closeTimeout = Duration::seconds(10);
};

class MessageLoop final : public Runnable {
 public:
  using OnPeer = MoveFunction<void(std::unique_ptr<MessagePort>)>;

  MessageLoop(AsyncNetwork& network, Logger& log, MessageLoopOptions options = {});
  /// Nobody steps it any more.
  ~MessageLoop() override;

  /// Before the first step. `onPeer` is called in the loop for each that connects. The port that it listens
  /// on; throws what AsyncNetwork::listen() throws.
  uint16_t listen(const std::string& address, uint16_t port, OnPeer onPeer);
  /// Any thread. A port that closes at once, or after `timeout`, when nobody answers there.
  std::unique_ptr<MessagePort> connect(const std::string& address, uint16_t port, Duration timeout);
  /// Any thread. Takes no more peers, closes all links and ends.
  void stop();

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override { return "links to other processes"; }

 private:
  class Port;
  struct Shared;
  class Link;
  struct Door {
    std::unique_ptr<AsyncListener> listener;
    OnPeer onPeer;
    int64_t pausedUntilNanos = 0;  // the system had no socket for a peer
  };

  std::shared_ptr<Shared> share(std::string peer);

  void letIn(Door& door, int64_t now);

  AsyncNetwork& network_;
  Logger& log_;
  const MessageLoopOptions options_;
  Mailbox mailbox_;
  std::vector<Door> doors_;
  std::vector<std::unique_ptr<Link>> links_;
  int64_t lastStepNanos_ = 0;
  bool stopping_ = false;
};

/// Runs a loop until it is stopped, which its end does.
class MessageLoopThread final : private Bell {
 public:
  MessageLoopThread(MessageLoop& loop, AsyncNetwork& network, Env& env);
  ~MessageLoopThread();

 private:
  void ring(WakeUp) override { network_.wake(); }
  void run();

  MessageLoop& loop_;
  AsyncNetwork& network_;
  const Clock& clock_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace flott
