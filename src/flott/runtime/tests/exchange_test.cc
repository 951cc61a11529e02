// Where an exchange sends what, and when.
#include "flott/runtime/exchange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "flott/base/tests/error_text.h"
#include "flott/data/key.h"
#include "flott/data/rows.h"
#include "flott/operators/key_selector.h"
#include "flott/runtime/encoded_batch.h"
#include "flott/state/key_groups.h"

namespace flott::exchange_test {
namespace {

struct Identity {
  using Key = int64_t;
  const int64_t& operator()(const int64_t& record) const { return record; }
};

class ModuloRouter final : public RowRouter {
 public:
  void route(const Batch& batch, uint32_t channels, uint32_t* targets) const override {
    const Rows<int64_t>& rows = batch.rows<int64_t>();
    for (size_t i = 0; i < rows.size(); ++i)
      targets[i] = static_cast<uint32_t>(rows[i] % static_cast<int64_t>(channels));
  }
};

Partitioning partitioning(PartitionKind kind) {
  Partitioning result{.kind = kind, .hasher = {}, .router = {}};
  if (kind == PartitionKind::kHash)
    result.hasher = std::make_shared<SelectorHasher<int64_t, Identity>>(Identity());
  if (kind == PartitionKind::kCustom) result.router = std::make_shared<ModuloRouter>();
  return result;
}

constexpr PartitionKind kAllKinds[] = {
    PartitionKind::kForward,   PartitionKind::kRebalance, PartitionKind::kRescale, PartitionKind::kShuffle,
    PartitionKind::kBroadcast, PartitionKind::kGlobal,    PartitionKind::kHash,    PartitionKind::kCustom};

// An exchange with its receivers' ends.
class Bench {
 public:
  Bench(PartitionKind kind, uint32_t receivers, size_t capacity = 4096, ExchangeOptions options = {}) {
    options.partitioning = partitioning(kind);
    options.parallelism = receivers;
    std::vector<Channel*> ends;
    std::vector<BatchPools*> pools;
    for (uint32_t i = 0; i < receivers; ++i) {
      channels_.push_back(std::make_unique<Channel>(capacity, producer_, consumer_));
      ends.push_back(channels_.back().get());
      pools.push_back(i % 2 == 0 ? &pools_ : &crossingPools_);
    }
    received.resize(receivers);
    exchange.emplace(std::move(options), std::move(ends), std::move(pools));
  }
  ~Bench() {
    exchange.reset();
    channels_.clear();
    EXPECT_EQ(pools_.inUse(), 0u);
    EXPECT_EQ(crossingPools_.inUse(), 0u);
  }

  /// `count` numbers from `first`; with their value as timestamp if asked for.
  Batch batch(int64_t first, int64_t count, bool stamped = false) {
    Batch batch = rowsPool<int64_t>(pools_).acquire();
    Rows<int64_t>& rows = batch.rows<int64_t>();
    if (stamped) rows.enableTimestamps();
    for (int64_t i = 0; i < count; ++i) {
      rows.emplace(first + i);
      if (stamped) rows.timestamps()[i] = first + i;
    }
    return batch;
  }
  void emit(int64_t first, int64_t count, bool stamped = false) {
    exchange->emit(batch(first, count, stamped));
  }

  /// Takes up to `limit` elements from each channel; records go to received, controls count.
  size_t receive(size_t limit = SIZE_MAX) {
    size_t elements = 0;
    for (size_t i = 0; i < channels_.size(); ++i) {
      for (size_t taken = 0; taken < limit; ++taken) {
        Element* front = channels_[i]->front();
        if (front == nullptr) break;
        Element element = std::move(*front);
        channels_[i]->pop();
        ++elements;
        take(i, element);
      }
    }
    return elements;
  }
  void receiveFrom(size_t receiver) {
    while (channels_[receiver]->front() != nullptr) {
      Element element = std::move(*channels_[receiver]->front());
      channels_[receiver]->pop();
      take(receiver, element);
    }
  }
  std::vector<int64_t> all() const {
    std::vector<int64_t> records;
    for (const auto& part : received) records.insert(records.end(), part.begin(), part.end());
    std::sort(records.begin(), records.end());
    return records;
  }

