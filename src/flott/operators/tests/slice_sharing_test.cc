// Windows that overlap and share their slices, against a model that keeps a list for each window and key.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "flott/operators/tests/operator_driver.h"
#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/slice_window_operator.h"

namespace flott::slice_sharing_test {
namespace {

using Texts = std::vector<std::string>;

struct Amount {
  int64_t key = 0;
  int64_t value = 0;
};
using ByKey = MemberSelector<Amount, int64_t>;
constexpr ByKey kByKey{&Amount::key};
using Sum = SumOf<Amount, int64_t>;
using Sums = NumberAccumulation<Amount, int64_t, int64_t, Sum>;

template <typename Assigner>
using SumWindows = SliceWindowOperator<Amount, ByKey, Assigner, Sums, EmitResult<Amount>>;
template <typename Assigner>
auto sums(DriverOptions options, Assigner assigner, LatePolicy<Amount> late = {}) {
  return std::make_unique<OperatorDriver<SumWindows<Assigner>>>(
      options, kByKey, assigner, Sums{&Amount::key, {&Amount::value}}, EmitResult<Amount>(), late);
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 2 + 1) {}
  int64_t below(int64_t end) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(end));
  }

 private:
  uint64_t state_;
};

using Windows = std::vector<std::pair<int64_t, int64_t>>;

/// By trying all windows that can be near.
Windows slidingWindowsOf(int64_t at, int64_t size, int64_t slide, int64_t offset) {
  Windows windows;
  for (int64_t n = -2 * (size / slide + 2); n <= 2; ++n) {
    const int64_t start = offset + ((at - offset) / slide + n) * slide;
    if (start <= at && at < start + size) windows.emplace_back(start, start + size);
  }
  return windows;
}
Windows cumulatingWindowsOf(int64_t at, int64_t size, int64_t step, int64_t offset) {
  int64_t start = offset + (at - offset) / size * size;
  if (start > at) start -= size;
  Windows windows;
  for (int64_t end = start + step; end <= start + size; end += step) {
    if (at < end) windows.emplace_back(start, end);
  }
  return windows;
}

class Model {
 public:
  /// As in Flink a record that falls between all windows is late as well, once the watermark is past it.
  void push(const Amount& amount, int64_t at, const Windows& windows) {
    size_t fired = 0;
    for (const auto& [start, end] : windows) {
      if (end - 1 <= watermark_) {
        ++fired;
      } else {
        windows_[end][hashKey(amount.key)].push_back(amount);
      }
    }
    if (fired == windows.size() && at <= watermark_) ++late;
  }
  void watermark(int64_t ms) {
    if (ms <= watermark_) return;
    watermark_ = ms;
    while (!windows_.empty() && windows_.begin()->first - 1 <= ms) {
      for (const auto& [hash, amounts] : windows_.begin()->second) {
        Amount sum{amounts.front().key, 0};
        for (const Amount& amount : amounts) sum.value += amount.value;
        texts.push_back(toText(sum) + " @ " + std::to_string(windows_.begin()->first - 1));
      }
      windows_.erase(windows_.begin());
    }
    texts.push_back("W " + std::to_string(ms));
  }

  Texts texts;
  int64_t late = 0;

 private:
  int64_t watermark_ = Timestamp::min().ms;
  std::map<int64_t, std::map<uint64_t, std::vector<Amount>>> windows_;
};

