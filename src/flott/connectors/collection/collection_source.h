// A source of values that the program holds itself: fromCollection() and fromElements().
//
// One reader, which keeps the order. The position is the number of values put out, so a restored job goes on
// behind them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/operators/static_enumerator.h"
#include "flott/operators/typed_source.h"

namespace flott {

struct CollectionSplit {
  uint64_t next = 0;
  std::string splitId() const { return "collection"; }
};

[[noreturn]] void throwCollectionShrunk(uint64_t next, size_t size);

template <typename T>
class CollectionReader final : public SequentialReader<T, CollectionSplit> {
 public:
  explicit CollectionReader(std::shared_ptr<const std::vector<T>> values) : values_(std::move(values)) {}

 private:
  Poll read(CollectionSplit& split, SourceOutput<T>& output) override {
    const std::vector<T>& values = *values_;
    if (split.next > values.size()) throwCollectionShrunk(split.next, values.size());
    while (split.next < values.size() && !output.full()) output.collect(T(values[split.next++]));
    return split.next < values.size() ? Poll::kMore : Poll::kEnd;
  }

  const std::shared_ptr<const std::vector<T>> values_;
};

template <typename T>
class CollectionSource final : public Source<T, CollectionSplit> {
  using Base = Source<T, CollectionSplit>;

 public:
  explicit CollectionSource(std::vector<T> values)
      : values_(std::make_shared<const std::vector<T>>(std::move(values))) {}

  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<typename Base::Enumerator> createEnumerator(
      std::optional<typename Base::State> restored) const override {
    return std::make_unique<StaticEnumerator<CollectionSplit>>(Handout::kOnRequest,
                                                               restored.value_or(typename Base::State(1)));
  }
  std::unique_ptr<typename Base::Reader> createReader() const override {
    return std::make_unique<CollectionReader<T>>(values_);
  }

 private:
  std::shared_ptr<const std::vector<T>> values_;  // shared by all copies: nobody changes it
};

template <typename T>
SourceOf<T> collectionSource(std::vector<T> values) {
  SourceOf<T> source = sourceOf(CollectionSource<T>(std::move(values)), "Collection Source");
  source.parallel = false;
  return source;
}

}  // namespace flott
