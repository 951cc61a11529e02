// One end of a link between a master and a worker: frames go in at one end and come out at the other, whole
// and in order. Whoever uses it knows neither sockets nor the simulation.
//
// Made by whoever connects, owned by whoever speaks over it. What does not get through within a bounded
// memory closes the link: it is as good as lost, and both sides go by that.
//
//   port->open(receiver);
//   port->send(frameOf(messages::Heartbeat{}));
#pragma once

#include <string>
#include <string_view>

namespace flott {

class MessagePort {
 public:
  /// What comes out. Called on any thread, one call at a time; must only post.
  class Receiver {
   public:
    virtual void onFrame(std::string frame) = 0;
    /// Once; nothing comes after it. `why` says what broke; empty where the other side has closed.
    virtual void onClosed(std::string_view why) = 0;

   protected:
    ~Receiver() = default;
  };

  /// Closes, and returns when no call of the receiver is under way.
  virtual ~MessagePort() = default;
  /// Once, before all else. The receiver outlives the port.
  virtual void open(Receiver& receiver) = 0;
  /// Never blocks. One thread at a time. What is sent after the link has closed is dropped.
  virtual void send(std::string frame) = 0;
  /// After what was sent: nothing goes out or comes in any more, and the receiver is not called.
  virtual void close() = 0;
  /// For messages to people: "127.0.0.1:41234".
  virtual std::string peer() const = 0;
};

}  // namespace flott
