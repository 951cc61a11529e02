// The keyed state of one operator as it lies in a checkpoint: what states there are, and their entries in the
// order of the key hash, whatever the parallelism was.
//
// A first pass over the files checks them and notes where each piece of each state lies; the pieces are then
// read in their order, one at a time. So memory holds a note of 48 bytes for each piece (about 64 KB of
// state, less where there is little state in a key group) and one piece. Order: by namespace, then key hash,
// then encoded key. One thread at a time; blocks.
//
//   StoredKeyedState keyed(files, op);
//   for (KeyedEntries entries(files, keyed, keyed.find("count")[0]); entries.next();) use(entries.key(), …);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/data/type_description.h"
#include "flott/savepoints/checkpoint_files.h"
#include "flott/state/keyed_snapshot.h"

namespace flott {

class StoredKeyedState {
 public:
  struct Piece {
    int64_t nameSpace;
    uint64_t firstHash;
    uint64_t offset;  // within the section
    uint64_t length;
    uint32_t section;  // the subtask
    uint32_t entries;
  };
  struct State {
    KeyedStateSchema schema;
    std::vector<Piece> pieces;  // in order
    uint64_t entries = 0;
    uint64_t bytes = 0;

    bool hasNamespaces() const;
  };

  /// Reads all of it once. `op` must outlive it. Throws Error(kCorruption) that names the file.
  StoredKeyedState(CheckpointFiles& files, const OperatorSnapshot& op);

  const OperatorSnapshot& op() const { return op_; }
  /// Of the keys; nothing when the operator has no keyed state.
  const std::optional<TypeDescription>& key() const { return key_; }
  /// By name; several of one name where its type has changed and subtasks that have not registered it yet
  /// keep what they restored as it was.
  const std::vector<State>& states() const { return states_; }
  /// Those of this name; none when there is none.
  std::span<const State> find(std::string_view name) const;

 private:
  void addSection(CheckpointFiles& files, uint32_t section);
  void readSection(StateStream& stream, uint32_t section);
  size_t indexOf(KeyedStateSchema schema);

  const OperatorSnapshot& op_;
  std::optional<TypeDescription> key_;
  std::vector<State> states_;
};

/// The pieces of one state, one after the other.
class KeyedPieces {
 public:
  /// All must outlive it.
  KeyedPieces(CheckpointFiles& files, const OperatorSnapshot& op, const StoredKeyedState::State& state)
      : files_(files), op_(op), state_(state) {}

  /// Passes over the pieces that cannot have a key with this hash. Before next().
  void only(uint64_t hash) { only_ = hash; }
  /// False behind the last.
  bool next();
  const StoredKeyedState::Piece& piece() const { return state_.pieces[at_ - 1]; }
  /// Good until next().
  std::string_view bytes() const { return bytes_; }
  /// What `read` throws names state and file.
  template <typename F>
  void guarded(F&& read) const {
    try {
      read();
    } catch (Error& error) {
      throw std::move(error).at("state '" + state_.schema.name + "'").at(place());
    }
  }

 private:
  std::string place() const;
  bool mayHave(size_t index, uint64_t hash) const;

  CheckpointFiles& files_;
  const OperatorSnapshot& op_;
  const StoredKeyedState::State& state_;
  std::optional<uint64_t> only_;
  size_t at_ = 0;
  std::string_view bytes_;
  // What was read of a file, which often has the next piece, too.
  std::string buffer_;
  uint64_t bufferOffset_ = 0;
  uint32_t bufferSection_ = 0;
};

/// The entries of one state, by the description of their types.
class KeyedEntries {
 public:
  /// Throws Error(kUser) when a type is one that only its own codec can decode.
  KeyedEntries(CheckpointFiles& files, const StoredKeyedState& keyed, const StoredKeyedState::State& state);

  /// As KeyedPieces::only(): there may still be entries of other keys.
  void only(uint64_t hash) { pieces_.only(hash); }
  /// False behind the last.
  bool next();
  int64_t nameSpace() const { return pieces_.piece().nameSpace; }
  // Encoded; good until next().
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  /// Of state that expires: when it, or each element of a list or map, was last touched, as a
  /// list<timestamp(ms)>, or one timestamp(ms) where it is neither.
  std::string_view touched() const { return touched_; }
  /// Of the key.
  uint64_t hash() const;

 private:
  void split(ByteReader& in);
  void splitExpiring(ByteReader& in);

  const TypeDescription& keyType_;
  const KeyedStateSchema& schema_;
  KeyedPieces pieces_;
  uint32_t left_ = 0;  // entries of the piece
  size_t at_ = 0;      // in the piece's bytes
  std::string_view key_, value_, touched_;
  std::string times_;
};

/// What the tool and readers call a state's kind: "value", "window slices", "timers", …
std::string kindForPeople(const KeyedStateSchema& schema);
/// Lists and maps that expire have a time for each element.
bool expiresByElement(const KeyedStateSchema& schema);

}  // namespace flott
