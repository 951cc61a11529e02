#include "flott/cluster/slot_assignment.h"

#include <gtest/gtest.h>

namespace flott {
namespace {

using Chosen = std::vector<size_t>;

Chosen packed(const std::vector<std::string>& before, std::vector<OfferedSlots> workers) {
  return assignSlots(before, std::move(workers), SlotSpread::kPacked);
}
Chosen even(const std::vector<std::string>& before, std::vector<OfferedSlots> workers) {
  return assignSlots(before, std::move(workers), SlotSpread::kEven);
}
std::vector<std::string> fresh(size_t slots) { return std::vector<std::string>(slots); }

TEST(SlotAssignment, ARegionThatFitsStaysInOneWorker) {
  EXPECT_EQ(packed(fresh(2), {{"a", 1, 1}, {"b", 3, 2}, {"c", 4, 4}}), (Chosen{2, 2}));
  EXPECT_EQ(packed({"b", "b"}, {{"a", 4, 4}, {"b", 3, 2}}), (Chosen{1, 1}));
  EXPECT_EQ(packed({"b", "a", "b"}, {{"a", 9, 9}, {"b", 3, 3}}), (Chosen{1, 1, 1}));
}

TEST(SlotAssignment, PackedAsFewWorkersAsCanBeGetIt) {
  EXPECT_EQ(packed(fresh(5), {{"a", 1, 1}, {"b", 3, 3}, {"c", 2, 2}}), (Chosen{1, 1, 1, 2, 2}));
  EXPECT_EQ(packed(fresh(4), {{"a", 2, 2}, {"b", 2, 1}, {"c", 2, 2}}), (Chosen{0, 0, 2, 2}));
}

TEST(SlotAssignment, SlotsGoBackToWhoHasHadThem) {
  EXPECT_EQ(packed({"gone", "b", "gone", "b"}, {{"a", 3, 3}, {"b", 2, 2}}), (Chosen{0, 1, 0, 1}));
  EXPECT_EQ(even({"b", "b", "a"}, {{"a", 2, 2}, {"b", 2, 2}}), (Chosen{1, 1, 0}));
  EXPECT_EQ(even({"b", "b"}, {{"a", 2, 2}, {"b", 2, 1}}), (Chosen{1, 0}));
}

TEST(SlotAssignment, AnotherWorkerOfTheTaskManagerTakesThePlaceOfOneThatIsGone) {
  EXPECT_EQ(packed({"t1/w1", "t1/w1"}, {{"t2/w2", 4, 4}, {"t1/w3", 2, 2}}), (Chosen{1, 1}));
  EXPECT_EQ(packed({"t1/w1", "t2/w2", "t1/w1"}, {{"t2/w2", 2, 2}, {"t3/w9", 2, 2}, {"t1/w3", 2, 2}}),
            (Chosen{2, 0, 2}));
  EXPECT_EQ(even({"t1/w1", "t2/w2"}, {{"t2/w4", 4, 4}, {"t1/w3", 2, 2}}), (Chosen{1, 0}));
  EXPECT_EQ(packed({"t1/w1"}, {{"t1/w3", 1, 1}, {"t1/w1", 1, 1}}), (Chosen{1})) << "the same one first";
  EXPECT_EQ(even({"w1"}, {{"w2", 4, 3}, {"w3", 4, 4}}), (Chosen{1})) << "these are nobody's";
}

TEST(SlotAssignment, SpreadOutWhoHasTheLeastToDoForItsSizeIsNext) {
  EXPECT_EQ(even(fresh(4), {{"a", 4, 4}, {"b", 4, 4}}), (Chosen{0, 1, 0, 1}));
  EXPECT_EQ(even(fresh(3), {{"a", 4, 4}, {"b", 1, 1}}), (Chosen{0, 1, 0}));
  EXPECT_EQ(even(fresh(3), {{"a", 4, 1}, {"b", 4, 4}}), (Chosen{1, 1, 1}));
}

TEST(SlotAssignment, TooFewSlotsAreNone) {
  EXPECT_EQ(packed(fresh(4), {{"a", 2, 2}, {"b", 2, 1}}), Chosen());
  EXPECT_EQ(even(fresh(1), {}), Chosen());
}

}  // namespace
}  // namespace flott
