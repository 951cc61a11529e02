// The cut of one checkpoint through a chain, while it is under way.
//
// As the barrier passes an operator its part is added; keyed state is then encoded a portion at a time
// between batches. Used on the task's thread.
//
//   ChainCut cut(barrier, operators);
//   cut.add(0, id, keyedState, operatorState, env.clock);   // the barrier is at operator 0
//   while (!cut.encodeSome(budget)) workOffABatch();
//   if (cut.complete()) store(cut.take());
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/types.h"
#include "flott/data/element.h"
#include "flott/runtime/in_flight.h"
#include "flott/state/cold/cold_image.h"
#include "flott/state/keyed_snapshot.h"

namespace flott {

class KeyedStateBackend;

/// The state of a chain's operators, each as bytes.
struct ChainSnapshot {
  struct Operator {
    OperatorId id;
    std::string keyed;  // as far as it was not taken before
    std::string operatorState;
    bool unionList = false;                   // operatorState has one
    std::unique_ptr<ColdCopy> files;          // null: there is none on disk
    std::unique_ptr<SegmentCatalog> catalog;  // null: `keyed` is a section
  };
  Barrier barrier;
  std::vector<Operator> operators;  // as JobVertex::chain
  std::vector<InFlightSequence> overtaken;
  int64_t syncNanos = 0;
  int64_t cutNanos = 0;  // monotonic, when its last operator was cut
};

/// By operator, of an earlier cut that a checkpoint may build on; null where there is none.
using SegmentCatalogs = std::vector<std::shared_ptr<const SegmentCatalog>>;

class ChainCut {
 public:
  ChainCut(const Barrier& barrier, size_t operators, SegmentCatalogs bases = {});
  ~ChainCut();
  ChainCut(ChainCut&&) noexcept;
  ChainCut& operator=(ChainCut&&) noexcept;

  CheckpointId checkpoint() const { return snapshot_.barrier.checkpoint; }
  const Barrier& barrier() const { return snapshot_.barrier; }
  /// The barrier has passed all operators.
  bool passed() const { return missing_ == 0; }
  /// Where an exchange appends what the barrier has overtaken there.
  std::vector<InFlightSequence>& overtaken() { return snapshot_.overtaken; }
  /// `keyed` may be null; it has no other cut under way, and outlives this one.
  void add(size_t index, OperatorId id, KeyedStateBackend* keyed, std::string operatorState,
           bool unionList = false);
  void noteSync(int64_t nanos, int64_t nowNanos) {
    snapshot_.syncNanos += nanos;
    snapshot_.cutNanos = nowNanos;
  }
  /// Encodes about so many bytes; whether all that was added so far is encoded.
  bool encodeSome(size_t budgetBytes);
  /// An operator's keyed state as far as it is encoded and was not taken.
  struct Part {
    size_t index = 0;
    std::string bytes;
    bool shared = false;  // they are to be a shared file
  };
  /// Of the first operator that has so many bytes; nothing when none has.
  std::optional<Part> takePart(size_t bytes);
  /// Encoded and not taken.
  size_t encodedBytes() const;
  /// All of what this backend still owes to the cut.
  void finish(const KeyedStateBackend& keyed);
  /// Every operator was added and is encoded.
  bool complete() const { return missing_ == 0 && encoding_ == 0; }
  ChainSnapshot take() { return std::move(snapshot_); }
  /// Lets the backends go.
  void abandon();

 private:
  struct Keyed {
    KeyedStateBackend* backend = nullptr;
    std::unique_ptr<KeyedSnapshotWriter> writer;
  };

  bool encode(size_t index, size_t budgetBytes);

  ChainSnapshot snapshot_;
  SegmentCatalogs bases_;
  std::vector<Keyed> keyed_;  // by operator; without a writer: there is none, or it is encoded
  size_t missing_;            // operators that were not added
  size_t encoding_ = 0;       // writers
};

}  // namespace flott
