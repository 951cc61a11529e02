#include "flott/state/keyed_snapshot.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/data/type_ops.h"
#include "flott/state/format_version.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/keyed_section.h"
#include "flott/state/scratch_value.h"

namespace flott {
namespace {

constexpr uint32_t kMagic = 0x53'4b'4c'46;  // "FLKS"
constexpr uint32_t kVersion = 2;
constexpr uint32_t kVersionBeforeTtl = 1;
// A section of more bytes is likely to become much larger; it is taken in parts of a megabyte and a segment.
constexpr size_t kLarge = size_t{128} << 10;
constexpr size_t kPartRoom = (size_t{1} << 20) + (size_t{128} << 10);

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

KeyedSnapshotWriter::KeyedSnapshotWriter(KeyedStateBackend& backend, std::optional<Sharing> sharing) {
  const std::vector<KeyedStateSchema> schemas = backend.schemas();
  for (size_t i = 0; i < schemas.size(); ++i) indexOf_.try_emplace(schemas[i].name, i);  // variants follow
  ByteWriter out(section_);
  encodeHeader(backend.key().ops().description(), schemas, out);
  if (sharing && backend.hasStore()) {
    files_ = backend.cutFiles(*this);
    return;
  }
  if (sharing) {
    // Numbers of states are those of the header: with another one the segments could not be told apart.
    if (sharing->base != nullptr && sharing->base->header() == section_) base_ = std::move(sharing->base);
    backend.trackChanges();
    catalog_ = std::make_unique<SegmentCatalog>(backend.cuts() + 1, takeBytes(), base_.get());
  }
  backend.cut(*this);
}

KeyedSnapshotWriter::~KeyedSnapshotWriter() = default;

std::unique_ptr<ColdCopy> KeyedSnapshotWriter::takeFiles() { return std::move(files_); }

void KeyedSnapshotWriter::take(const SegmentImage& image) {
  const auto index = indexOf_.find(image.state);
  FLOTT_CHECK(index != indexOf_.end(), "a cut hands over a state that was not there when it was made");
  // Room for a part at once: growing would copy it several times.
  if (section_.size() + image.bytes.size() >= kLarge && section_.capacity() < kPartRoom)
    section_.reserve(kPartRoom);
  const size_t before = section_.size();
  ByteWriter out(section_);
  encodePiece(index->second + image.variant, image, out);
  if (catalog_ == nullptr) return;
  const uint64_t bytes = section_.size() - before;
  // What was restored and is not registered may come in pieces of any shape.
  if (image.restored) return catalog_->add(bytes);
  catalog_->add({index->second, image.nameSpace, image.firstHash}, bytes);
}

bool KeyedSnapshotWriter::has(const SegmentImage& image, uint64_t changed) {
  if (base_ == nullptr) return false;
  const auto index = indexOf_.find(image.state);
  return index != indexOf_.end() &&
         catalog_->keep(*base_, {index->second, image.nameSpace, image.firstHash}, changed);
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

namespace {

/// Encodes pieces whose variant is their state's place in the header.
class PieceSink final : public SegmentSink {
 public:
  explicit PieceSink(MoveFunction<void(std::string_view)>& write) : write_(write) {}
  void take(const SegmentImage& image) override {
    bytes_.clear();
    ByteWriter out(bytes_);
    encodePiece(image.variant, image, out);
    write_(bytes_);
  }

 private:
  MoveFunction<void(std::string_view)>& write_;
  std::string bytes_;
};

}  // namespace

void addColdPieces(std::string_view section, const ColdImage& image, std::shared_ptr<ColdStore> store,
                   uint32_t maxParallelism, MoveFunction<void(std::string_view)> write) {
  ByteReader in(section);
  const KeyedSectionHeader header = KeyedSectionHeader::decode(in);
  std::vector<ColdCut::State> states;
  for (const ColdImage::State& state : image.states) {
    const auto at = std::find(header.states.begin(), header.states.end(), state.schema);
    if (at == header.states.end())
      throw Error(ErrorKind::kCorruption, "keyed state knows nothing of '" + state.schema.name + "' on disk");
    states.resize(std::max<size_t>(states.size(), size_t{state.number} + 1));
    states[state.number] = {
        state.schema.name, nullptr, {}, static_cast<uint32_t>(at - header.states.begin())};
  }
  write(section);
  ColdSide side(std::move(store), 0);
  PieceSink sink(write);
  ColdCut cut(side, std::move(states), maxParallelism, sink);
  size_t everything = std::numeric_limits<size_t>::max();
  cut.encodeSome(everything);
}

KeyedSectionHeader KeyedSectionHeader::decode(ByteReader& in) {
  if (in.fixed<uint32_t>() != kMagic) in.fail("is no keyed state");
  const uint64_t version = in.varint();
  if (version > kVersion) failNewerFormat("keyed state", version, kVersion);
  if (version < kVersionBeforeTtl) in.fail("is no keyed state");
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

RestoredKeyedState::State& RestoredKeyedState::stateOf(KeyedStateSchema schema) {
  const auto [at, added] = states_.try_emplace(schema.name);
  State& first = at->second;
  const auto same = [&](const State& state) {
    return state.kind == schema.kind && state.value == schema.value && state.expires == schema.expires;
  };
  if (!added) {
    if (same(first)) return first;
    for (State& other : first.others) {
      if (same(other)) return other;
    }
  }
  State& state = added ? first : first.others.emplace_back();
  state.kind = std::move(schema.kind);
  state.value = std::move(schema.value);
  state.expires = schema.expires;
  return state;
}

void RestoredKeyedState::add(std::shared_ptr<const std::string> bytes, KeyGroupRange keyGroups,
                             uint32_t storedMaxParallelism, uint32_t maxParallelism) {
  keyGroups_ = keyGroups;
  storedMaxParallelism_ = storedMaxParallelism;
  maxParallelism_ = maxParallelism;
  const std::string& section = *sections_.emplace_back(std::move(bytes));
  ByteReader in(section);
  KeyedSectionHeader header = KeyedSectionHeader::decode(in);
  if (key_ && *key_ != header.key) in.fail("has keys of another type than other subtasks");
  key_ = std::move(header.key);
  std::vector<State*> states;
  for (KeyedStateSchema& schema : header.states) states.push_back(&stateOf(std::move(schema)));
  while (!in.atEnd()) {
    const KeyedPieceHeader piece = KeyedPieceHeader::decode(in, states.size());
    const std::string_view entries(in.raw(piece.length), piece.length);
    addPiece({piece.nameSpace, piece.keyGroup, piece.firstHash, piece.entries, entries},
             *states[piece.state]);
  }
}

// A key group that is several now is kept as it is until its entries can be told apart.
void RestoredKeyedState::addPiece(Piece piece, State& state) {
  if (maxParallelism_ <= storedMaxParallelism_) {
    piece.keyGroup = KeyGroup(piece.keyGroup.value / (storedMaxParallelism_ / maxParallelism_));
    if (keyGroups_.contains(piece.keyGroup)) state.pieces.insert(piece);
    return;
  }
  const uint64_t times = maxParallelism_ / storedMaxParallelism_;
  const uint64_t first = piece.keyGroup.value * times;
  if (first < keyGroups_.end && first + times > keyGroups_.first) state.undivided.push_back(piece);
}

void RestoredKeyedState::divide(const TypeOps& key) {
  if (maxParallelism_ <= storedMaxParallelism_) return;
  for (auto& [name, state] : states_) {
    divide(state, key, nullptr);
    for (State& other : state.others) divide(other, key, nullptr);
  }
}

void RestoredKeyedState::divide(State& state, const TypeOps& key, const TypeDescription* now) const {
  if (state.undivided.empty()) return;
  const StoredValueSkipper values(state.value, timesPlace(state.kind, state.expires), now);
  if (!values.obstacle().empty()) return;
  for (const Piece& piece : std::exchange(state.undivided, {})) divide(piece, state, key, values);
}

void RestoredKeyedState::divide(const Piece& piece, State& state, const TypeOps& key,
                                const StoredValueSkipper& values) const {
  ScratchValue scratch(key);
  ByteReader in(piece.bytes);
  Piece part = piece;
  part.entries = 0;
  size_t from = 0;
  const auto add = [&](size_t end) {
    part.bytes = piece.bytes.substr(from, end - from);
    if (part.entries > 0 && keyGroups_.contains(part.keyGroup)) state.pieces.insert(part);
    part.entries = 0;
    from = end;
  };
  while (!in.atEnd()) {
    const size_t begin = in.offset();
    key.decode(in, scratch.get());
    const uint64_t hash = key.hash(scratch.get());
    if (keyGroupOf(hash, storedMaxParallelism_) != piece.keyGroup)
      in.fail("holds a key of another key group");
    const KeyGroup group = keyGroupOf(hash, maxParallelism_);
    if (part.entries > 0 && group != part.keyGroup) add(begin);
    if (part.entries++ == 0) {
      part.keyGroup = group;
      part.firstHash = hash;
    }
    values.skip(in);
  }
  add(piece.bytes.size());
}

std::optional<RestoredKeyedState::State> RestoredKeyedState::take(std::string_view name, const TypeOps& key,
                                                                  const TypeDescription& now) {
  const auto found = states_.find(name);
  if (found == states_.end()) return std::nullopt;
  std::optional<State> state(std::move(found->second));
  states_.erase(found);
  divide(*state, key, &now);
  for (State& other : state->others) divide(other, key, &now);
  return state;
}

void RestoredKeyedState::drop(std::string_view prefix, int64_t nameSpace) {
  for (auto& [name, state] : states_) {
    if (!name.starts_with(prefix)) continue;
    const auto dropFrom = [&](State& from) {
      const auto gone = [&](const Piece& piece) { return piece.nameSpace == nameSpace; };
      std::erase_if(from.pieces, gone);
      std::erase_if(from.undivided, gone);
    };
    dropFrom(state);
    for (State& other : state.others) dropFrom(other);
  }
}

void RestoredKeyedState::erase(std::string_view prefix, int64_t nameSpace, const KeyType& type,
                               const KeyRef& key) {
  for (auto& [name, state] : states_) {
    if (!name.starts_with(prefix)) continue;
    eraseIn(state, nameSpace, type, key);
    for (State& other : state.others) eraseIn(other, nameSpace, type, key);
  }
}

void RestoredKeyedState::encode(ByteWriter& out) const {
  out.varint(keyGroups_.first);
  out.varint(keyGroups_.end);
  out.varint(storedMaxParallelism_);
  out.varint(maxParallelism_);
  out.varint(sections_.size());
  for (const auto& section : sections_) out.string(*section);
}

RestoredKeyedState RestoredKeyedState::decode(ByteReader& in) {
  RestoredKeyedState restored;
  const auto number = [&in] {
    const uint64_t value = in.varint();
    if (value > kMaxParallelismLimit) in.fail("has more key groups than there are");
    return static_cast<uint32_t>(value);
  };
  KeyGroupRange keyGroups;
  keyGroups.first = number();
  keyGroups.end = number();
  const uint32_t storedMaxParallelism = number();
  const uint32_t maxParallelism = number();
  if (!std::has_single_bit(storedMaxParallelism) || !std::has_single_bit(maxParallelism))
    in.fail("has a number of key groups that is no power of two");
  for (size_t left = in.count(); left > 0; --left)
    restored.add(std::string(in.string()), keyGroups, storedMaxParallelism, maxParallelism);
  return restored;
}

// Sections do not change: the piece with the entry becomes what is before it and what is behind it.
void RestoredKeyedState::eraseIn(State& state, int64_t nameSpace, const KeyType& type, const KeyRef& key) {
  const auto orderOf = [&type](uint64_t hash) { return type.isWord() ? hash : hashWord(hash); };
  Piece behind;
  behind.nameSpace = nameSpace;
  behind.firstHash = orderOf(key.hash);
  auto at = state.pieces.upper_bound(behind);
  if (at == state.pieces.begin() || std::prev(at)->nameSpace != nameSpace) return;
  const StoredValueSkipper values(state.value, timesPlace(state.kind, state.expires), nullptr);
  if (!values.obstacle().empty()) return;
  ScratchValue scratch(type.ops());
  do {
    Piece before = *--at;
    ByteReader in(before.bytes);
    for (uint32_t entry = 0; !in.atEnd(); ++entry) {
      const size_t begin = in.offset();
      type.ops().decode(in, scratch.get());
      values.skip(in);
      const uint64_t hash = type.ops().hash(scratch.get());
      if (orderOf(hash) > behind.firstHash) break;
      if (hash != key.hash || !type.ops().equals(scratch.get(), key.object)) continue;
      behind.keyGroup = before.keyGroup;
      behind.entries = before.entries - entry - 1;
      behind.bytes = before.bytes.substr(in.offset());
      before.entries = entry;
      before.bytes = before.bytes.substr(0, begin);
      at = state.pieces.erase(at);
      if (before.entries > 0) state.pieces.insert(at, before);
      if (behind.entries > 0) state.pieces.insert(at, behind);
      return;
    }
  } while (at != state.pieces.begin() && at->firstHash == behind.firstHash &&
           std::prev(at)->nameSpace == nameSpace);
}

}  // namespace flott
