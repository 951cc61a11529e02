#include "flott/operators/accumulators.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flott/base/error.h"

namespace flott {
namespace {

/// The largest value added by any subtask: a class that no other process knows.
class Largest final : public Accumulator {
 public:
  void add(int64_t value) { largest_ = std::max(largest_, value); }
  int64_t value() const { return largest_; }
  std::unique_ptr<Accumulator> clone() const override { return std::make_unique<Largest>(*this); }
  void merge(const Accumulator& other) override { add(dynamic_cast<const Largest&>(other).largest_); }
  std::string text() const override { return std::to_string(largest_); }
  void encode(ByteWriter& out) const override { out.zigzag(largest_); }
  void decode(ByteReader& in) override { largest_ = in.zigzag(); }

 private:
  int64_t largest_ = 0;
};

Accumulators ofSubtask(int64_t n) {
  Accumulators all;
  all.get<IntCounter>("ints").add(static_cast<int32_t>(n));
  all.get<LongCounter>("longs").add(-n);
  all.get<DoubleCounter>("doubles").add(static_cast<double>(n) / 2);
  all.get<HistogramAccumulator>("histogram").add(n);
  all.get<Largest>("largest").add(n);
  return all;
}

std::string encoded(const Accumulators& all) {
  std::string bytes;
  ByteWriter out(bytes);
  all.encode(out);
  return bytes;
}

Accumulators decoded(const std::string& bytes) {
  ByteReader in(bytes);
  Accumulators all = Accumulators::decode(in);
  EXPECT_TRUE(in.atEnd());
  return all;
}

// From two workers to the master, which merges without knowing the program's class, and on to the client.
TEST(Accumulators, TravelAsBytesAndAreMergedOnTheWay) {
  Accumulators merged = decoded(encoded(ofSubtask(3)));
  merged.merge(decoded(encoded(ofSubtask(7))));
  EXPECT_EQ(merged.find("longs")->text(), "-10");
  EXPECT_EQ(merged.find("histogram")->text(), "{3: 1, 7: 1}");
  EXPECT_EQ(merged.find("largest")->text(), "3, 7");

  Accumulators client = decoded(encoded(merged));
  EXPECT_EQ(client.get<IntCounter>("ints").value(), 10);
  EXPECT_EQ(client.get<DoubleCounter>("doubles").value(), 5);
  EXPECT_EQ(client.get<Largest>("largest").value(), 7);
}

TEST(Accumulators, OfAnotherClassAreNotMergedWithForeignOnes) {
  Accumulators merged = decoded(encoded(ofSubtask(3)));
  Accumulators other;
  other.get<LongCounter>("largest");
  EXPECT_THROW(merged.merge(other), Error);
}

TEST(Accumulators, BytesThatAreCutOffAreRefused) {
  const std::string bytes = encoded(ofSubtask(3));
  for (size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_THROW(Accumulators::decode(in), Error) << size;
  }
}

}  // namespace
}  // namespace flott
