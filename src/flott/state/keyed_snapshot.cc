#include "flott/state/keyed_snapshot.h"

#include <utility>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/state/keyed_backend.h"

namespace flott {
namespace {

constexpr uint32_t kMagic = 0x53'4b'4c'46;  // "FLKS"
constexpr uint32_t kVersion = 2;
constexpr uint32_t kVersionBeforeTtl = 1;

enum StateFlags : uint8_t { kExpires = 1 };  // a state's flags in the schema

}  // namespace

KeyedSnapshotWriter::KeyedSnapshotWriter(KeyedStateBackend& backend) {
  ByteWriter out(section_);
  out.fixed(kMagic);
  out.varint(kVersion);
  backend.key().ops().description().encode(out);
  const std::vector<KeyedStateSchema> schemas = backend.schemas();
  out.varint(schemas.size());
  for (const KeyedStateSchema& schema : schemas) {
    indexOf_.emplace(schema.name, indexOf_.size());
    out.string(schema.name);
    out.string(schema.kind);
    schema.value.encode(out);
    out.fixed(static_cast<uint8_t>(schema.expires ? kExpires : 0));
  }
  backend.cut(*this);
}

void KeyedSnapshotWriter::take(const SegmentImage& image) {
  const auto index = indexOf_.find(image.state);
  FLOTT_CHECK(index != indexOf_.end(), "a cut hands over a state that was not there when it was made");
  ByteWriter out(section_);
  out.varint(index->second);
  out.fixed(image.nameSpace);
  out.varint(image.keyGroup.value);
  out.fixed(image.firstHash);
  out.varint(image.entries);
  out.string(image.bytes);
}

void RestoredKeyedState::add(std::string bytes, KeyGroupRange keyGroups) {
  const std::string& section = *sections_.emplace_back(std::make_unique<const std::string>(std::move(bytes)));
  ByteReader in(section);
  if (in.fixed<uint32_t>() != kMagic) in.fail("is no keyed state");
  const uint64_t version = in.varint();
  if (version < kVersionBeforeTtl || version > kVersion) {
    in.fail("has a format that is newer than this program");
  }
  TypeDescription key = TypeDescription::decode(in);
  if (key_ && *key_ != key) in.fail("has keys of another type than other subtasks");
  key_ = std::move(key);
  std::vector<State*> states(in.count(2));
  for (State*& state : states) {
    const std::string name(in.string());
    std::string kind(in.string());
    TypeDescription value = TypeDescription::decode(in);
    const uint8_t flags = version > kVersionBeforeTtl ? in.fixed<uint8_t>() : uint8_t{0};
    if (flags > kExpires) in.fail("has a state with flags that this program does not know");
    const bool expires = flags == kExpires;
    const auto [at, added] = states_.try_emplace(name);
    state = &at->second;
    if (!added && (state->kind != kind || state->value != value || state->expires != expires)) {
      throw Error(ErrorKind::kCorruption, "subtasks differ in the type of state '" + name + "'");
    }
    state->kind = std::move(kind);
    state->value = std::move(value);
    state->expires = expires;
  }
  while (!in.atEnd()) {
    const uint64_t index = in.varint();
    if (index >= states.size()) in.fail("has entries of an unknown state");
    Piece piece;
    piece.nameSpace = in.fixed<int64_t>();
    piece.keyGroup = KeyGroup(static_cast<uint32_t>(in.varint()));
    piece.firstHash = in.fixed<uint64_t>();
    piece.entries = static_cast<uint32_t>(in.varint());
    piece.bytes = in.string();
    if (keyGroups.contains(piece.keyGroup)) states[index]->pieces.push_back(piece);
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