template <typename Assigner>
void compareWithModel(uint64_t seed, Dice dice, DriverOptions options, Assigner assigner,
                      const std::function<Windows(int64_t)>& windowsOf) {
  const int64_t keys = 1 + dice.below(dice.below(3) == 0 ? 500 : 3);
  const int64_t disorder = 1 + dice.below(100);
  auto driver = sums(options, assigner);
  driver->open();
  Model model;
  int64_t now = dice.below(2) == 0 ? -500 : 0;
  for (int step = 0; step < 60; ++step) {
    std::vector<std::pair<Amount, int64_t>> batch;
    for (int64_t n = dice.below(40); n > 0; --n) {
      const int64_t at = now + dice.below(disorder) - dice.below(disorder);
      batch.push_back({{dice.below(keys), dice.below(1000) - 300}, at});
      model.push(batch.back().first, at, windowsOf(at));
      now += dice.below(dice.below(10) == 0 ? 100 : 3);
    }
    driver->push(0, batch, kByKey);
    if (dice.below(3) > 0) continue;
    const int64_t watermark = now - dice.below(disorder);
    model.watermark(watermark);
    driver->watermark(0, watermark);
  }
  model.watermark(Timestamp::max().ms);
  driver->watermark(0, Timestamp::max().ms);
  EXPECT_EQ(driver->records(), model.texts) << "seed " << seed << ", " << assigner.toString();
  EXPECT_EQ(driver->context().metrics().count("numLateRecordsDropped"), model.late) << "seed " << seed;
  EXPECT_EQ(driver->batchesInUse(), 0u);
}

TEST(SliceSharing, SlidingWindowsOfRandomStreams) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Dice dice(seed);
    const int64_t size = 1 + dice.below(60);
    const int64_t slide = dice.below(2) == 0 ? 1 + dice.below(80) : size / (1 + dice.below(size));
    const int64_t offset = dice.below(2 * slide - 1) - (slide - 1);
    for (const DriverOptions options : {DriverOptions{true, false}, DriverOptions{false, true}}) {
      compareWithModel(seed, dice, options,
                       SlidingEventTimeWindows::of(Duration(size), Duration(slide), Duration(offset)),
                       [&](int64_t at) { return slidingWindowsOf(at, size, slide, offset); });
      if (HasFailure()) return;
    }
  }
}

TEST(SliceSharing, CumulatingWindowsOfRandomStreams) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Dice dice(seed);
    const int64_t step = 1 + dice.below(20);
    const int64_t size = step * (1 + dice.below(8));
    const int64_t offset = dice.below(2 * size - 1) - (size - 1);
    for (const DriverOptions options : {DriverOptions{true, false}, DriverOptions{false, true}}) {
      compareWithModel(seed, dice, options,
                       CumulatingEventTimeWindows::of(Duration(size), Duration(step), Duration(offset)),
                       [&](int64_t at) { return cumulatingWindowsOf(at, size, step, offset); });
      if (HasFailure()) return;
    }
  }
}

TEST(SliceSharing, OnProcessingTimeTheClockDecides) {
  auto driver = sums({}, SlidingProcessingTimeWindows::of(Duration(10), Duration(5)));
  driver->open();
  driver->clock(3);
  driver->push<Amount>(0, {{{1, 1}, 0}}, kByKey);
  EXPECT_EQ(driver->alarm(), Timestamp(5));
  driver->clock(5);
  EXPECT_EQ(driver->takeRecords(), Texts{"{key: 1, value: 1} @ 4"});
  driver->push<Amount>(0, {{{1, 2}, 0}}, kByKey);
  EXPECT_EQ(driver->alarm(), Timestamp(10));
  driver->clock(10);
  EXPECT_EQ(driver->takeRecords(), Texts{"{key: 1, value: 3} @ 9"});
  driver->clock(12);
  driver->push<Amount>(0, {{{1, 4}, 0}}, kByKey);
  driver->endOfInput(0);
  EXPECT_EQ(driver->takeRecords(), (Texts{"{key: 1, value: 6} @ 14", "{key: 1, value: 4} @ 19"}));
}

