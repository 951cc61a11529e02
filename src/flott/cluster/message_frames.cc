#include "flott/cluster/message_frames.h"

#include <cstring>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/base/hash.h"

namespace flott {
namespace {

constexpr uint32_t kMark = 0x4d'54'4c'46;  // "FLTM"

uint32_t headerChecksum(std::string_view header) {
  return static_cast<uint32_t>(hashBytes(header.substr(0, kMessageHeaderBytes - sizeof(uint32_t))));
}

}  // namespace

void putHeader(std::string& frame) {
  const std::string_view bytes = std::string_view(frame).substr(kMessageHeaderBytes);
  std::string header;
  ByteWriter out(header);
  out.fixed(kMark);
  out.fixed(kProtocolVersion);
  out.fixed(uint64_t{bytes.size()});
  out.fixed(hashBytes(bytes));
  header.resize(kMessageHeaderBytes);
  const uint32_t checksum = headerChecksum(header);
  std::memcpy(header.data() + kMessageHeaderBytes - sizeof checksum, &checksum, sizeof checksum);
  std::memcpy(frame.data(), header.data(), kMessageHeaderBytes);
}

std::string_view checkedBody(std::string_view frame) {
  if (messageBytes(frame) != frame.size() - kMessageHeaderBytes)
    throw Error(ErrorKind::kCorruption, "a message is cut off, or longer than it says");
  uint64_t checksum;
  std::memcpy(&checksum, frame.data() + 16, sizeof checksum);
  const std::string_view bytes = frame.substr(kMessageHeaderBytes);
  if (checksum != hashBytes(bytes))
    throw Error(ErrorKind::kCorruption, "a message does not match its checksum: it was damaged on its way");
  return bytes;
}

void failMessage(Error error) {
  throw std::move(error).at("message of version " + std::to_string(kProtocolVersion) + " of the protocol");
}

uint64_t messageBytes(std::string_view header) {
  const auto damaged = [](const std::string& what) { return Error(ErrorKind::kCorruption, what); };
  if (header.size() < kMessageHeaderBytes) throw damaged("a message is cut off within its header");
  ByteReader in(header);
  if (in.fixed<uint32_t>() != kMark)
    throw damaged("what comes is no message of Flott: is the address that of another service?");
  const auto version = in.fixed<uint32_t>();
  const auto length = in.fixed<uint64_t>();
  uint32_t checksum;
  std::memcpy(&checksum, header.data() + kMessageHeaderBytes - sizeof checksum, sizeof checksum);
  if (checksum != headerChecksum(header) || length > kMostMessageBytes)
    throw damaged("the header of a message does not match its checksum: it was damaged on its way");
  if (version != kProtocolVersion) {
    throw Error(ErrorKind::kUser, "the other side speaks version " + std::to_string(version) +
                                      " of the protocol, and this program version " +
                                      std::to_string(kProtocolVersion) +
                                      ": use the same version of Flott for all processes of a cluster");
  }
  return length;
}

std::string farewell() {
  std::string frame(kMessageHeaderBytes, '\0');
  putHeader(frame);
  return frame;
}

}  // namespace flott
