// The bytes in which a message travels: a header, and the message encoded as records are (data/codec.h).
//
// A header has 28 bytes: a mark, the version of the protocol, length and checksum of what follows, and a
// checksum of all that. It is the same in all versions, so that two programs of different versions can tell
// each other which they speak. Any thread; no state.
//
//   std::string frame = encodeFrame(ToMaster(messages::Heartbeat{}));
//   auto message = decodeFrame<ToMaster>(frame);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flott/base/error.h"
#include "flott/data/codec.h"

namespace flott {

/// Of all messages between the processes of a cluster; rises with every change of any of them.
inline constexpr uint32_t kProtocolVersion = 5;

inline constexpr size_t kMessageHeaderBytes = 28;
/// More is taken for damage. State that is larger is read from files by the tasks themselves.
inline constexpr uint64_t kMostMessageBytes = uint64_t{1} << 30;

/// The last frame on a link, of those that say that they close it: a header and no message.
std::string farewell();
/// How many bytes follow this header; 0 for farewell(). Throws Error(kCorruption) when it is none,
/// Error(kUser) that says both versions when it is of another.
uint64_t messageBytes(std::string_view header);

/// Puts the header into the first bytes of a frame, which are room for it.
void putHeader(std::string& frame);
/// What is in a whole frame. Throws as messageBytes(), and Error(kCorruption) for bytes that are not as they
/// were sent.
std::string_view checkedBody(std::string_view frame);
/// Says that these bytes were to be a message.
[[noreturn]] void failMessage(Error error);

template <typename Messages>
std::string encodeFrame(const Messages& message) {
  std::string frame(kMessageHeaderBytes, '\0');
  ByteWriter body(frame);
  Codec<Messages>::encode(message, body);
  putHeader(frame);
  return frame;
}

/// Throws as checkedBody().
template <typename Messages>
Messages decodeFrame(std::string_view frame) {
  ByteReader in(checkedBody(frame));
  Messages message;
  try {
    Codec<Messages>::decode(in, message);
    if (!in.atEnd()) in.fail("has bytes left over");
  } catch (Error& error) {
    failMessage(std::move(error));
  }
  return message;
}

}  // namespace flott
