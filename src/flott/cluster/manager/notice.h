// A message to somebody with whom there is no lasting link: the connection is opened for it and closed.
//
// Whether it arrives nobody learns: it speeds up what heartbeats find out later. Any thread.
//
//   sendNotice(loop, "127.0.0.1", 6123, encodeFrame(ToMaster(messages::WorkerEnded{"w1", "is gone"})));
#pragma once

#include <cstdint>
#include <string>

#include "flott/cluster/message_loop.h"

namespace flott {

void sendNotice(MessageLoop& loop, const std::string& address, uint16_t port, std::string frame);

}  // namespace flott