  /// The position of which the receiver has news; none.
  std::optional<size_t> announced(size_t receiver) {
    const auto news = channels_[receiver]->takeAnnouncement();
    return news ? std::optional(news->position) : std::nullopt;
  }
  /// Lets the barrier of checkpoint 1 overtake; the records that it overtook.
  std::vector<int64_t> overtake() {
    std::vector<InFlightSequence> sequences;
    exchange->overtake({.checkpoint = CheckpointId(1)}, sequences);
    std::vector<int64_t> records;
    for (const InFlightSequence& sequence : sequences) {
      EXPECT_TRUE(sequence.unsent);
      InFlightReader in(sequence.elements, &rowsPool<int64_t>(pools_));
      while (std::optional<Element> element = in.next()) {
        if (const auto* watermark = std::get_if<Watermark>(&*element)) {
          records.push_back(-watermark->time.ms);
          continue;
        }
        const Rows<int64_t>& rows = std::get<Batch>(*element).rows<int64_t>();
        records.insert(records.end(), rows.begin(), rows.end());
      }
    }
    return records;
  }

  bool exchangeHashes = false;
  std::vector<std::vector<int64_t>> received;  // watermarks as negative numbers
  std::optional<Exchange> exchange;

 private:
  void take(size_t receiver, Element& element) {
    if (const auto* barrier = std::get_if<Barrier>(&element)) {
      received[receiver].push_back(-1000 - static_cast<int64_t>(barrier->checkpoint.value));
      return;
    }
    if (const auto* watermark = std::get_if<Watermark>(&element)) {
      received[receiver].push_back(-watermark->time.ms);
      return;
    }
    if (std::holds_alternative<LatencyMarker>(element)) return;
    Batch& data = std::get<Batch>(element);
    EXPECT_EQ(data->hasHashes(), exchangeHashes);
    Rows<int64_t>& rows = data.rows<int64_t>();
    for (size_t r = 0; r < rows.size(); ++r) {
      received[receiver].push_back(rows[r]);
      EXPECT_EQ(rows.hasTimestamps() ? rows.timestamps()[r] : rows[r], rows[r]);
    }
  }