TEST(SliceSharing, ElementsComeSliceBySlice) {
  using Elements = ElementsAccumulation<Amount>;
  const auto list = [](const int64_t& key, WindowContext& ctx, std::span<const Amount> amounts,
                       Collector<std::string>& out) {
    std::string text = std::to_string(key) + " [" + std::to_string(ctx.window().start.ms) + ", " +
                       std::to_string(ctx.window().end.ms) + "):";
    for (const Amount& amount : amounts) text += " " + std::to_string(amount.value);
    out.collect(text);
  };
  using Op = SliceWindowOperator<Amount, ByKey, CumulatingEventTimeWindows, Elements,
                                 EmitByFunction<std::string, decltype(list)>>;
  OperatorDriver<Op> driver({}, kByKey, CumulatingEventTimeWindows::of(Duration(20), Duration(10)),
                            Elements(), EmitByFunction<std::string, decltype(list)>{list});
  driver.open();
  driver.push<Amount>(0, {{{7, 1}, 12}, {{7, 2}, 3}, {{7, 3}, 4}, {{7, 4}, 11}, {{7, 5}, 20}}, kByKey);
  driver.watermark(0, 19);
  EXPECT_EQ(driver.records(), (Texts{"7 [0, 10): 2 3 @ 9", "7 [0, 20): 2 3 1 4 @ 19", "W 19"}));
}

/// The least and the greatest value, which no later record can take back, and the order in which they came.
struct Extremes {
  int64_t least = 0;
  int64_t greatest = 0;
  uint64_t order = 0;

  void take(const Extremes& later, uint64_t shift) {
    least = std::min(least, later.least);
    greatest = std::max(greatest, later.greatest);
    order = order * shift + later.order;
  }
};
constexpr uint64_t kOrderBase = 1'000'003;

struct ExtremesAccumulation {
  struct Acc {
    Extremes extremes;
    uint64_t shift = 1;  // kOrderBase to the power of the number of records
  };

  static Acc of(const Amount& amount) {
    return {{amount.value, amount.value, static_cast<uint64_t>(amount.value)}, kOrderBase};
  }
  void start(const Amount& amount, Acc& fresh) { fresh = of(amount); }
  void add(const Amount& amount, Acc& acc) { merge(acc, of(amount)); }
  void merge(Acc& acc, const Acc& later) {
    acc.extremes.take(later.extremes, later.shift);
    acc.shift *= later.shift;
  }
  static std::string text(int64_t key, const Extremes& extremes) {
    return std::to_string(key) + ": " + std::to_string(extremes.least) + " to " +
           std::to_string(extremes.greatest) + ", " + std::to_string(extremes.order);
  }
  std::string result(const int64_t& key, const Acc& acc) const { return text(key, acc.extremes); }
};

