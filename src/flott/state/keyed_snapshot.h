// The keyed state of one operator instance at a cut, as bytes, and what a restored one starts from.
//
// A writer is the sink of a backend's cut: it gathers the pieces behind a description of the key and of each
// state, so that a later program can tell what fits. A RestoredKeyedState reads any number of such sections
// (those of all old subtasks whose key groups a new subtask takes over) and keeps the pieces until the
// operator registers their state. The writer is used on the thread of the owning task; a RestoredKeyedState
// may be made on any thread and is then handed over. Sections may differ in the type of a state: where it was
// registered late, some subtasks have written it as the program has it and others as it was before.
//
// Where the number of key groups changed, a stored one is now several, or part of one. As pieces are in the
// order of the key hash, of which key groups are stretches, that takes finding where a piece is to be cut.
//
// Where checkpoints share files, what is in a store is left to its files (takeFiles()), and of state in
// memory only the segments are gathered that an earlier cut has not written (takeCatalog()): what the writer
// gives is then to be a shared file.
//
//   KeyedSnapshotWriter writer(backend);        // the cut is now
//   while (!backend.encodeSome(65536)) …;       // between batches
//   std::string section = writer.finish();
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/data/type_description.h"
#include "flott/state/key_groups.h"
#include "flott/state/key_type.h"
#include "flott/state/segment_catalog.h"
#include "flott/state/snapshot.h"
#include "flott/state/stored_value.h"

namespace flott {

class KeyedStateBackend;
struct ColdCopy;
struct TypeOps;

/// What a snapshot says about one state.
struct KeyedStateSchema {
  std::string name;
  std::string kind;  // "value", "list", "timers", …
  TypeDescription value;
  bool expires = false;  // entries say when they were last touched; `value` does not

  bool operator==(const KeyedStateSchema&) const = default;
};

/// What a section begins with.
struct KeyedSectionHeader {
  TypeDescription key;
  std::vector<KeyedStateSchema> states;

  /// Throws Error(kCorruption) when the bytes do not begin a section.
  static KeyedSectionHeader decode(ByteReader& in);
};

/// What stands before the bytes of each piece of a section; `length` of them follow.
struct KeyedPieceHeader {
  static constexpr size_t kMostBytes = 48;

  size_t state = 0;  // its number in the header
  int64_t nameSpace = kNoNamespace;
  KeyGroup keyGroup{};
  uint64_t firstHash = 0;
  uint32_t entries = 0;
  uint64_t length = 0;

  /// Throws Error(kCorruption).
  static KeyedPieceHeader decode(ByteReader& in, size_t states);
};

class KeyedSnapshotWriter final : public SegmentSink {
 public:
  /// What a checkpoint may share with others, and the catalog of an earlier cut of the same backend, or null.
  struct Sharing {
    std::shared_ptr<const SegmentCatalog> base;
  };

  /// Cuts the backend, which hands its pieces over from then on; it has no other cut under way.
  explicit KeyedSnapshotWriter(KeyedStateBackend& backend, std::optional<Sharing> sharing = std::nullopt);
  ~KeyedSnapshotWriter() override;

  void take(const SegmentImage& image) override;
  bool has(const SegmentImage& image, uint64_t changed) override;
  /// That takeBytes() would give.
  size_t bytes() const { return section_.size(); }
  /// What is there so far of the section, or of what follows the bytes taken last.
  std::string takeBytes() { return std::exchange(section_, {}); }
  /// The rest of the section: all of it, unless bytes were taken. After the backend's cut is complete.
  std::string finish() { return takeBytes(); }
  /// Null: there are none.
  std::unique_ptr<ColdCopy> takeFiles();
  /// Of the complete cut; null: the bytes are the section.
  std::unique_ptr<SegmentCatalog> takeCatalog() { return std::move(catalog_); }
  bool hasCatalog() const { return catalog_ != nullptr; }

 private:
  std::string section_;
  std::map<std::string, uint64_t, std::less<>> indexOf_;
  std::unique_ptr<ColdCopy> files_;
  std::shared_ptr<const SegmentCatalog> base_;
  std::unique_ptr<SegmentCatalog> catalog_;
};

class RestoredKeyedState {
 public:
  struct Piece {
    int64_t nameSpace = kNoNamespace;
    KeyGroup keyGroup;
    uint64_t firstHash = 0;  // or less
    uint32_t entries = 0;
    std::string_view bytes;  // into a section

    /// In the order of what is in them.
    bool operator<(const Piece& other) const {
      return std::tie(nameSpace, firstHash) < std::tie(other.nameSpace, other.firstHash);
    }
  };
  using Pieces = std::multiset<Piece>;
  struct State {
    std::string kind;
    TypeDescription value;
    bool expires = false;
    Pieces pieces;
    std::vector<Piece> undivided;  // of key groups that are several now
    std::list<State> others;       // of sections that have it as another type; without others of their own
  };

  /// Adds what a section holds of these key groups, of `maxParallelism`; it was written with
  /// `storedMaxParallelism`. Throws Error(kCorruption) when the bytes are no section, or have other keys than
  /// the sections before.
  void add(std::shared_ptr<const std::string> section, KeyGroupRange keyGroups,
           uint32_t storedMaxParallelism = kDefaultMaxParallelism,
           uint32_t maxParallelism = kDefaultMaxParallelism);
  void add(std::string section, KeyGroupRange keyGroups,
           uint32_t storedMaxParallelism = kDefaultMaxParallelism,
           uint32_t maxParallelism = kDefaultMaxParallelism) {
    add(std::make_shared<const std::string>(std::move(section)), keyGroups, storedMaxParallelism,
        maxParallelism);
  }

  /// Of the keys; nothing when there was no section.
  const std::optional<TypeDescription>& key() const { return key_; }
  const std::map<std::string, State, std::less<>>& states() const { return states_; }
  /// Cuts pieces where key groups have become several; those that cannot be read past stay undivided.
  void divide(const TypeOps& key);
  /// Takes a state out, all of it divided with the help of what the program takes its values for; nothing
  /// when there is none of this name.
  std::optional<State> take(std::string_view name, const TypeOps& key, const TypeDescription& now);
  /// After what was taken is loaded: gives the memory back once nothing is left to take.
  void releaseTaken() {
    if (states_.empty()) sections_.clear();
  }
  /// Drops what is kept of one namespace in states whose names begin with `prefix`.
  void drop(std::string_view prefix, int64_t nameSpace);
  /// What one key has there; not where the values cannot be read past.
  void erase(std::string_view prefix, int64_t nameSpace, const KeyType& type, const KeyRef& key);
  /// For the way to another process: what was added. Not after anything was taken out, dropped or erased.
  void encode(ByteWriter& out) const;
  /// Throws Error(kCorruption), also as add() does.
  static RestoredKeyedState decode(ByteReader& in);

 private:
  State& stateOf(KeyedStateSchema schema);
  void addPiece(Piece piece, State& state);
  void divide(State& state, const TypeOps& key, const TypeDescription* now) const;
  void divide(const Piece& piece, State& state, const TypeOps& key, const StoredValueSkipper& values) const;
  static void eraseIn(State& state, int64_t nameSpace, const KeyType& type, const KeyRef& key);

  std::optional<TypeDescription> key_;
  std::map<std::string, State, std::less<>> states_;
  KeyGroupRange keyGroups_;
  uint32_t storedMaxParallelism_ = kDefaultMaxParallelism;
  uint32_t maxParallelism_ = kDefaultMaxParallelism;
  std::vector<std::shared_ptr<const std::string>> sections_;  // what pieces refer to
};

}  // namespace flott