  Waker producer_, consumer_;
  BatchPools pools_;
  BatchPools crossingPools_{Reuse::kInTurn};
  std::vector<std::unique_ptr<Channel>> channels_;
};

std::vector<int64_t> upTo(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(Exchange, ABarrierThatOvertakesGoesBeforeAllThatWaits) {
  Bench bench(PartitionKind::kRebalance, 1, 2);
  for (int64_t i = 0; i < 3; ++i) {
    bench.emit(i, 1);
    bench.exchange->flush();
  }
  bench.exchange->broadcast(Element(Watermark{Timestamp(7)}));
  bench.emit(3, 1);  // stays open
  EXPECT_TRUE(bench.exchange->full());
  EXPECT_EQ(bench.overtake(), (std::vector<int64_t>{2, -7, 3})) << "not what the receiver has in its channel";
  EXPECT_EQ(bench.announced(0), 2u);
  bench.exchange->flush();
  while (!bench.exchange->drained()) {
    bench.receive();
    bench.exchange->drain();
  }
  bench.receive();
  EXPECT_EQ(bench.received[0], (std::vector<int64_t>{0, 1, -1001, 2, -7, 3})) << "and nothing is sent twice";
}

TEST(Exchange, ABarrierThatWaitsInItsPlaceMayOvertakeLater) {
  Bench bench(PartitionKind::kRebalance, 1, 2);
  for (int64_t i = 0; i < 3; ++i) {
    bench.emit(i, 1);
    bench.exchange->flush();
  }
  bench.exchange->broadcast(Element(Barrier{.checkpoint = CheckpointId(1)}));
  bench.emit(3, 1);
  bench.exchange->flush();
  EXPECT_TRUE(bench.exchange->holds(CheckpointId(1)));
  EXPECT_FALSE(bench.exchange->holds(CheckpointId(2)));
  EXPECT_EQ(bench.overtake(), std::vector<int64_t>{2}) << "what comes behind it is no part of the checkpoint";
  while (!bench.exchange->drained()) {
    bench.receive();
    bench.exchange->drain();
  }
  bench.receive();
  EXPECT_EQ(bench.received[0], (std::vector<int64_t>{0, 1, -1001, 2, 3}));
}

TEST(Exchange, OfABarrierInTheChannelThereIsOnlyTheNews) {
  Bench bench(PartitionKind::kRebalance, 1, 4);
  bench.emit(0, 1);
  bench.exchange->broadcast(Element(Barrier{.checkpoint = CheckpointId(1)}));
  bench.emit(1, 1);
  bench.exchange->flush();
  EXPECT_FALSE(bench.exchange->holds(CheckpointId(1)));
  EXPECT_EQ(bench.overtake(), std::vector<int64_t>{});
  EXPECT_EQ(bench.announced(0), 1u);
  bench.receive();
  EXPECT_EQ(bench.received[0], (std::vector<int64_t>{0, -1001, 1}));
}

TEST(Exchange, MayHoldMoreForAWhile) {
  Bench bench(PartitionKind::kRebalance, 1, 1);
  bench.emit(0, 1);
  bench.exchange->flush();
  bench.emit(1, 1);
  bench.exchange->flush();
  EXPECT_TRUE(bench.exchange->full());
  bench.exchange->setAllowance(3 * sizeof(int64_t));
  EXPECT_FALSE(bench.exchange->full());
  bench.emit(2, 2);
  bench.exchange->flush();
  EXPECT_TRUE(bench.exchange->full());
  while (!bench.exchange->drain()) bench.receive();
}

TEST(Exchange, EveryKindKeepsAllRecordsInTheirOrder) {
  for (const PartitionKind kind : kAllKinds) {
    for (const uint32_t receivers : {1u, 2u, 3u, 5u, 70u}) {
      if (kind == PartitionKind::kForward && receivers > 1) continue;
      Bench bench(kind, receivers);
      bench.exchangeHashes = kind == PartitionKind::kHash;
      int64_t next = 0;
      for (int64_t round = 0; round < 60; ++round) {
        const int64_t count = round * 37 % 500 + 1;
        bench.emit(next, count, round % 7 == 3);  // now and then with timestamps
        next += count;
      }
      bench.exchange->flush();
      bench.receive();
      std::vector<int64_t> expected = upTo(next);
      if (kind == PartitionKind::kBroadcast) {
        for (const auto& part : bench.received) EXPECT_EQ(part, expected);
        continue;
      }
      EXPECT_EQ(bench.all(), expected) << toString(kind) << " to " << receivers;
      for (const auto& part : bench.received) EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    }
  }
}

TEST(Exchange, KeysGoWhereTheirStateIs) {
  for (const uint32_t parallelism : {1u, 2u, 3u, 7u}) {
    for (const uint32_t maxParallelism : {8u, 128u, 32768u}) {
      Bench bench(PartitionKind::kHash, parallelism, 4096, {.maxParallelism = maxParallelism});
      bench.exchangeHashes = true;
      bench.emit(0, 1000);
      bench.exchange->flush();
      bench.receive();
      for (uint32_t subtask = 0; subtask < parallelism; ++subtask) {
        for (const int64_t key : bench.received[subtask]) {
          const KeyGroup group = keyGroupOf(hashKey(key), maxParallelism);
          EXPECT_EQ(subtaskOf(group, maxParallelism, parallelism), subtask) << "key " << key;
        }
      }
    }
  }
}

TEST(Exchange, HashesOfAnEarlierKeyAreNeitherUsedNorHandedOn) {
  for (const PartitionKind kind : {PartitionKind::kHash, PartitionKind::kRebalance}) {
    Bench bench(kind, 3);
    bench.exchangeHashes = kind == PartitionKind::kHash;
    Batch batch = bench.batch(0, 100);
    std::fill_n(batch->enableHashes(), 100, uint64_t{5});
    bench.exchange->emit(std::move(batch));
    bench.exchange->flush();
    bench.receive();
    if (kind != PartitionKind::kHash) continue;
    for (const auto& part : bench.received) EXPECT_LT(part.size(), 60u) << "all went one way";
  }
}

TEST(Exchange, RoundRobinIsEvenForRecordsAndForBatches) {
  Bench records(PartitionKind::kRebalance, 3);
  for (int64_t i = 0; i < 100; ++i) records.emit(7 * i, 7);
  records.exchange->flush();
  records.receive();
  for (const auto& part : records.received) EXPECT_NEAR(static_cast<double>(part.size()), 700.0 / 3, 1);

  Bench batches(PartitionKind::kRebalance, 3);
  for (int64_t i = 0; i < 9; ++i) batches.emit(1000 * i, 1000);
  batches.exchange->flush();
  batches.receive();
  for (const auto& part : batches.received) EXPECT_EQ(part.size(), 3000u);
}

TEST(Exchange, RoundRobinBeginsAtTheSendersPlace) {
  for (uint32_t subtask = 0; subtask < 4; ++subtask) {
    Bench bench(PartitionKind::kRebalance, 3, 8, {.subtask = subtask});
    bench.emit(1, 1);
    bench.exchange->flush();
    bench.receive();
    EXPECT_EQ(bench.received[subtask % 3].size(), 1u);
  }
}

TEST(Exchange, ShuffleIsRandomAndTheSameForASeed) {
  const auto spread = [](uint64_t seed) {
    Bench bench(PartitionKind::kShuffle, 4, 4096, {.seed = seed});
    for (int64_t i = 0; i < 50; ++i) bench.emit(100 * i, 100);
    bench.exchange->flush();
    bench.receive();
    return bench.received;
  };
  const auto first = spread(11);
  for (const auto& part : first) EXPECT_NEAR(static_cast<double>(part.size()), 1250, 150);
  EXPECT_EQ(first, spread(11));
  EXPECT_NE(first, spread(12));
}

TEST(Exchange, GlobalDataGoesToTheFirstAndWatermarksToAll) {
  Bench bench(PartitionKind::kGlobal, 3);
  bench.emit(1, 5);
  bench.exchange->broadcast(Watermark{Timestamp(9)});
  bench.receive();
  EXPECT_EQ(bench.received, (std::vector<std::vector<int64_t>>{{1, 2, 3, 4, 5, -9}, {-9}, {-9}}));
}

TEST(Exchange, ControlKeepsItsPlaceAmongTheData) {
  for (const PartitionKind kind : kAllKinds) {
    Bench bench(kind, kind == PartitionKind::kForward ? 1 : 2, 1);  // one slot: most has to wait
    bench.exchangeHashes = kind == PartitionKind::kHash;
    for (int64_t i = 1; i <= 20; ++i) {
      bench.emit(10 * i, 10);
      bench.exchange->broadcast(Watermark{Timestamp(10 * i + 9)});
    }
    EXPECT_TRUE(bench.exchange->full());
    while (!bench.exchange->drained()) {
      bench.receive(1);
      bench.exchange->drain();
    }
    bench.receive();
    for (const auto& part : bench.received) {
      int64_t watermark = 0;
      for (const int64_t value : part) {
        if (value < 0) {
          EXPECT_EQ(-value, watermark == 0 ? 19 : watermark + 10);
          watermark = -value;
        } else {
          EXPECT_GT(value, watermark);
          EXPECT_LE(value, watermark == 0 ? 19 : watermark + 10);
        }
      }
      EXPECT_EQ(watermark, 209);
    }
  }
}

TEST(Exchange, WhatAFullRingDoesNotTakeWaitsAndIsCounted) {
  Bench bench(PartitionKind::kForward, 1, 2);
  for (int64_t i = 0; i < 5; ++i) bench.emit(1000 * i, 1000);
  EXPECT_TRUE(bench.exchange->full());
  EXPECT_GE(bench.exchange->waitingBytes(), 3 * 8000u);
  EXPECT_FALSE(bench.exchange->drain());
  bench.receive();
  EXPECT_FALSE(bench.exchange->drain()) << "two of three fit";
  bench.receive();
  EXPECT_TRUE(bench.exchange->drain());
  EXPECT_EQ(bench.exchange->waitingBytes(), 0u);
  EXPECT_FALSE(bench.exchange->full());
  bench.receive();
  EXPECT_EQ(bench.received[0], upTo(5000));
}

TEST(Exchange, TheCapOnWhatWaitsIsAnError) {
  Bench bench(PartitionKind::kForward, 1, 2, {.overrunCapBytes = 100'000});
  EXPECT_EQ(
      errorText([&] {
        for (int64_t i = 0; i < 100; ++i) bench.emit(1000 * i, 1000);
      }),
      "a single call put out more than 100000 bytes beyond what the next operator could take: emit less "
      "per record, or raise flott.output.overrun-cap");
}

TEST(Exchange, TheCapCountsRecordsAndNotTheRoomOfTheirBatches) {
  Bench bench(PartitionKind::kHash, 512, 1, {.maxParallelism = 1024, .overrunCapBytes = 100'000});
  bench.exchangeHashes = true;
  for (int64_t i = 0; i < 5; ++i) {
    bench.emit(2000 * i, 2000);
    bench.exchange->flush();  // a few records for each receiver
  }
  EXPECT_TRUE(bench.exchange->full());
  EXPECT_LE(bench.exchange->waitingBytes(), 10'000 * sizeof(int64_t));
  while (bench.receive() > 0) bench.exchange->drain();
  EXPECT_EQ(bench.all().size(), 10'000u);
}

constexpr int64_t kMilli = 1'000'000;

TEST(Exchange, AnIdleReceiverGetsWhatThereIsAtTheEndOfTheStep) {
  Bench bench(PartitionKind::kForward, 1, 8, {.bufferTimeout = Duration::millis(-1)});
  bench.emit(1, 3);
  bench.exchange->endStep(kMilli);
  EXPECT_EQ(bench.receive(), 1u);
  bench.exchange->endStep(2 * kMilli);
  EXPECT_EQ(bench.receive(), 0u);
}

TEST(Exchange, ABusyReceiverGetsOpenBatchesAfterTheBufferTimeout) {
  Bench bench(PartitionKind::kForward, 1, 8, {.bufferTimeout = Duration::millis(10)});
  bench.emit(0, 3);
  bench.exchange->endStep(kMilli);  // the receiver is now busy with these
  EXPECT_EQ(bench.exchange->deadlineNanos(), kNoDeadline);
  bench.emit(3, 3);
  bench.exchange->endStep(2 * kMilli);
  EXPECT_EQ(bench.exchange->deadlineNanos(), 12 * kMilli);
  bench.emit(6, 3);
  bench.exchange->endStep(11 * kMilli);
  EXPECT_EQ(bench.exchange->deadlineNanos(), 12 * kMilli) << "the oldest record decides";
  EXPECT_FALSE(bench.exchange->drained());
  bench.exchange->endStep(12 * kMilli);
  EXPECT_TRUE(bench.exchange->drained());
  EXPECT_EQ(bench.exchange->deadlineNanos(), kNoDeadline);
  EXPECT_EQ(bench.receive(), 2u);
  EXPECT_EQ(bench.received[0], upTo(9));
}

TEST(Exchange, WithTimeoutZeroEachStepSendsAndWithANegativeOneOnlyFullBatches) {
  Bench zero(PartitionKind::kForward, 1, 8, {.bufferTimeout = Duration::millis(0)});
  Bench never(PartitionKind::kForward, 1, 8, {.bufferTimeout = Duration::millis(-1)});
  for (int64_t step = 0; step < 4; ++step) {
    zero.emit(step, 1);
    zero.exchange->endStep(step * kMilli);
    EXPECT_EQ(zero.exchange->deadlineNanos(), kNoDeadline);
    never.emit(step, 1);
    never.exchange->endStep(step * 1000 * kMilli);
    EXPECT_EQ(never.exchange->deadlineNanos(), kNoDeadline);
  }
  EXPECT_EQ(zero.receive(), 4u);
  EXPECT_EQ(never.receive(), 1u);
  never.exchange->endStep(5000 * kMilli);  // the receiver has nothing to do any more
  EXPECT_EQ(never.receive(), 1u);
  EXPECT_EQ(never.received[0], upTo(4));
}

TEST(ExchangeDeathTest, BrokenPromises) {
  EXPECT_DEATH(Bench(PartitionKind::kForward, 0), "at least one receiver");
  EXPECT_DEATH(Bench(PartitionKind::kHash, 2, 8, {.maxParallelism = 100}), "power of two");
}

// --- the adaptive partitioner ---

Bench adaptive(uint32_t receivers, uint32_t reach, PartitionKind kind = PartitionKind::kRebalance) {
  return Bench(kind, receivers, 4, {.adaptiveReach = reach});
}

TEST(AdaptiveExchange, GoesRoundWhileNobodyHasMoreToDo) {
  for (const PartitionKind kind : {PartitionKind::kRebalance, PartitionKind::kRescale}) {
    Bench bench = adaptive(3, 2, kind);
    for (int64_t batch = 0; batch < 6; ++batch) {
      bench.emit(batch * 1000, 1000);
      bench.receive();
    }
    for (int64_t i = 0; i < 3; ++i) {
      ASSERT_EQ(bench.received[i].size(), 2000u);
      EXPECT_EQ(bench.received[i][0], i * 1000);
      EXPECT_EQ(bench.received[i][1000], (i + 3) * 1000);
    }
  }
}

TEST(AdaptiveExchange, PassesABusyReceiverBy) {
  Bench bench = adaptive(3, 3);
  for (int64_t batch = 0; batch < 3; ++batch) bench.emit(batch * 1000, 1000);  // one each
  bench.receiveFrom(0);
  bench.receiveFrom(2);
  bench.emit(3000, 1000);  // to 0, which is next
  bench.emit(4000, 1000);  // not to 1, which has one waiting, but to 2
  bench.receive();
  EXPECT_EQ(bench.received[1].size(), 1000u);
  EXPECT_EQ(bench.received[2].back(), 4999);
}

TEST(AdaptiveExchange, LooksNoFurtherThanItMay) {
  Bench bench = adaptive(4, 2);
  for (int64_t batch = 0; batch < 4; ++batch) bench.emit(batch * 1000, 1000);  // one each
  bench.receiveFrom(2);
  bench.receiveFrom(3);
  bench.emit(4000, 1000);  // 0 and 1 have one each: the first of them
  bench.receive();
  EXPECT_EQ(bench.received[0].back(), 4999);
}

TEST(AdaptiveExchange, GathersSmallBatches) {
  Bench bench = adaptive(2, 2);
  for (int64_t i = 0; i < 100; ++i) bench.emit(i, 1);
  bench.exchange->flush();
  EXPECT_EQ(bench.receive(), 2u) << "batches";
  EXPECT_EQ(bench.all(), upTo(100));
  EXPECT_EQ(bench.received[0].size(), 50u);
}

// Copies for those here; those elsewhere share the bytes.
TEST(BroadcastExchange, IsEncodedOnceForAllWorkersElsewhere) {
  BatchPools pools;
  Waker waker;
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<Channel*> ends;
  for (int i = 0; i < 4; ++i) {
    channels.push_back(std::make_unique<Channel>(8, waker, waker));
    if (i != 1) channels.back()->leaveProcess();
    ends.push_back(channels.back().get());
  }
  Exchange exchange({.partitioning = {.kind = PartitionKind::kBroadcast}, .parallelism = 4}, ends,
                    std::vector<BatchPools*>(4, &pools));
  Batch batch = rowsPool<int64_t>(pools).acquire();
  for (int64_t i = 0; i < 100; ++i) batch.rows<int64_t>().emplace(i);
  exchange.emit(std::move(batch));
  exchange.endStep(1);
  std::set<const std::string*> shared;
  for (const auto& channel : channels) {
    ASSERT_NE(channel->front(), nullptr);
    const Batch& got = std::get<Batch>(*channel->front());
    ASSERT_EQ(got.size(), 100u);
    if (channel->leavesProcess()) {
      const auto& encoded = dynamic_cast<const EncodedBatch&>(*got);
      shared.insert(encoded.shared().get());
      std::string bytes;
      ByteWriter out(bytes);
      encoded.encode(out);
      ByteReader in(bytes);
      Batch back = rowsPool<int64_t>(pools).acquire();
      back->decode(in);
      EXPECT_EQ(back.rows<int64_t>()[99], 99);
    } else {
      EXPECT_EQ(got.rows<int64_t>()[99], 99);
    }
  }
  EXPECT_EQ(shared.size(), 1u);
}

TEST(BroadcastExchange, AMarkerGoesBehindWhatWaitsForAll) {
  Bench bench(PartitionKind::kBroadcast, 2);
  bench.emit(0, 3);
  bench.exchange->emitMarker({});
  EXPECT_EQ(bench.receive(), 0u);
  bench.exchange->flush();
  EXPECT_EQ(bench.receive(), 3u) << "a batch for each, and the marker";
  EXPECT_EQ(bench.received[0], bench.received[1]);
}

}  // namespace
}  // namespace flott::exchange_test
