#include "flott/state/checkpoint_metadata.h"

#include <algorithm>
#include <cstring>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/state/format_version.h"

namespace flott {
namespace {

constexpr uint64_t kMagic = 0x4d'4b'48'43'54'4f'4c'46;  // "FLOTCHKM"
constexpr uint32_t kVersion = 4;
constexpr uint32_t kVersionBeforeShared = 3;
constexpr uint32_t kVersionBeforeChannels = 2;
constexpr uint32_t kVersionBeforeKind = 1;

void encodeHandle(const StateHandle& handle, ByteWriter& out) {
  out.varint(handle.length);
  if (handle.empty()) return;
  out.string(handle.file);
  if (handle.file.empty()) {
    out.string(handle.inlined);
  } else {
    out.varint(handle.offset);
    out.fixed(handle.checksum);
  }
}

StateHandle decodeHandle(ByteReader& in) {
  StateHandle handle;
  handle.length = in.varint();
  if (handle.empty()) return handle;
  handle.file = in.string();
  if (handle.file.empty()) {
    handle.inlined = in.string();
    handle.checksum = hashBytes(handle.inlined);
    if (handle.inlined.size() != handle.length) in.fail("has inlined state of another length");
  } else {
    handle.offset = in.varint();
    handle.checksum = in.fixed<uint64_t>();
  }
  return handle;
}

void encodeCold(const ColdSnapshot& cold, ByteWriter& out) {
  encodeHandle(cold.image, out);
  if (cold.image.empty()) return;
  out.varint(cold.files.size());
  for (const SharedFile& file : cold.files) {
    out.varint(file.writtenBy.value);
    out.string(file.name);
    out.string(file.nameInStore);
    out.varint(file.length);
    out.fixed(file.checksum);
  }
}

// Names become paths.
std::string decodeName(ByteReader& in) {
  std::string name(in.string());
  if (name.empty() || name.find('/') != std::string::npos || name.starts_with('.'))
    in.fail("has a shared file with a name that is none");
  return name;
}

ColdSnapshot decodeCold(ByteReader& in) {
  ColdSnapshot cold;
  cold.image = decodeHandle(in);
  if (cold.image.empty()) return cold;
  cold.files.resize(in.count(12));
  for (SharedFile& file : cold.files) {
    file.writtenBy = CheckpointId(in.varint());
    file.name = decodeName(in);
    file.nameInStore = decodeName(in);
    file.length = in.varint();
    file.checksum = in.fixed<uint64_t>();
  }
  return cold;
}

}  // namespace

uint64_t ColdSnapshot::bytes() const {
  uint64_t sum = image.length;
  for (const SharedFile& file : files) sum += file.length;
  return sum;
}

bool OperatorSnapshot::hasState() const {
  return !enumerator.empty() || std::any_of(subtasks.begin(), subtasks.end(), [](const SubtaskSnapshot& s) {
    return !s.keyed.empty() || !s.operatorState.empty() || !s.cold.image.empty();
  });
}

uint64_t CheckpointMetadata::stateBytes() const {
  uint64_t sum = 0;
  for (const OperatorSnapshot& op : operators) {
    sum += op.enumerator.size();
    for (const SubtaskSnapshot& s : op.subtasks)
      sum += s.keyed.length + s.operatorState.length + s.cold.bytes();
  }
  for (const ChannelSnapshot& channel : channels) sum += channel.elements.length;
  return sum;
}

// Without channels as before there were any, so that older programs can read it.
std::string CheckpointMetadata::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  const bool shares = std::any_of(operators.begin(), operators.end(), [](const OperatorSnapshot& op) {
    return std::any_of(op.subtasks.begin(), op.subtasks.end(),
                       [](const SubtaskSnapshot& subtask) { return !subtask.cold.image.empty(); });
  });
  out.fixed(kMagic);
  // What is not needed is left out, so that earlier programs can read it.
  const uint32_t version = shares             ? kVersion
                           : channels.empty() ? kVersionBeforeChannels
                                              : kVersionBeforeShared;
  out.fixed(version);
  out.varint(id.value);
  out.fixed(triggered.ms);
  out.string(jobName);
  out.fixed(static_cast<uint8_t>(kind));
  out.varint(operators.size());
  for (const OperatorSnapshot& op : operators) {
    out.fixed(op.id.value);
    out.string(op.name);
    out.string(op.uid);
    out.varint(op.maxParallelism);
    out.string(op.enumerator);
    out.varint(op.subtasks.size());
    for (const SubtaskSnapshot& subtask : op.subtasks) {
      out.fixed(static_cast<uint8_t>(subtask.finished));
      encodeHandle(subtask.keyed, out);
      encodeHandle(subtask.operatorState, out);
      if (shares) encodeCold(subtask.cold, out);
    }
  }
  if (version > kVersionBeforeChannels) {
    out.varint(channels.size());
    for (const ChannelSnapshot& channel : channels) {
      out.fixed(channel.task.value);
      out.varint(channel.subtask);
      encodeHandle(channel.elements, out);
    }
  }
  out.fixed(hashBytes(bytes));
  return bytes;
}

CheckpointMetadata CheckpointMetadata::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint64_t>() != kMagic) in.fail("is no metadata of a checkpoint");
  const auto version = in.fixed<uint32_t>();
  if (version < kVersionBeforeKind) in.fail("is no metadata of a checkpoint");
  uint64_t checksum = 0;
  if (in.remaining() < sizeof checksum) in.fail("ends early");
  const std::string_view covered = bytes.substr(0, bytes.size() - sizeof checksum);
  std::memcpy(&checksum, bytes.data() + covered.size(), sizeof checksum);
  if (checksum != hashBytes(covered)) in.fail("does not match its checksum: it is damaged or cut off");
  // All versions end with the checksum, so that one is not mistaken for another.
  if (version > kVersion) failNewerFormat("the metadata", version, kVersion);
  CheckpointMetadata metadata;
  metadata.id = CheckpointId(in.varint());
  metadata.triggered = Timestamp(in.fixed<int64_t>());
  metadata.jobName = in.string();
  if (version > kVersionBeforeKind) {
    const auto kind = in.fixed<uint8_t>();
    if (kind > static_cast<uint8_t>(CheckpointKind::kSavepoint)) in.fail("is of an unknown kind");
    metadata.kind = static_cast<CheckpointKind>(kind);
  }
  metadata.operators.resize(in.count(12));
  for (OperatorSnapshot& op : metadata.operators) {
    op.id = OperatorId(in.fixed<uint64_t>());
    op.name = in.string();
    op.uid = in.string();
    op.maxParallelism = static_cast<uint32_t>(in.varint());
    op.enumerator = in.string();
    op.subtasks.resize(in.count(3));
    for (SubtaskSnapshot& subtask : op.subtasks) {
      subtask.finished = in.fixed<uint8_t>() != 0;
      subtask.keyed = decodeHandle(in);
      subtask.operatorState = decodeHandle(in);
      if (version > kVersionBeforeShared) subtask.cold = decodeCold(in);
    }
  }
  if (version > kVersionBeforeChannels) {
    metadata.channels.resize(in.count(10));
    for (ChannelSnapshot& channel : metadata.channels) {
      channel.task = OperatorId(in.fixed<uint64_t>());
      channel.subtask = static_cast<uint32_t>(in.varint());
      channel.elements = decodeHandle(in);
    }
  }
  if (in.remaining() != sizeof checksum) in.fail("has bytes left over");
  return metadata;
}

}  // namespace flott
