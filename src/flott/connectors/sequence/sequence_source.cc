#include "flott/connectors/sequence/sequence_source.h"

#include <algorithm>

#include "flott/operators/static_enumerator.h"

namespace flott {
namespace {

// Numbers from `next` on. Unsigned, because a range may have more numbers than an int64_t can count.
struct SequenceSplit {
  int32_t index = 0;
  int64_t next = 0;
  uint64_t left = 0;
  std::string splitId() const { return std::to_string(index); }
};

class SequenceReader final : public SequentialReader<int64_t, SequenceSplit> {
  Poll read(SequenceSplit& split, SourceOutput<int64_t>& output) override {
    const uint64_t count = std::min<uint64_t>(split.left, Rows<int64_t>::kRows);
    const auto first = static_cast<uint64_t>(split.next);
    int64_t* to = output.rows().extend(count);
    for (uint64_t i = 0; i < count; ++i) to[i] = static_cast<int64_t>(first + i);
    split.next = static_cast<int64_t>(first + count);
    split.left -= count;
    return split.left > 0 ? Poll::kMore : Poll::kEnd;
  }
};

class SequenceSource final : public Source<int64_t, SequenceSplit> {
 public:
  SequenceSource(int64_t from, uint64_t count) : from_(from), count_(count) {}

  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    if (restored) return std::make_unique<StaticEnumerator<SequenceSplit>>(Handout::kOnRequest, *restored);
    return std::make_unique<StaticEnumerator<SequenceSplit>>(
        Handout::kOnRequest, [*this](int parallelism) { return pieces(static_cast<uint64_t>(parallelism)); });
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<SequenceReader>(); }

 private:
  // As even as can be, the longer ones first.
  State pieces(uint64_t count) const {
    State splits;
    auto next = static_cast<uint64_t>(from_);
    for (uint64_t i = 0; i < std::min(count, count_); ++i) {
      const uint64_t size = count_ / count + (i < count_ % count ? 1 : 0);
      splits.push_back({.index = static_cast<int32_t>(i), .next = static_cast<int64_t>(next), .left = size});
      next += size;
    }
    return splits;
  }

  const int64_t from_;
  const uint64_t count_;
};

}  // namespace

SourceOf<int64_t> sequenceSource(int64_t from, int64_t to) {
  const std::string range = "fromSequence(" + std::to_string(from) + ", " + std::to_string(to) + ")";
  if (from > to)
    throw Error(ErrorKind::kUser, range + ": the first number must not be greater than the last");
  const uint64_t count = static_cast<uint64_t>(to) - static_cast<uint64_t>(from) + 1;
  if (count == 0) throw Error(ErrorKind::kUser, range + ": a sequence may have at most 2^64 - 1 numbers");
  return sourceOf(SequenceSource(from, count), "Sequence Source");
}

}  // namespace flott
