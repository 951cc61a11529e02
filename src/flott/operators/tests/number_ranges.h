// A bounded source of the numbers from 0 on, for tests of jobs that fail and go on: its splits are ranges,
// which are read a few numbers at a time.
//
//   env.fromSource(sourceOf(Ranges(1000), "numbers"))
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "flott/operators/static_enumerator.h"
#include "flott/operators/typed_source.h"

namespace flott {

struct Range {
  int32_t id = 0;
  int64_t next = 0;
  int64_t end = 0;
  std::string splitId() const { return std::to_string(id); }
};

class RangeReader final : public SequentialReader<int64_t, Range> {
  Poll read(Range& range, SourceOutput<int64_t>& out) override {
    for (int i = 0; i < 2 && range.next < range.end; ++i) out.collect(range.next++);
    return range.next < range.end ? Poll::kMore : Poll::kEnd;
  }
};

/// The numbers from 0 on, in ranges of 50.
class Ranges final : public Source<int64_t, Range> {
 public:
  explicit Ranges(int64_t count, Handout handout = Handout::kOnRequest) : count_(count), handout_(handout) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    State fresh;
    for (int64_t from = 0; from < count_; from += 50) {
      fresh.push_back({static_cast<int32_t>(fresh.size()), from, std::min(from + 50, count_)});
    }
    return std::make_unique<StaticEnumerator<Range>>(handout_, restored.value_or(fresh));
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<RangeReader>(); }

 private:
  int64_t count_;
  Handout handout_;
};

}  // namespace flott