TEST(SliceSharing, AWindowOfThousandsOfSlicesMergesThemInTheOrderOfTime) {
  constexpr int64_t kSize = 2000;
  constexpr int64_t kEnd = 2400;  // of the records
  using Op = SliceWindowOperator<Amount, ByKey, SlidingEventTimeWindows, ExtremesAccumulation,
                                 EmitResult<std::string>>;
  OperatorDriver<Op> driver({}, kByKey, SlidingEventTimeWindows::of(Duration(kSize), Duration(1)),
                            ExtremesAccumulation(), EmitResult<std::string>());
  driver.open();
  Dice dice(7);
  // Disorder within a batch, so that records of a key come in another order than their slices.
  std::vector<std::pair<Amount, int64_t>> all;
  for (int64_t at = 0; at < kEnd; at += 40) {
    std::vector<std::pair<Amount, int64_t>> batch;
    batch.reserve(40);
    for (int n = 0; n < 40; ++n) batch.push_back({{dice.below(2), dice.below(1000)}, at + dice.below(40)});
    driver.push(0, batch, kByKey);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  Texts expected;
  for (int64_t end = 1; end < kEnd + kSize; ++end) {
    std::map<uint64_t, std::pair<int64_t, Extremes>> byHash;
    for (const auto& [amount, at] : all) {
      if (at < end - kSize || at >= end) continue;
      const Extremes one = ExtremesAccumulation::of(amount).extremes;
      const auto [found, fresh] = byHash.try_emplace(hashKey(amount.key), amount.key, one);
      if (!fresh) found->second.second.take(one, kOrderBase);
    }
    for (const auto& [hash, result] : byHash) {
      expected.push_back(toText(ExtremesAccumulation::text(result.first, result.second)) + " @ " +
                         std::to_string(end - 1));
    }
  }
  driver.watermark(0, kEnd + kSize);
  Texts texts = driver.takeRecords();
  ASSERT_FALSE(texts.empty());
  EXPECT_EQ(texts.back(), "W 4400");
  texts.pop_back();
  EXPECT_EQ(texts.size(), expected.size());
  EXPECT_TRUE(texts == expected)
      << "first difference: result "
      << std::mismatch(texts.begin(), texts.end(), expected.begin(), expected.end()).first - texts.begin();
}

TEST(SliceSharing, WhatHadFiredBeforeARestoreDoesNotFireAgain) {
  const auto assigner = SlidingEventTimeWindows::of(Duration(10), Duration(5));
  auto before = sums({}, assigner);
  before->open();
  before->push<Amount>(0, {{{1, 1}, 6}, {{2, 2}, 6}}, kByKey);
  before->watermark(0, 9);
  EXPECT_EQ(before->records().size(), 3u);
  auto after = sums({}, assigner);
  after->context().operatorState() = OperatorStateBackend(before->context().operatorState().snapshot());
  after->open();
  after->push<Amount>(0, {{{1, 1}, 6}, {{2, 2}, 6}}, kByKey);  // as the slices would be restored
  after->watermark(0, 30);
  Texts texts = after->takeRecords();
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (Texts{"W 30", "{key: 1, value: 1} @ 14", "{key: 2, value: 2} @ 14"}));
}

TEST(SliceSharing, AWindowThatHadFiredBeforeARestoreFiresAgainForALateRecord) {
  const auto assigner = SlidingEventTimeWindows::of(Duration(10), Duration(5));
  const LatePolicy<Amount> late{.allowedLateness = Duration(20)};
  auto before = sums({}, assigner, late);
  before->open();
  before->push<Amount>(0, {{{1, 1}, 6}, {{2, 2}, 6}}, kByKey);
  before->watermark(0, 9);
  auto after = sums({}, assigner, late);
  after->context().operatorState() = OperatorStateBackend(before->context().operatorState().snapshot());
  after->open();
  after->push<Amount>(0, {{{1, 1}, 6}, {{1, 2}, 7}}, kByKey);  // no watermark has come yet
  EXPECT_EQ(after->takeRecords(), (Texts{"{key: 1, value: 1} @ 9", "{key: 1, value: 3} @ 9"}));
  after->watermark(0, 14);
  EXPECT_EQ(after->takeRecords(), (Texts{"{key: 1, value: 3} @ 14", "W 14"}));
}

TEST(SliceSharing, LateRecordsSeeTheWindowsAsTheyAre) {
  const auto assigner = SlidingEventTimeWindows::of(Duration(20), Duration(5));
  auto driver = sums({}, assigner, {.allowedLateness = Duration(12)});
  driver->open();
  driver->push<Amount>(0, {{{1, 1}, 0}, {{1, 10}, 6}, {{1, 100}, 21}, {{2, 7}, 11}}, kByKey);
  driver->watermark(0, 24);
  driver->takeRecords();
  // Windows [-5, 15), [0, 20) and [5, 25) have fired; [10, 30) has not.
  driver->push<Amount>(0, {{{1, 1000}, 12}}, kByKey);
  EXPECT_EQ(driver->takeRecords(), (Texts{"{key: 1, value: 1011} @ 14", "{key: 1, value: 1011} @ 19",
                                          "{key: 1, value: 1110} @ 24"}));
  driver->watermark(0, 29);
  Texts texts = driver->takeRecords();
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (Texts{"W 29", "{key: 1, value: 1100} @ 29", "{key: 2, value: 7} @ 29"}));
  driver->watermark(0, 100);
  EXPECT_EQ(driver->context().metrics().count("numLateRecordsDropped"), 0);
  driver->takeRecords();
  driver->push<Amount>(0, {{{1, 1}, 12}}, kByKey);
  EXPECT_EQ(driver->takeRecords(), Texts());
  EXPECT_EQ(driver->context().metrics().count("numLateRecordsDropped"), 1);
}

