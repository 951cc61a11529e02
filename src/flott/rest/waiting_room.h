// Where connections wait until their requests are here: so that slow clients keep no thread that answers
// others.
//
// One thread for all of them, which sleeps in the kernel. It hands a connection on once the head of a request
// is there, with a body when that is short; also when its time is up, when too much has come and when the
// peer has ended: whoever gets it sees so. How many wait is bounded: one that finds the room full takes the
// place of the one that has waited longest.
//
//   WaitingRoom room(env, {.most = 256, .time = Duration::seconds(5)}, [&](WaitingRoom::Guest guest) { … });
//   room.admit(socket);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/env/env.h"

namespace flott {

struct WaitingRoomOptions {
  size_t most = 256;
  size_t headBytes = 16 << 10;
  size_t bodyBytes = 64 << 10;  // of a body that is waited for
  Duration time = Duration::seconds(5);
};

class WaitingRoom {
 public:
  /// A connection and what has been read from it.
  struct Guest {
    int socket = -1;  // who gets it closes it
    std::string bytes = {};
    int64_t since = 0;  // monotonic nanoseconds
    bool late = false;  // nothing more is waited for
  };

  /// `ready` is called on the room's thread, and may wait.
  WaitingRoom(const Env& env, WaitingRoomOptions options, MoveFunction<void(Guest)> ready);
  /// Closes those that wait.
  ~WaitingRoom();

  /// Any thread. The socket is the room's from now on. Waits while many that were admitted are not taken in
  /// yet.
  void admit(int socket);

 private:
  class Room;
  const std::unique_ptr<Room> room_;
};

/// How many bytes of a request are worth waiting for, as far as can be told from the first of them: its head,
/// and its body when that has at most `bodyBytes`. Nothing when the head is not there yet.
std::optional<size_t> bytesWorthWaitingFor(std::string_view bytes, size_t bodyBytes);

}  // namespace flott
