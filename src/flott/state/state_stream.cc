#include "flott/state/state_stream.h"

#include <algorithm>

#include "flott/base/bytes.h"
#include "flott/base/error.h"

namespace flott {
namespace {

constexpr uint64_t kBlock = uint64_t{1} << 20;
constexpr uint64_t kHeaderBytes = uint64_t{64} << 10;  // enough for most

}  // namespace

void StateStream::fill(uint64_t size) {
  size = std::min(size, remaining());
  if (buffer_.size() - begin_ >= size) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
  while (buffer_.size() < size) {
    const std::string block = parts_.readPart(
        handle_, fetched_, std::min(std::max(kBlock, size - buffer_.size()), handle_.length - fetched_));
    hash_.add(block);
    fetched_ += block.size();
    buffer_ += block;
  }
}

std::string_view StateStream::peek(uint64_t size) {
  fill(size);
  return std::string_view(buffer_).substr(begin_);
}

void StateStream::skip(uint64_t size) {
  FLOTT_CHECK(size <= remaining());
  while (size > 0) {
    fill(std::min<uint64_t>(size, 1));
    const uint64_t part = std::min<uint64_t>(size, buffer_.size() - begin_);
    begin_ += part;
    at_ += part;
    size -= part;
  }
}

void StateStream::check() const {
  if (hash_.value() != handle_.checksum) parts_.failChecksum(handle_);
}

KeyedSectionHeader readHeader(StateStream& stream, std::string* headerBytes) {
  for (uint64_t size = kHeaderBytes;; size *= 4) {
    const std::string_view bytes = stream.peek(size);
    ByteReader in(bytes);
    try {
      KeyedSectionHeader header = KeyedSectionHeader::decode(in);
      if (headerBytes != nullptr) *headerBytes = bytes.substr(0, in.offset());
      stream.skip(in.offset());
      return header;
    } catch (const Error&) {
      if (bytes.size() >= stream.remaining()) throw;
    }
  }
}

}  // namespace flott
