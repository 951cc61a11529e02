// Scattering rows over few, some and many outputs: what goes where, and how much memory it takes.
#include <gtest/gtest.h>

#include <array>

#include "flott/data/rows.h"

namespace flott {
namespace {

template <typename T>
T valueOf(int64_t i);
template <>
int64_t valueOf<int64_t>(int64_t i) {
  return i;
}
template <>
std::string valueOf<std::string>(int64_t i) {
  return "a number that lies on the heap: " + std::to_string(i);
}

struct Named {
  std::string name;
  int64_t number;
  bool operator==(const Named&) const = default;
};
template <>
Named valueOf<Named>(int64_t i) {
  return {i % 2 == 0 ? "short" : valueOf<std::string>(i), i};
}

/// Moving it may fail, as far as the compiler knows.
struct Copied {
  Copied() = default;
  Copied(std::string t) : text(std::move(t)) {}
  Copied(const Copied&) = default;
  Copied& operator=(const Copied&) = default;
  FLOTT_DESCRIBE(Copied, text)
  bool operator==(const Copied&) const = default;
  std::string text;
};
template <>
Copied valueOf<Copied>(int64_t i) {
  return valueOf<std::string>(i);
}

using Pair = std::array<std::string, 2>;
template <>
Pair valueOf<Pair>(int64_t i) {
  return {"short", valueOf<std::string>(i)};
}

// Several batches of random size, scattered into the same outputs, against lists.
template <typename T>
void scatterLikeLists(size_t outputs, uint64_t seed) {
  SCOPED_TRACE("outputs " + std::to_string(outputs) + ", seed " + std::to_string(seed));
  uint64_t state = seed + 1;
  const auto random = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
  };
  BatchPools pools;
  {
    std::vector<Batch> out(outputs);
    std::vector<std::vector<int64_t>> expected(outputs);
    int64_t next = 0;
    for (int round = 0; round < 5; ++round) {
      Batch batch = rowsPool<T>(pools).acquire();
      Rows<T>& rows = batch.rows<T>();
      std::vector<uint32_t> targets(random() % (round == 4 ? 3000 : 600));
      rows.enableTimestamps();
      for (uint32_t& target : targets) {
        target = static_cast<uint32_t>(random() % outputs);
        if (random() % 2 == 0) target = 0;  // skewed
        expected[target].push_back(next);
        rows.emplace(valueOf<T>(next++));
      }
      rows.enableHashes();
      for (size_t i = 0; i < rows.size(); ++i) {
        rows.timestamps()[i] = next - static_cast<int64_t>(rows.size() - i);
        rows.hashes()[i] = static_cast<uint64_t>(rows.timestamps()[i]) * 3;
      }
      batch->scatter(targets.data(), outputs, out.data(), pools);
      EXPECT_EQ(batch.size(), 0u);
    }
    for (size_t o = 0; o < outputs; ++o) {
      ASSERT_EQ(out[o].size(), expected[o].size());
      EXPECT_EQ(static_cast<bool>(out[o]), !expected[o].empty()) << "an empty batch is no batch";
      for (size_t i = 0; i < expected[o].size(); ++i) {
        ASSERT_EQ(out[o].template rows<T>()[i], valueOf<T>(expected[o][i]));
        ASSERT_EQ(out[o]->timestamps()[i], expected[o][i]);
        ASSERT_EQ(out[o]->hashes()[i], static_cast<uint64_t>(expected[o][i]) * 3);
      }
    }
  }
  EXPECT_EQ(pools.inUse(), 0u);
}

TEST(Scatter, GivesEachRowToItsOutputInOrder) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (const size_t outputs : {1, 2, 8, 9, 64, 65, 500}) {
      scatterLikeLists<int64_t>(outputs, seed);
      scatterLikeLists<std::string>(outputs, seed);
      scatterLikeLists<Named>(outputs, seed);
      scatterLikeLists<Copied>(outputs, seed);
      scatterLikeLists<Pair>(outputs, seed);
    }
  }
}

TEST(Scatter, ManyOutputsHoldLittleMoreThanTheyUse) {
  for (const size_t outputs : {16, 64, 500}) {
    BatchPools pools;
    std::vector<Batch> out(outputs);
    Batch batch(std::make_unique<Rows<int64_t>>());
    std::vector<uint32_t> targets;
    for (size_t i = 0; i < 1000; ++i) {
      batch.rows<int64_t>().emplace(static_cast<int64_t>(i));
      targets.push_back(static_cast<uint32_t>(i % outputs));
    }
    batch->scatter(targets.data(), outputs, out.data(), pools);
    size_t held = 0, used = 0;
    for (const Batch& part : out) held += part->heldBytes(), used += part->bytes();
    EXPECT_EQ(used, 1000 * sizeof(int64_t));
    EXPECT_LE(held, std::max(2 * used, outputs * 16 * sizeof(int64_t))) << outputs;
  }
}

}  // namespace
}  // namespace flott
