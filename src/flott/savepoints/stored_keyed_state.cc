#include "flott/savepoints/stored_keyed_state.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "flott/base/error.h"
#include "flott/data/described_bytes.h"

namespace flott {
namespace {

constexpr uint64_t kReadAtOnce = uint64_t{256} << 10;

}  // namespace

bool StoredKeyedState::State::hasNamespaces() const {
  return std::any_of(pieces.begin(), pieces.end(),
                     [](const Piece& piece) { return piece.nameSpace != kNoNamespace; });
}

StoredKeyedState::StoredKeyedState(CheckpointFiles& files, const OperatorSnapshot& op) : op_(op) {
  for (uint32_t section = 0; section < op.subtasks.size(); ++section) {
    const StateHandle& handle = op.subtasks[section].keyed;
    if (handle.empty()) continue;
    try {
      addSection(files, section);
    } catch (Error& error) {
      if (error.message().starts_with("file '")) throw;
      throw std::move(error).at(nameOf(op)).at(files.placeOf(handle));
    }
  }
  std::stable_sort(states_.begin(), states_.end(),
                   [](const State& a, const State& b) { return a.schema.name < b.schema.name; });
  for (State& state : states_) {
    std::sort(state.pieces.begin(), state.pieces.end(), [](const Piece& a, const Piece& b) {
      return std::tie(a.nameSpace, a.firstHash, a.section, a.offset) <
             std::tie(b.nameSpace, b.firstHash, b.section, b.offset);
    });
  }
}

void StoredKeyedState::addSection(CheckpointFiles& files, uint32_t section) {
  StateStream stream(files, op_.subtasks[section].keyed);
  try {
    readSection(stream, section);
  } catch (const Error& error) {
    // Bytes that make no sense are most likely damaged.
    if (error.kind() == ErrorKind::kTransient) throw;
    stream.skip(stream.remaining());
    stream.check();
    throw;
  }
  stream.check();
}

void StoredKeyedState::readSection(StateStream& stream, uint32_t section) {
  KeyedSectionHeader header = readHeader(stream);
  if (key_ && *key_ != header.key)
    throw Error(ErrorKind::kCorruption, "subtasks differ in the type of their keys");
  key_ = std::move(header.key);
  std::vector<size_t> indexes;
  for (KeyedStateSchema& schema : header.states) indexes.push_back(indexOf(std::move(schema)));
  while (stream.remaining() > 0) {
    const std::string_view bytes = stream.peek(KeyedPieceHeader::kMostBytes);
    ByteReader in(bytes);
    const KeyedPieceHeader piece = KeyedPieceHeader::decode(in, indexes.size());
    stream.skip(in.offset());
    if (piece.length > stream.remaining()) in.fail("ends early");
    State& state = states_[indexes[piece.state]];
    state.pieces.push_back(
        {piece.nameSpace, piece.firstHash, stream.offset(), piece.length, section, piece.entries});
    state.entries += piece.entries;
    state.bytes += piece.length;
    stream.skip(piece.length);
  }
}

size_t StoredKeyedState::indexOf(KeyedStateSchema schema) {
  for (size_t i = 0; i < states_.size(); ++i) {
    const KeyedStateSchema& known = states_[i].schema;
    if (known.name == schema.name && known.kind == schema.kind && known.value == schema.value &&
        known.expires == schema.expires) {
      return i;
    }
  }
  states_.emplace_back().schema = std::move(schema);
  return states_.size() - 1;
}

std::span<const StoredKeyedState::State> StoredKeyedState::find(std::string_view name) const {
  const auto named = [name](const State& state) { return state.schema.name == name; };
  const auto first = std::find_if(states_.begin(), states_.end(), named);
  return {first, std::find_if_not(first, states_.end(), named)};
}

std::string KeyedPieces::place() const { return files_.placeOf(op_.subtasks[piece().section].keyed); }

bool KeyedPieces::mayHave(size_t index, uint64_t hash) const {
  const StoredKeyedState::Piece& piece = state_.pieces[index];
  if (piece.firstHash > hash) return false;
  if (index + 1 == state_.pieces.size()) return true;
  const StoredKeyedState::Piece& following = state_.pieces[index + 1];
  return following.nameSpace != piece.nameSpace || following.firstHash > hash;
}

bool KeyedPieces::next() {
  while (only_ && at_ < state_.pieces.size() && !mayHave(at_, *only_)) ++at_;
  if (at_ == state_.pieces.size()) return false;
  const StoredKeyedState::Piece& piece = state_.pieces[at_++];
  const StateHandle& handle = op_.subtasks[piece.section].keyed;
  const bool buffered = !buffer_.empty() && piece.section == bufferSection_ &&
                        piece.offset >= bufferOffset_ &&
                        piece.offset + piece.length <= bufferOffset_ + buffer_.size();
  if (!buffered) {
    buffer_ = files_.readPart(handle, piece.offset,
                              std::max(piece.length, std::min(kReadAtOnce, handle.length - piece.offset)));
    bufferOffset_ = piece.offset;
    bufferSection_ = piece.section;
  }
  bytes_ = std::string_view(buffer_).substr(piece.offset - bufferOffset_, piece.length);
  return true;
}

KeyedEntries::KeyedEntries(CheckpointFiles& files, const StoredKeyedState& keyed,
                           const StoredKeyedState::State& state)
    : keyType_(*keyed.key()), schema_(state.schema), pieces_(files, keyed.op(), state) {
  for (const TypeDescription* type : {&keyType_, &schema_.value}) {
    const TypeDescription* unknown = undescribedPart(*type);
    if (unknown == nullptr) continue;
    throw Error(ErrorKind::kUser,
                "state '" + schema_.name + "' of " + nameOf(keyed.op()) + " has values of type " +
                    unknown->toString() +
                    ", whose bytes only the program's own codec can decode: read it with a SavepointReader "
                    "in that program");
  }
}

bool KeyedEntries::next() {
  while (left_ == 0) {
    if (!pieces_.next()) return false;
    at_ = 0;
    left_ = pieces_.piece().entries;
    if (left_ == 0 && !pieces_.bytes().empty()) {
      pieces_.guarded([&] { ByteReader(pieces_.bytes()).fail("has bytes left over"); });
    }
  }
  pieces_.guarded([&] {
    ByteReader in(pieces_.bytes().substr(at_));
    split(in);
    at_ += in.offset();
    if (--left_ == 0 && !in.atEnd()) in.fail("has bytes left over");
  });
  return true;
}

void KeyedEntries::split(ByteReader& in) {
  const std::string_view all = pieces_.bytes().substr(at_);
  skipValue(keyType_, in);
  key_ = all.substr(0, in.offset());
  if (schema_.expires) return splitExpiring(in);
  const size_t from = in.offset();
  skipValue(schema_.value, in);
  value_ = all.substr(from, in.offset() - from);
}

void KeyedEntries::splitExpiring(ByteReader& in) {
  const std::string_view all = pieces_.bytes().substr(at_);
  const bool byElement = expiresByElement(schema_);
  if (!byElement) touched_ = {in.raw(sizeof(int64_t)), sizeof(int64_t)};
  const size_t from = in.offset();
  skipValue(schema_.value, in);
  value_ = all.substr(from, in.offset() - from);
  if (!byElement) return;
  const uint64_t count = ByteReader(value_).count();
  if (schema_.kind == "list" && in.count(sizeof(int64_t)) != count)
    in.fail("has a list whose times do not fit it");
  times_.clear();
  ByteWriter out(times_);
  out.varint(count);
  if (count > in.remaining() / sizeof(int64_t)) in.fail("ends early");
  out.raw(in.raw(count * sizeof(int64_t)), count * sizeof(int64_t));
  touched_ = times_;
}

uint64_t KeyedEntries::hash() const {
  ByteReader in(key_);
  return hashOfKey(keyType_, in);
}

bool expiresByElement(const KeyedStateSchema& schema) {
  return schema.expires && (schema.kind == "list" || schema.kind == "map");
}

std::string kindForPeople(const KeyedStateSchema& schema) {
  if (schema.kind == "slices") return "window slices";
  return schema.kind;
}

}  // namespace flott