/// As FiredWindows stores it.
struct Share {
  uint32_t first;
  uint32_t end;
  int64_t last;
};

TEST(SliceSharing, KeyGroupsThatComeTogetherAtARestoreHaveFiredEachTheirOwn) {
  OperatorStateImage image;
  image.states.push_back({.name = "fired-windows", .redistribution = Redistribution::kUnion, .items = {}});
  for (const Share& share : {Share{0, 64, 9}, Share{64, 128, 4}}) {
    ByteWriter out(image.states[0].items.emplace_back());
    Codec<Share>::encode(share, out);
  }
  auto driver = sums({}, SlidingEventTimeWindows::of(Duration(10), Duration(5)));
  driver->context().operatorState() = OperatorStateBackend(image);
  driver->open();
  std::vector<std::pair<Amount, int64_t>> records;
  Texts expected = {"W 12", "W 14"};
  for (int64_t key = 0; key < 20; ++key) {
    records.push_back({{key, 1}, 6});
    const std::string text = "{key: " + std::to_string(key) + ", value: 1} @ ";
    if (hashKey(key) >> 63 == 1) expected.push_back(text + "9");
    expected.push_back(text + "14");
  }
  driver->push(0, records, kByKey);
  driver->watermark(0, 12);
  driver->watermark(0, 14);
  Texts texts = driver->takeRecords();
  std::sort(texts.begin(), texts.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts, expected);
}

TEST(SliceSharing, LengthsAreChecked) {
  const auto refused = [](auto deed) { return failureOf(deed); };
  EXPECT_EQ(refused([] { SlidingEventTimeWindows::of(Duration(10), Duration(0)); }),
            "sliding windows of 10 ms by 0 ms cannot be: give a slide from 1 ms to 2305843009213693952 ms");
  EXPECT_EQ(refused([] { SlidingEventTimeWindows::of(Duration(10), Duration(int64_t{1} << 62)); }),
            "sliding windows of 10 ms by 4611686018427387904 ms cannot be: give a slide from 1 ms to "
            "2305843009213693952 ms");
  EXPECT_EQ(refused([] { SlidingEventTimeWindows::of(Duration(-1), Duration(1)); }),
            "sliding windows of -1 ms by 1 ms cannot be: give a size from 1 ms to 2305843009213693952 ms");
  EXPECT_EQ(
      refused([] { SlidingEventTimeWindows::of(Duration(10), Duration(5), Duration(5)); }),
      "sliding windows of 10 ms by 5 ms cannot have an offset of 5 ms: give one smaller than the slide, "
      "positive or negative");
  EXPECT_EQ(
      refused([] { SlidingEventTimeWindows::of(Duration::seconds(3600), Duration(7)); }),
      "sliding windows of 1 h by 7 ms would consist of 3600000 slices of 1 ms, at most 10000 can be: give "
      "lengths with a larger common divisor");
  EXPECT_EQ(refused([] { CumulatingEventTimeWindows::of(Duration(10), Duration(3)); }),
            "cumulating windows of 10 ms by 3 ms cannot be: give a size that is a multiple of the step");
  EXPECT_EQ(SlidingEventTimeWindows::of(Duration(10), Duration(5), Duration(-2)).toString(),
            "SlidingEventTimeWindows(10 ms by 5 ms, offset -2 ms)");
  EXPECT_EQ(CumulatingProcessingTimeWindows::of(Duration(10), Duration(5)).toString(),
            "CumulatingProcessingTimeWindows(10 ms by 5 ms)");
}

}  // namespace
}  // namespace flott::slice_sharing_test
