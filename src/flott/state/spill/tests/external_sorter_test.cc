// Records come back in their order, whatever fits into memory, and what the disk does wrong is noticed.
#include "flott/state/spill/external_sorter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "flott/data/print.h"
#include "flott/env/simulated.h"
#include "flott/state/spill/record_order.h"

namespace flott {
namespace {

struct Visit {
  std::string user;
  int64_t page = 0;
  int64_t number = 0;  // in the order of arrival
  bool operator==(const Visit&) const = default;
};

struct ByUser {
  using Key = std::string;
  const std::string& operator()(const Visit& visit) const { return visit.user; }
};
struct ByPage {
  using Key = int64_t;
  int64_t operator()(const Visit& visit) const { return visit.page; }
};

class ExternalSorterTest : public testing::TestWithParam<uint64_t> {
 protected:
  template <typename Order>
  std::vector<Visit> through(std::vector<Visit> visits, Order order, uint64_t memory) {
    ExternalSorter<Visit, Order> sorter(place(), memory, order);
    for (Visit& visit : visits) {
      sorter.add(std::move(visit));
      if (sorter.full()) sorter.spill();
    }
    sorter.finish();
    spilled_ = sorter.spilledBytes();
    std::vector<Visit> all;
    while (Visit* visit = sorter.next()) all.push_back(std::move(*visit));
    EXPECT_EQ(sorter.next(), nullptr);
    return all;
  }
  SpillPlace place() { return SpillPlace(world_.files(), "/spill/run"); }

  SimulatedEnv world_{1};
  uint64_t spilled_ = 0;
};

std::vector<Visit> randomVisits(uint64_t seed) {
  Random random(seed);
  std::vector<Visit> visits;
  const int64_t count = static_cast<int64_t>(random.below(3000));
  for (int64_t i = 0; i < count; ++i) {
    const auto user = random.below(40);
    visits.push_back({std::string(user, 'u'), static_cast<int64_t>(random.below(100)), i});
  }
  return visits;
}

INSTANTIATE_TEST_SUITE_P(Seeds, ExternalSorterTest, testing::Range<uint64_t>(0, 20));

// Memory for all, for a few runs, and for so few records that runs are merged on the way.
constexpr uint64_t kMemories[] = {uint64_t{1} << 30, 20'000, 1'000};

TEST_P(ExternalSorterTest, SortsAsAStableSortInMemoryDoes) {
  for (const uint64_t memory : kMemories) {
    std::vector<Visit> expected = randomVisits(GetParam());
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Visit& a, const Visit& b) { return a.page > b.page; });
    const SortedBy<Visit, ByPage> order(ByPage(), SortOrder::kDescending);
    EXPECT_EQ(through(randomVisits(GetParam()), order, memory), expected)
        << "seed " << GetParam() << ", memory " << memory;
  }
}

TEST_P(ExternalSorterTest, KeepsTheOrderOfArrival) {
  for (const uint64_t memory : kMemories) {
    EXPECT_EQ(through(randomVisits(GetParam()), ArrivalOrder<Visit>(), memory), randomVisits(GetParam()))
        << "seed " << GetParam() << ", memory " << memory;
  }
}

TEST_P(ExternalSorterTest, GroupsByKeyHashAndSortsWithin) {
  using Order = ThenBy<GroupedBy<Visit, ByUser>, SortedBy<Visit, ByPage>>;
  for (const uint64_t memory : kMemories) {
    std::vector<Visit> expected = randomVisits(GetParam());
    std::stable_sort(expected.begin(), expected.end(), [](const Visit& a, const Visit& b) {
      return std::pair(hashKey(a.user), a.page) < std::pair(hashKey(b.user), b.page);
    });
    const Order order(GroupedBy<Visit, ByUser>(ByUser()), {ByPage(), SortOrder::kAscending});
    EXPECT_EQ(through(randomVisits(GetParam()), order, memory), expected)
        << "seed " << GetParam() << ", memory " << memory;
  }
}

