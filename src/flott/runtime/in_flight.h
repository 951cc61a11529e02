// What was on its way between tasks when a barrier overtook it, as bytes: part of an unaligned checkpoint.
//
// A sequence is a stretch of one channel, in order: first where the receiver's time stood, then what lay in
// the channel before the barrier; what the sender had not got rid of is a sequence of its own that follows
// it. Written by the tasks at both ends, put together by the master, read by the receiving task before
// anything else. Plain values. Barriers, markers and ends are left out: they are made anew.
//
//   std::string elements;
//   appendElement(element, elements);
//   InFlightReader in(elements, pool);
//   while (std::optional<Element> element = in.next()) work(*std::move(element));
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/data/element.h"
#include "flott/graph/job_graph.h"

namespace flott {

/// Which edge of a job, whatever its index: one of those between two operators, by their order.
struct EdgeName {
  OperatorId from;
  OperatorId to;  // the head of the receiving chain
  int32_t input = 0;
  int32_t nth = 0;

  auto operator<=>(const EdgeName&) const = default;
};

/// By JobEdge index.
std::vector<EdgeName> edgeNames(const JobGraph& graph);

struct InFlightSequence {
  EdgeName edge;
  int32_t sender = 0;
  int32_t receiver = 0;
  bool unsent = false;  // what was with the sender, behind what was in the channel
  std::string elements;
};

/// Of one task. Nothing for no sequences.
std::string encodeInFlight(const std::vector<InFlightSequence>& sequences);
/// Throws Error(kCorruption) for other bytes, Error(kUser) for those of a later version.
std::vector<InFlightSequence> decodeInFlight(std::string_view bytes);

/// Barriers, markers and ends add nothing.
void appendElement(const Element& element, std::string& elements);
void appendBatch(const Batch& batch, std::string& elements);

/// Not only times.
bool holdsRecords(std::string_view elements);

/// Takes a sequence's elements one by one.
class InFlightReader {
 public:
  /// Both outlive it; `pool` is for the batches, null where there are none.
  InFlightReader(std::string_view elements, BatchPool* pool) : in_(elements), pool_(pool) {}
  /// Throws Error(kCorruption), and Error(kUser) for records of another type.
  std::optional<Element> next();

 private:
  void checkType(std::string_view stored, const Batch& batch);

  ByteReader in_;
  BatchPool* pool_;
  std::optional<std::string> type_;  // of the pool's batches
};

/// May a barrier overtake what is on an edge? Not where records have a fixed way from task to task, or go to
/// all: those could not be dealt out anew to other subtasks. With `forced` also where a function of the
/// program's chooses it.
bool overtakable(const JobEdge& edge, bool forced);

/// What a receiving task starts with on one of its edges: a channel of the job before.
struct RestoredChannel {
  enum class Takes : uint8_t {
    kAll,      // of the records
    kRouted,   // those that the edge's partitioner sends to this task
    kNothing,  // only its time counts
  };
  int edge = 0;    // index
  int sender = 0;  // of the job before
  Takes takes = Takes::kAll;
  bool exact = false;  // the sender is the same subtask as before
  std::vector<std::shared_ptr<const std::string>> parts;
};

}  // namespace flott
