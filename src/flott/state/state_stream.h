// A stretch of a checkpoint's file, read from its beginning on, some of it at a time, and checked on the way.
//
// For state that may be larger than memory. One thread at a time; blocks.
//
//   StateStream stream(files, handle);
//   const KeyedSectionHeader header = readHeader(stream);
//   while (stream.remaining() > 0) stream.skip(use(stream.peek(4096)));
//   stream.check();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flott/base/running_hash.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/checkpoint_storage.h"
#include "flott/state/keyed_snapshot.h"

namespace flott {

/// Whatever has the bytes of handles.
class StateParts {
 public:
  virtual ~StateParts() = default;
  /// A part of it, not checked. `offset + length` is within it. Throws Error(kCorruption) when it is not
  /// there.
  virtual std::string readPart(const StateHandle& handle, uint64_t offset, uint64_t length) = 0;
  [[noreturn]] virtual void failChecksum(const StateHandle& handle) const = 0;
};

/// Those of a checkpoint in `folder`.
class StoredParts final : public StateParts {
 public:
  StoredParts(CheckpointStorage& storage, std::string folder)
      : storage_(storage), folder_(std::move(folder)) {}
  std::string readPart(const StateHandle& handle, uint64_t offset, uint64_t length) override {
    return storage_.readPart(folder_, handle, offset, length);
  }
  [[noreturn]] void failChecksum(const StateHandle& handle) const override {
    CheckpointStorage::failChecksum(folder_, handle);
  }

 private:
  CheckpointStorage& storage_;
  const std::string folder_;
};

class StateStream {
 public:
  /// Both outlive it.
  StateStream(StateParts& parts, const StateHandle& handle) : parts_(parts), handle_(handle) {}

  uint64_t offset() const { return at_; }
  uint64_t remaining() const { return handle_.length - at_; }
  /// What comes next, `size` bytes at least unless it ends before. Good until the next call.
  std::string_view peek(uint64_t size);
  void skip(uint64_t size);
  /// At the end: throws Error(kCorruption) when the bytes are not those that were written.
  void check() const;

 private:
  void fill(uint64_t size);

  StateParts& parts_;
  const StateHandle& handle_;
  RunningHash hash_;
  std::string buffer_;
  size_t begin_ = 0;      // of what comes next, in the buffer
  uint64_t at_ = 0;       // the same, in the handle
  uint64_t fetched_ = 0;  // from the handle
};

/// What a section of keyed state begins with. `bytes` gets it as it is stored.
KeyedSectionHeader readHeader(StateStream& stream, std::string* bytes = nullptr);

}  // namespace flott