TEST_F(ExternalSorterTest, WritesOnlyWhatMemoryCannotHoldAndLeavesNoFileBehind) {
  std::vector<Visit> visits(1000, Visit{"ann", 1, 1});
  const SortedBy<Visit, ByPage> order(ByPage(), SortOrder::kAscending);
  through(visits, order, 1'000'000);
  EXPECT_EQ(spilled_, 0u);
  EXPECT_FALSE(world_.files().stat("/spill").has_value());

  ExternalSorter<Visit, SortedBy<Visit, ByPage>> sorter(place(), 10'000, order);
  for (Visit& visit : visits) {
    sorter.add(std::move(visit));
    if (sorter.full()) sorter.spill();
  }
  EXPECT_GT(sorter.spilledBytes(), 10'000u);
  EXPECT_TRUE(world_.files().listFolder("/spill").empty()) << "the runs have no names";
}

TEST_F(ExternalSorterTest, NumbersThatAreNoneComeLast) {
  struct Reading {
    double value = 0;
  };
  const double none = std::numeric_limits<double>::quiet_NaN();
  const auto byValue = [](const Reading& reading) -> const double& { return reading.value; };
  ExternalSorter<Reading, SortedBy<Reading, decltype(byValue)>> sorter(place(), 1'000'000,
                                                                       {byValue, SortOrder::kAscending});
  for (const double value : {none, 3.0, none, -1.0, 2.0}) sorter.add(Reading{value});
  sorter.finish();
  std::string texts;
  while (const Reading* reading = sorter.next()) texts += toText(reading->value) + " ";
  EXPECT_EQ(texts, "-1 2 3 nan nan ");
}

TEST(SpilledRun, ChangedBytesAreCorruption) {
  SimulatedEnv world(1);
  RunWriter writer(world.files(), "/tmp/run");
  for (int64_t i = 0; i < 100; ++i) {
    Codec<int64_t>::encode(i, writer.record());
    writer.recordEnds();
  }
  SpilledRun run = writer.finish();
  std::string bytes(run.bytes, '\0');
  for (size_t at = 0; at < bytes.size();) at += run.file->read(at, {bytes.data() + at, bytes.size() - at});
  const auto failure = [&](std::string changed) -> std::string {
    world.files().put("/tmp/changed", changed);
    RunReader reader({.path = "/tmp/run", .file = world.files().open("/tmp/changed"), .bytes = run.bytes});
    try {
      int64_t number;
      while (ByteReader* in = reader.next()) Codec<int64_t>::decode(*in, number);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorruption);
      return error.what();
    }
    return "read";
  };
  EXPECT_EQ(failure(bytes), "read");
  std::string flipped = bytes;
  flipped[300] ^= 1;
  EXPECT_EQ(failure(flipped),
            "records spilled to '/tmp/run' cannot be read back: the checksum of a block is wrong. Check the "
            "disk, or let io.tmp.dirs name a folder on another");
  EXPECT_NE(failure(bytes.substr(0, 300)).find("it ends early"), std::string::npos);
  flipped = bytes;
  flipped[5] = 1;
  EXPECT_NE(failure(flipped).find("a block is longer than the file"), std::string::npos);
}

TEST(SpilledRun, SubtasksTakeTheFoldersInTurn) {
  SimulatedEnv world(1);
  Env env = world.env();
  int owner = 0;
  const auto folderOf = [&](const std::string& folders, int subtask) {
    const std::string path = SpillPlace::in(env, folders, subtask, &owner).next();
    return path.substr(0, path.rfind('/'));
  };
  EXPECT_EQ(folderOf("/a,/b|/c:/d", 0), "/a");
  EXPECT_EQ(folderOf("/a,/b|/c:/d", 3), "/d");
  EXPECT_EQ(folderOf("/a,/b|/c:/d", 5), "/b");
  EXPECT_NE(SpillPlace::in(env, "/a", 0, &owner).next(), SpillPlace::in(env, "/a", 0, &env).next());
  try {
    folderOf(",", 0);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "io.tmp.dirs names no folder: give one that records can be spilled to");
  }
}

TEST(SpilledRun, AnUnfinishedRunIsRemoved) {
  SimulatedEnv world(1);
  {
    RunWriter writer(world.files(), "/tmp/run");
    EXPECT_TRUE(world.files().stat("/tmp/run").has_value());
  }
  EXPECT_FALSE(world.files().stat("/tmp/run").has_value());
}

}  // namespace
}  // namespace flott
