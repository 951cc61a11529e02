#include "flott/state/cold/section_load.h"

#include <memory>
#include <optional>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/data/described_bytes.h"
#include "flott/state/cold/cold_side.h"
#include "flott/state/key_type.h"
#include "flott/state/segment_catalog.h"
#include "flott/state/state_stream.h"
#include "flott/state/stored_value.h"

namespace flott {
namespace {

constexpr size_t kCommittedAtOnce = size_t{1} << 20;

bool isWordKey(const TypeDescription& key) {
  const TypeDescription& type = key.kind == TypeKind::kEnum ? key.parts.at(0) : key;
  switch (type.kind) {
    case TypeKind::kBool:
    case TypeKind::kInt8:
    case TypeKind::kInt16:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kUint8:
    case TypeKind::kUint16:
    case TypeKind::kUint32:
    case TypeKind::kUint64:
      return true;
    default:
      return false;
  }
}

class SectionLoader {
 public:
  SectionLoader(StateStream& stream, OrderRange wanted, ColdStates& states)
      : stream_(stream),
        wanted_(wanted),
        store_(*states.store),
        header_(readHeader(stream, &rest_)),
        all_(states.states) {
    const bool keysAreKnown = undescribedPart(header_.key) == nullptr;
    wordKeys_ = isWordKey(header_.key);
    for (const KeyedStateSchema& schema : header_.states) {
      State& state = states_.emplace_back();
      if (!keysAreKnown || schema.kind == "timers") continue;
      auto values = std::make_unique<StoredValueSkipper>(schema.value,
                                                         timesPlace(schema.kind, schema.expires), nullptr);
      if (!values->obstacle().empty()) continue;
      state.values = std::move(values);
      state.number = stateOf(schema, states.states).number;
    }
  }

  /// The part of the section that did not go to the store, as a section.
  std::string run() {
    while (stream_.remaining() > 0) {
      const std::string_view bytes = stream_.peek(KeyedPieceHeader::kMostBytes);
      ByteReader in(bytes);
      const KeyedPieceHeader piece = KeyedPieceHeader::decode(in, states_.size());
      const std::string head(bytes.substr(0, in.offset()));
      if (piece.length > stream_.remaining() - head.size()) in.fail("ends early");
      stream_.skip(head.size());
      const std::string_view entries = stream_.peek(piece.length).substr(0, piece.length);
      if (states_[piece.state].values == nullptr) {
        (rest_ += head) += entries;
      } else {
        put(piece, entries);
      }
      stream_.skip(piece.length);
    }
    store_.commit();
    return std::move(rest_);
  }

 private:
  struct State {
    std::unique_ptr<StoredValueSkipper> values;  // null: stays as it is
    uint16_t number = 0;
  };

  void put(const KeyedPieceHeader& piece, std::string_view entries) {
    const State& state = states_[piece.state];
    const std::string prefix = ColdKey::prefix(state.number, piece.nameSpace);
    uint64_t count = 0;
    ByteReader in(entries);
    while (!in.atEnd()) {
      const size_t begin = in.offset();
      const uint64_t hash = hashOfKey(header_.key, in);
      const std::string_view key = entries.substr(begin, in.offset() - begin);
      const size_t from = in.offset();
      state.values->skip(in);
      const uint64_t order = wordKeys_ ? hash : hashWord(hash);
      if (order < wanted_.first || order > wanted_.last) continue;
      key_ = prefix;
      ColdKey::appendOrder(order, key_);
      key_ += key;
      store_.put(key_, entries.substr(from, in.offset() - from));
      ++count;
    }
    if (count > 0) stateOf(header_.states[piece.state], all_).entries[piece.nameSpace] += count;
    if (store_.pendingBytes() >= kCommittedAtOnce) store_.commit();
  }

  StateStream& stream_;
  const OrderRange wanted_;
  ColdStore& store_;
  std::string rest_;
  const KeyedSectionHeader header_;
  bool wordKeys_ = false;
  std::vector<State> states_;  // as in the header
  std::vector<ColdImage::State>& all_;
  std::string key_;
};

}  // namespace

std::string readSection(CheckpointStorage& storage, const StoredSection& section) {
  if (section.shared.image.empty()) return storage.read(section.folder, section.handle);
  std::string bytes;
  readSharedSection(storage, section.folder, section.shared,
                    [&bytes](std::string_view part) { bytes += part; });
  return bytes;
}

void loadSection(CheckpointStorage& storage, const StoredSection& section, const SectionTarget& target,
                 ColdStates& states, RestoredKeyedState& restored) {
  StoredParts parts(storage, section.folder);
  StateStream stream(parts, section.handle);
  std::string rest;
  try {
    rest = SectionLoader(stream, orderRange(target.keyGroups, target.maxParallelism), states).run();
  } catch (const Error& error) {
    // Bytes that make no sense are most likely damaged.
    if (error.kind() != ErrorKind::kCorruption) throw;
    stream.skip(stream.remaining());
    stream.check();
    throw;
  }
  stream.check();
  restored.add(std::move(rest), target.keyGroups, section.maxParallelism, target.maxParallelism);
}

}  // namespace flott
