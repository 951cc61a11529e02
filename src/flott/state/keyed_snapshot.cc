#include "flott/state/keyed_snapshot.h"

#include <utility>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/keyed_section.h"

namespace flott {
namespace {

constexpr uint32_t kMagic = 0x53'4b'4c'46;  // "FLKS"
constexpr uint32_t kVersion = 2;
constexpr uint32_t kVersionBeforeTtl = 1;

enum StateFlags : uint8_t { kExpires = 1 };  // a state's flags in the schema

void encodeHeader(const TypeDescription& key, const std::vector<KeyedStateSchema>& states, ByteWriter& out) {
  out.fixed(kMagic);
  out.varint(kVersion);
  key.encode(out);
  out.varint(states.size());
  for (const KeyedStateSchema& state : states) {
    out.string(state.name);
    out.string(state.kind);
    state.value.encode(out);
    out.fixed(static_cast<uint8_t>(state.expires ? kExpires : 0));
  }
}

void encodePiece(uint64_t state, const SegmentImage& image, ByteWriter& out) {
  out.varint(state);
  out.fixed(image.nameSpace);
  out.varint(image.keyGroup.value);
  out.fixed(image.firstHash);
  out.varint(image.entries);
  out.string(image.bytes);
}

}  // namespace

KeyedSnapshotWriter::KeyedSnapshotWriter(KeyedStateBackend& backend) {
  const std::vector<KeyedStateSchema> schemas = backend.schemas();
  for (const KeyedStateSchema& schema : schemas) indexOf_.emplace(schema.name, indexOf_.size());
  ByteWriter out(section_);
  encodeHeader(backend.key().ops().description(), schemas, out);
  backend.cut(*this);
}

void KeyedSnapshotWriter::take(const SegmentImage& image) {
  const auto index = indexOf_.find(image.state);
  FLOTT_CHECK(index != indexOf_.end(), "a cut hands over a state that was not there when it was made");
  ByteWriter out(section_);
  encodePiece(index->second, image, out);
}

std::optional<std::string> withoutKeyedState(std::string_view section, std::string_view name,
                                             std::vector<std::string>& names) {
  ByteReader in(section);
  const KeyedSectionHeader header = KeyedSectionHeader::decode(in);
  std::vector<KeyedStateSchema> kept;
  std::vector<uint64_t> indexes;
  for (const KeyedStateSchema& state : header.states) {
    indexes.push_back(kept.size());
    if (state.name != name) kept.push_back(state);
    names.push_back(state.name);
  }
  std::string without;
  if (kept.size() == header.states.size()) return std::nullopt;
  if (kept.empty()) return without;
  ByteWriter out(without);
  encodeHeader(header.key, kept, out);
  while (!in.atEnd()) {
    const KeyedPieceHeader piece = KeyedPieceHeader::decode(in, header.states.size());
    const std::string_view entries(in.raw(piece.length), piece.length);
    if (header.states[piece.state].name == name) continue;
    encodePiece(indexes[piece.state],
                {{}, piece.nameSpace, piece.keyGroup, piece.firstHash, piece.entries, entries}, out);
  }
  return without;
}

KeyedSectionHeader KeyedSectionHeader::decode(ByteReader& in) {
  if (in.fixed<uint32_t>() != kMagic) in.fail("is no keyed state");
  const uint64_t version = in.varint();
  if (version < kVersionBeforeTtl || version > kVersion) {
    in.fail("has a format that is newer than this program");
  }
  KeyedSectionHeader header;
  header.key = TypeDescription::decode(in);
  header.states.resize(in.count(2));
  for (KeyedStateSchema& state : header.states) {
    state.name = in.string();
    state.kind = in.string();
    state.value = TypeDescription::decode(in);
    const uint8_t flags = version > kVersionBeforeTtl ? in.fixed<uint8_t>() : uint8_t{0};
    if (flags > kExpires) in.fail("has a state with flags that this program does not know");
    state.expires = flags == kExpires;
  }
  return header;
}

KeyedPieceHeader KeyedPieceHeader::decode(ByteReader& in, size_t states) {
  KeyedPieceHeader piece;
  piece.state = in.varint();
  if (piece.state >= states) in.fail("has entries of an unknown state");
  piece.nameSpace = in.fixed<int64_t>();
  piece.keyGroup = KeyGroup(static_cast<uint32_t>(in.varint()));
  piece.firstHash = in.fixed<uint64_t>();
  piece.entries = static_cast<uint32_t>(in.varint());
  piece.length = in.varint();
  return piece;
}

void RestoredKeyedState::add(std::string bytes, KeyGroupRange keyGroups) {
  const std::string& section = *sections_.emplace_back(std::make_unique<const std::string>(std::move(bytes)));
  ByteReader in(section);
  KeyedSectionHeader header = KeyedSectionHeader::decode(in);
  if (key_ && *key_ != header.key) in.fail("has keys of another type than other subtasks");
  key_ = std::move(header.key);
  std::vector<State*> states;
  for (KeyedStateSchema& schema : header.states) {
    const auto [at, added] = states_.try_emplace(schema.name);
    State& state = *states.emplace_back(&at->second);
    if (!added &&
        (state.kind != schema.kind || state.value != schema.value || state.expires != schema.expires)) {
      throw Error(ErrorKind::kCorruption, "subtasks differ in the type of state '" + schema.name + "'");
    }
    state.kind = std::move(schema.kind);
    state.value = std::move(schema.value);
    state.expires = schema.expires;
  }
  while (!in.atEnd()) {
    const KeyedPieceHeader piece = KeyedPieceHeader::decode(in, states.size());
    const std::string_view entries(in.raw(piece.length), piece.length);
    if (!keyGroups.contains(piece.keyGroup)) continue;
    states[piece.state]->pieces.push_back(
        {piece.nameSpace, piece.keyGroup, piece.firstHash, piece.entries, entries});
  }
}

std::optional<RestoredKeyedState::State> RestoredKeyedState::take(std::string_view name) {
  const auto found = states_.find(name);
  if (found == states_.end()) return std::nullopt;
  std::optional<State> state(std::move(found->second));
  states_.erase(found);
  return state;
}

void RestoredKeyedState::drop(std::string_view prefix, int64_t nameSpace) {
  for (auto& [name, state] : states_) {
    if (!name.starts_with(prefix)) continue;
    std::erase_if(state.pieces, [&](const Piece& piece) { return piece.nameSpace == nameSpace; });
  }
}

}  // namespace flott
