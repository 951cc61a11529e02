// A source of one's own: the numbers of some ranges, read in parallel. Where a range ends and how far a
// reader has come is a split, a plain struct; an enumerator hands splits to readers that ask for one.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "flott/flott.h"

using namespace flott;

struct Range {
  int64_t next;
  int64_t end;
  std::string splitId() const { return "to " + std::to_string(end); }
};

class RangeReader final : public SequentialReader<int64_t, Range> {
  // Puts out about one batch and comes back; the split says where to go on.
  Poll read(Range& range, SourceOutput<int64_t>& out) override {
    while (range.next < range.end && !out.full()) out.collect(range.next++);
    return range.next < range.end ? Poll::kMore : Poll::kEnd;
  }
};

class Ranges final : public Source<int64_t, Range> {
 public:
  explicit Ranges(State ranges) : ranges_(std::move(ranges)) {}

  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    return std::make_unique<StaticEnumerator<Range>>(Handout::kOnRequest, restored.value_or(ranges_));
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<RangeReader>(); }

 private:
  State ranges_;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  env.setParallelism(2);

  env.fromSource(sourceOf(Ranges({{0, 3}, {10, 13}, {100, 103}}), "ranges"))
      .map([](int64_t number) { return number * number; })
      .print()
      .setParallelism(1);

  env.execute("Ranges");
}
