#include "flott/base/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "flott/base/running_hash.h"

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
    for (const size_t apart : {1, 2, 3}) {
      std::vector<int64_t> spread(count * apart, -1);
      for (size_t i = 0; i < count; ++i) spread[i * apart] = static_cast<int64_t>(values[i]);
      std::vector<uint64_t> hashes(count);
      hashInt64s(spread.data(), apart * sizeof(int64_t), hashes);
      EXPECT_EQ(hashes, expected);
    }
    hashInt64s(reinterpret_cast<const int64_t*>(values.data()), sizeof(int64_t), values);
    EXPECT_EQ(values, expected);
  }
}

TEST(RunningHash, IsThatOfTheWhole) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 37);
  for (const size_t step : {1u, 7u, 64u, 256u, 1000u, 4096u, 5000u}) {
    RunningHash hash;
    for (size_t at = 0; at < bytes.size(); at += step) {
      hash.add(std::string_view(bytes).substr(at, step));
      EXPECT_EQ(hash.value(), hashBytes(bytes.data(), std::min(at + step, bytes.size())));
    }
  }
  EXPECT_EQ(RunningHash().value(), hashBytes(""));
}

}  // namespace
}  // namespace flott
