#include "flott/base/hash.h"

#include <gtest/gtest.h>

#include <vector>

namespace flott {
namespace {

TEST(HashInt64s, AreThoseOfEachValueAlone) {
  uint64_t value = 0;
  for (size_t count = 0; count < 40; ++count) {
    std::vector<uint64_t> values;
    for (size_t i = 0; i < count; ++i) {
      values.push_back(i % 5 == 0 ? value % 7 : value);
      value = value * 6364136223846793005u + 1442695040888963407u;
    }
    if (count > 3) values[3] = ~uint64_t{0};
    std::vector<uint64_t> expected;
    for (const uint64_t each : values) expected.push_back(hashInt64(static_cast<int64_t>(each)));
    hashInt64s(values);
    EXPECT_EQ(values, expected);
  }
}

}  // namespace
}  // namespace flott
