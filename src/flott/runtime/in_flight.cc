#include "flott/runtime/in_flight.h"

#include <algorithm>

#include "flott/base/error.h"
#include "flott/data/columns.h"
#include "flott/data/pool.h"
#include "flott/data/type_description.h"
#include "flott/state/format_version.h"

namespace flott {
namespace {

constexpr uint32_t kVersion = 1;
constexpr uint8_t kBatch = 1;
constexpr uint8_t kWatermark = 2;
constexpr uint8_t kStatus = 3;

/// Columns bring their own.
std::string typeOf(const Batch& batch) {
  return batch->tag() == &kColumnsTag ? std::string() : batch->description().toString();
}

}  // namespace

std::vector<EdgeName> edgeNames(const JobGraph& graph) {
  std::vector<EdgeName> names;
  for (const JobEdge& edge : graph.edges) {
    const JobVertex& from = graph.vertices[static_cast<size_t>(edge.from)];
    const JobVertex& to = graph.vertices[static_cast<size_t>(edge.to)];
    EdgeName name{.from = from.chain[static_cast<size_t>(edge.fromOperator)].id,
                  .to = to.chain.front().id,
                  .input = edge.input,
                  .nth = 0};
    name.nth = static_cast<int32_t>(std::count_if(names.begin(), names.end(), [&](const EdgeName& other) {
      return other.from == name.from && other.to == name.to && other.input == name.input;
    }));
    names.push_back(name);
  }
  return names;
}

std::string encodeInFlight(const std::vector<InFlightSequence>& sequences) {
  std::string bytes;
  if (sequences.empty()) return bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.varint(sequences.size());
  for (const InFlightSequence& sequence : sequences) {
    out.fixed(sequence.edge.from.value);
    out.fixed(sequence.edge.to.value);
    out.zigzag(sequence.edge.input);
    out.zigzag(sequence.edge.nth);
    out.zigzag(sequence.sender);
    out.zigzag(sequence.receiver);
    out.fixed(static_cast<uint8_t>(sequence.unsent));
    out.string(sequence.elements);
  }
  return bytes;
}

std::vector<InFlightSequence> decodeInFlight(std::string_view bytes) {
  std::vector<InFlightSequence> sequences;
  if (bytes.empty()) return sequences;
  ByteReader in(bytes);
  const auto version = in.fixed<uint32_t>();
  if (version == 0) in.fail("is no record of what was in channels");
  if (version > kVersion) failNewerFormat("the channel state", version, kVersion);
  sequences.resize(in.count(22));
  for (InFlightSequence& sequence : sequences) {
    sequence.edge.from = OperatorId(in.fixed<uint64_t>());
    sequence.edge.to = OperatorId(in.fixed<uint64_t>());
    sequence.edge.input = static_cast<int32_t>(in.zigzag());
    sequence.edge.nth = static_cast<int32_t>(in.zigzag());
    sequence.sender = static_cast<int32_t>(in.zigzag());
    sequence.receiver = static_cast<int32_t>(in.zigzag());
    sequence.unsent = in.fixed<uint8_t>() != 0;
    sequence.elements = in.string();
  }
  if (!in.atEnd()) in.fail("has bytes left over");
  return sequences;
}

void appendBatch(const Batch& batch, std::string& elements) {
  if (batch.size() == 0) return;
  ByteWriter out(elements);
  out.fixed(kBatch);
  out.string(typeOf(batch));
  batch->encode(out);
}

void appendElement(const Element& element, std::string& elements) {
  ByteWriter out(elements);
  if (const auto* batch = std::get_if<Batch>(&element)) {
    appendBatch(*batch, elements);
  } else if (const auto* watermark = std::get_if<Watermark>(&element)) {
    out.fixed(kWatermark);
    out.fixed(watermark->time.ms);
  } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    out.fixed(kStatus);
    out.fixed(static_cast<uint8_t>(status->active));
  }
}

bool holdsRecords(std::string_view elements) {
  ByteReader in(elements);
  while (!in.atEnd()) {
    const auto kind = in.fixed<uint8_t>();
    if (kind != kWatermark && kind != kStatus) return true;
    in.raw(kind == kWatermark ? sizeof(int64_t) : sizeof(uint8_t));
  }
  return false;
}

void InFlightReader::checkType(std::string_view stored, const Batch& batch) {
  if (!type_) type_ = typeOf(batch);
  if (stored == *type_) return;
  throw Error(ErrorKind::kUser, "they have the type " + std::string(stored) + ", but the job has " + *type_ +
                                    " there: start the program as it was, and stop it with a savepoint, in "
                                    "which no records are on their way");
}

std::optional<Element> InFlightReader::next() {
  if (in_.atEnd()) return std::nullopt;
  switch (in_.fixed<uint8_t>()) {
    case kBatch: {
      if (pool_ == nullptr) in_.fail("has records in a channel that none were kept of");
      Batch batch = pool_->acquire();
      checkType(in_.string(), batch);
      batch->decode(in_);
      return Element(std::move(batch));
    }
    case kWatermark:
      return Element(Watermark{Timestamp(in_.fixed<int64_t>())});
    case kStatus:
      return Element(WatermarkStatus{in_.fixed<uint8_t>() != 0});
    default:
      in_.fail("has an element of an unknown kind in its channel state");
  }
}

bool overtakable(const JobEdge& edge, bool forced) {
  if (edge.pool == nullptr) return false;
  switch (edge.partitioning.kind) {
    case PartitionKind::kHash:
    case PartitionKind::kRebalance:
    case PartitionKind::kShuffle:
    case PartitionKind::kGlobal:
      return true;
    case PartitionKind::kCustom:
      return forced;
    case PartitionKind::kForward:
    case PartitionKind::kRescale:
    case PartitionKind::kBroadcast:
      return false;
  }
  return false;
}

}  // namespace flott
