// A source of values that the program holds itself: fromCollection(), fromElements(),
// fromParallelCollection().
//
// One reader keeps the order; several take contiguous parts as they get through. The position is the place of
// the next value, so a restored job goes on behind those put out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/operators/static_enumerator.h"
#include "flott/operators/typed_source.h"

namespace flott {

/// The values from place `next` to before `end`.
struct CollectionSplit {
  uint64_t next = 0;
  uint64_t end = 0;
  std::string splitId() const { return "collection-" + std::to_string(end); }
};

/// Up to `most` contiguous parts of about one size; at least one.
std::vector<CollectionSplit> partsOfCollection(size_t size, size_t most);
[[noreturn]] void throwCollectionShrunk(uint64_t end, size_t size);

template <typename T>
class CollectionReader final : public SequentialReader<T, CollectionSplit> {
 public:
  explicit CollectionReader(std::shared_ptr<const std::vector<T>> values) : values_(std::move(values)) {}

 private:
  Poll read(CollectionSplit& split, SourceOutput<T>& output) override {
    const std::vector<T>& values = *values_;
    if (split.end > values.size()) throwCollectionShrunk(split.end, values.size());
    while (split.next < split.end && !output.full()) output.collect(T(values[split.next++]));
    return split.next < split.end ? Poll::kMore : Poll::kEnd;
  }

  const std::shared_ptr<const std::vector<T>> values_;
};

template <typename T>
class CollectionSource final : public Source<T, CollectionSplit> {
  using Base = Source<T, CollectionSplit>;

 public:
  CollectionSource(std::vector<T> values, size_t mostParts)
      : values_(std::make_shared<const std::vector<T>>(std::move(values))), mostParts_(mostParts) {}

  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<typename Base::Enumerator> createEnumerator(
      std::optional<typename Base::State> restored) const override {
    return std::make_unique<StaticEnumerator<CollectionSplit>>(
        Handout::kOnRequest,
        restored ? *std::move(restored) : partsOfCollection(values_->size(), mostParts_));
  }
  std::unique_ptr<typename Base::Reader> createReader() const override {
    return std::make_unique<CollectionReader<T>>(values_);
  }

 private:
  std::shared_ptr<const std::vector<T>> values_;  // shared by all copies: nobody changes it
  size_t mostParts_;
};

template <typename T>
SourceOf<T> collectionSource(std::vector<T> values) {
  SourceOf<T> source = sourceOf(CollectionSource<T>(std::move(values), 1), "Collection Source");
  source.parallel = false;
  return source;
}

/// Read by all subtasks together, part by part.
template <typename T>
SourceOf<T> parallelCollectionSource(std::vector<T> values) {
  constexpr size_t kMostParts = 256;  // some for each subtask, so that the fast ones take more
  return sourceOf(CollectionSource<T>(std::move(values), kMostParts), "Parallel Collection Source");
}

}  // namespace flott
