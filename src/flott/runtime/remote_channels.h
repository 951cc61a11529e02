// What a worker needs for channels between its tasks and those of other workers.
//
// The worker makes a channel for each such pair at its end, and names it here; whoever takes it moves the
// elements. Named by a number that is the same at both ends. Called while the worker is built; the channels
// and tasks live until the one that moves elements has stopped.
#pragma once

#include <cstdint>

#include "flott/data/batch.h"

namespace flott {

class Channel;
class Task;
class Waker;

/// A task that runs elsewhere.
struct PeerTask {
  int vertex = 0;
  int subtask = 0;
};

class RemoteChannels {
 public:
  /// Wakes what moves the elements: the other end of each channel.
  virtual Waker& waker() = 0;
  /// From this worker's task to one elsewhere.
  virtual void addOutgoing(uint32_t number, PeerTask receiver, Channel& channel, Task& sender) = 0;
  /// From a task elsewhere to this worker's. Batches come from a pool of this kind.
  virtual void addIncoming(uint32_t number, PeerTask sender, Channel& channel, Task& receiver,
                           PoolOf pool) = 0;

 protected:
  ~RemoteChannels() = default;
};

}  // namespace flott
