// How watermarks, idleness and ends of channels become those of an input.
#include "flott/runtime/input_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "flott/data/rows.h"
#include "flott/env/random.h"

namespace flott {
namespace {

std::string textOf(const InputGate::Event& event) {
  std::string text = std::to_string(event.input) + ":";
  if (const auto* watermark = std::get_if<Watermark>(&event.element)) {
    return text + (watermark->time == Timestamp::max() ? "W max" : "W " + std::to_string(watermark->time.ms));
  }
  if (const auto* status = std::get_if<WatermarkStatus>(&event.element))
    return text + (status->active ? "active" : "idle");
  if (std::holds_alternative<EndOfInput>(event.element)) return text + "end";
  if (const auto* barrier = std::get_if<Barrier>(&event.element))
    return text + "barrier " + std::to_string(barrier->checkpoint.value);
  return text + "batch";
}

// A gate whose channels feed the inputs given, one channel each.
class Gate {
 public:
  explicit Gate(const std::vector<int>& inputs) : Gate(inputs, {}) {}
  /// With channels in which a barrier may overtake; each is an edge of its own.
  Gate(const std::vector<int>& inputs, const std::set<size_t>& overtakable) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      channels_.push_back(std::make_unique<Channel>(64, producer_, consumer_));
      gate.addChannel(inputs[i], *channels_.back(),
                      {.edge = static_cast<int>(i), .overtakable = overtakable.contains(i)});
    }
  }

  Gate& push(size_t channel, Element element) {
    EXPECT_TRUE(channels_[channel]->tryPush(element));
    return *this;
  }
  Gate& watermark(size_t channel, int64_t time) { return push(channel, Watermark{Timestamp(time)}); }
  Gate& status(size_t channel, bool active) { return push(channel, WatermarkStatus{active}); }
  Gate& end(size_t channel) { return push(channel, EndOfInput{}); }
  Gate& barrier(size_t channel, uint64_t id, Timestamp overtakesFrom = Timestamp::max()) {
    return push(channel, Barrier{.checkpoint = CheckpointId(id), .overtakesFrom = overtakesFrom});
  }
  /// That a barrier comes behind what was pushed.
  Gate& announce(size_t channel, uint64_t id) {
    channels_[channel]->announce({.checkpoint = CheckpointId(id), .overtakesFrom = Timestamp::min()},
                                 channels_[channel]->pushed());
    gate.beginStep({});
    return *this;
  }
  Gate& batch(size_t channel) {
    Batch batch = rowsPool<int64_t>(pools_).acquire();
    batch.rows<int64_t>().emplace(1);
    return push(channel, Element(std::move(batch)));
  }
  std::string event() {
    const std::optional<InputGate::Event> next = gate.next();
    return next ? textOf(*next) : "none";
  }
  /// What was in the channels before the barrier: "B" for a batch, a watermark as its number.
  std::vector<std::string> captured(uint64_t id) {
    std::vector<std::string> all;
    for (const InFlightSequence& sequence : gate.takeCaptured(CheckpointId(id)).sequences) {
      std::string& text = all.emplace_back();
      InFlightReader in(sequence.elements, &rowsPool<int64_t>(pools_));
      while (const std::optional<Element> element = in.next()) text += elementText(*element) + " ";
    }
    return all;
  }
  static std::string elementText(const Element& element) {
    if (const auto* watermark = std::get_if<Watermark>(&element)) return std::to_string(watermark->time.ms);
    if (const auto* status = std::get_if<WatermarkStatus>(&element))
      return status->active ? "active" : "idle";
    return "B";
  }
  /// As if the job before had had this in flight, on an edge of the gate: numbers are watermarks, then a
  /// batch.
  void restore(std::vector<std::pair<RestoredChannel, std::vector<int64_t>>> channels) {
    RestoredInput restored;
    for (auto& [channel, watermarks] : channels) {
      std::string elements;
      for (const int64_t time : watermarks) appendElement(Element(Watermark{Timestamp(time)}), elements);
      Batch batch = rowsPool<int64_t>(pools_).acquire();
      batch.rows<int64_t>().emplace(1);
      appendBatch(batch, elements);
      channel.parts.push_back(std::make_shared<std::string>(std::move(elements)));
      restored.add(std::move(channel), 0, {}, pools_, &rowsPool<int64_t>, "in a test");
    }
    gate.restore(std::move(restored));
  }
  std::vector<std::string> events() {
    std::vector<std::string> all;
    while (std::optional<InputGate::Event> event = gate.next()) all.push_back(textOf(*event));
    return all;
  }

 private:
  Waker producer_, consumer_;
  BatchPools pools_;
  std::vector<std::unique_ptr<Channel>> channels_;

 public:
  InputGate gate;
};

using Events = std::vector<std::string>;
constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

TEST(InputGate, TheWatermarkOfAnInputIsTheLeastOfItsChannels) {
  Gate gate({0, 0, 1});
  EXPECT_EQ(gate.watermark(0, 5).events(), Events{});
  EXPECT_EQ(gate.watermark(2, 3).events(), Events{"1:W 3"});
  EXPECT_EQ(gate.watermark(1, 4).events(), Events{"0:W 4"});
  EXPECT_EQ(gate.watermark(1, 9).events(), Events{"0:W 5"});
  EXPECT_EQ(gate.watermark(1, 7).events(), Events{}) << "it never goes back";
  EXPECT_EQ(gate.gate.watermark(0), Timestamp(5));
}

TEST(InputGate, IdleChannelsHoldNothingBack) {
  Gate gate({0, 0});
  EXPECT_EQ(gate.watermark(0, 5).events(), Events{});
  EXPECT_EQ(gate.status(1, false).events(), Events{"0:W 5"});
  EXPECT_EQ(gate.status(0, false).events(), Events{"0:idle"});
  EXPECT_EQ(gate.status(1, true).events(), Events{"0:active"});
  EXPECT_EQ(gate.watermark(1, 3).events(), Events{}) << "it has to catch up first";
  EXPECT_EQ(gate.watermark(1, 8).events(), Events{"0:W 8"});
}

TEST(InputGate, WhenAllAreIdleTheFurthestDecides) {
  Gate gate({0, 0});
  gate.watermark(0, 5).watermark(1, 3);
  EXPECT_EQ(gate.events(), Events{"0:W 3"});
  EXPECT_EQ(gate.status(0, false).events(), Events{});
  EXPECT_EQ(gate.status(1, false).events(), (Events{"0:W 5", "0:idle"}));
}

TEST(InputGate, AnEndedChannelBesideAnIdleOneDoesNotEndTime) {
  Gate gate({0, 0});
  gate.watermark(1, 7);
  EXPECT_EQ(gate.status(1, false).events(), Events{}) << "channel 0 is active and has no watermark yet";
  EXPECT_EQ(gate.watermark(0, kEnd).events(), (Events{"0:W 7", "0:idle"}));
  EXPECT_EQ(gate.end(0).events(), Events{});
  EXPECT_EQ(gate.status(1, true).watermark(1, 9).events(), (Events{"0:active", "0:W 9"}));
  EXPECT_EQ(gate.watermark(1, kEnd).end(1).events(), (Events{"0:W max", "0:end"}));
}

TEST(InputGate, TheLastEndIsTheEndOfTheInput) {
  Gate gate({0, 0, 1});
  EXPECT_EQ(gate.watermark(0, 5).end(0).events(), Events{});
  EXPECT_FALSE(gate.gate.ended());
  EXPECT_EQ(gate.watermark(1, 2).events(), Events{"0:W 2"});
  EXPECT_EQ(gate.end(1).events(), (Events{"0:W max", "0:end"}));
  EXPECT_FALSE(gate.gate.ended());
  EXPECT_EQ(gate.end(2).events(), (Events{"1:W max", "1:end"}));
  EXPECT_TRUE(gate.gate.ended());
}

TEST(InputGate, ChannelsTakeTurns) {
  Gate gate({0, 1, 2});
  for (size_t channel = 0; channel < 3; ++channel) gate.batch(channel).batch(channel);
  EXPECT_EQ(gate.gate.backlog(), 6u);
  EXPECT_EQ(gate.events(), (Events{"0:batch", "1:batch", "2:batch", "0:batch", "1:batch", "2:batch"}));
  EXPECT_EQ(gate.gate.backlog(), 0u);
}

TEST(InputGate, AChannelThatDeliveredABarrierWaitsForTheOthers) {
  Gate gate({0, 0, 1});
  gate.batch(0).barrier(0, 1).batch(0).batch(1);
  EXPECT_EQ(gate.events(), (Events{"0:batch", "0:batch"}));
  gate.barrier(1, 1).batch(1).batch(2).barrier(2, 1);
  EXPECT_EQ(gate.events(), (Events{"1:batch", "0:barrier 1", "0:batch", "0:batch"}))
      << "an input is no matter";
}

TEST(InputGate, AtLeastOnceNoChannelWaits) {
  Gate gate({0, 0});
  gate.gate.setBlocking(false);
  gate.barrier(0, 1).batch(0).barrier(0, 2).batch(0);
  EXPECT_EQ(gate.events(), (Events{"0:batch", "0:batch"}));
  EXPECT_EQ(gate.barrier(1, 1).batch(1).events(), (Events{"0:barrier 1", "0:batch"}));
  EXPECT_EQ(gate.barrier(1, 2).events(), (Events{"0:barrier 2"}));
}

TEST(InputGate, NobodyWaitsForTheBarrierOfAChannelThatHasEnded) {
  Gate gate({0, 0});
  EXPECT_EQ(gate.end(0).barrier(1, 1).events(), (Events{"0:barrier 1"}));
  Gate endsLater({0, 0});
  EXPECT_EQ(endsLater.barrier(1, 1).watermark(1, 7).watermark(0, 9).events(), Events{});
  EXPECT_EQ(endsLater.end(0).events(), (Events{"0:barrier 1", "0:W 7"})) << "the cut comes first";
}

TEST(InputGate, ACheckpointIsDueWhereNoChannelIsLeftToBringItsBarrier) {
  Gate gate({0, 0});
  gate.gate.expectBarrier({.checkpoint = CheckpointId(1)});
  EXPECT_EQ(gate.end(0).events(), Events{});
  EXPECT_EQ(gate.end(1).events(), (Events{"0:barrier 1", "0:W max", "0:end"}));
  gate.gate.expectBarrier({.checkpoint = CheckpointId(2)});
  EXPECT_EQ(gate.events(), Events{"0:barrier 2"});
  gate.gate.expectBarrier({.checkpoint = CheckpointId(2)});
  EXPECT_EQ(gate.events(), Events{}) << "each once";
}

TEST(InputGate, AnAbandonedCheckpointHoldsNothingUp) {
  Gate gate({0, 0});
  EXPECT_EQ(gate.barrier(0, 1).batch(0).events(), Events{});
  gate.gate.abandonBarrier(CheckpointId(1));
  EXPECT_EQ(gate.events(), Events{"0:batch"});
  EXPECT_EQ(gate.barrier(1, 1).batch(1).events(), Events{"0:batch"}) << "its late barriers are passed over";
  gate.gate.abandonBarrier(CheckpointId(2));
  EXPECT_EQ(gate.barrier(0, 2).barrier(1, 2).events(), Events{}) << "also when nobody has seen it yet";
  EXPECT_EQ(gate.barrier(0, 3).barrier(1, 3).events(), Events{"0:barrier 3"});
}

TEST(InputGate, TellsHowLongTheChannelsTookToAlign) {
  Gate gate({0, 0});
  gate.gate.beginStep({.nanos = 1000});
  EXPECT_EQ(gate.barrier(0, 1).events(), Events{});
  gate.gate.beginStep({.nanos = 1700});
  EXPECT_EQ(gate.barrier(1, 1).events(), Events{"0:barrier 1"});
  EXPECT_EQ(gate.gate.alignmentNanos(), 700);
}

TEST(InputGate, ABarrierThatOvertakesIsDueAtOnceAndWhatItOvertookIsKept) {
  Gate gate({0, 0}, {0, 1});
  gate.watermark(0, 4).watermark(1, 9);
  EXPECT_EQ(gate.events(), Events{"0:W 4"});
  gate.batch(0).watermark(0, 5).batch(0).batch(1).announce(0, 1).barrier(0, 1).batch(0);
  EXPECT_TRUE(gate.gate.overtakingDue());
  EXPECT_EQ(gate.event(), "0:barrier 1") << "before all that waits";
  EXPECT_FALSE(gate.gate.overtakingDue());
  EXPECT_TRUE(gate.gate.capturing(CheckpointId(1))) << "nobody knows what else comes in channel 1";
  gate.batch(1).watermark(1, 12);
  EXPECT_EQ(gate.events(), (Events{"0:batch", "0:batch", "0:W 5", "0:batch", "0:batch", "0:batch"}))
      << "no channel waits";
  gate.batch(1).barrier(1, 1, Timestamp::min()).batch(1);
  EXPECT_EQ(gate.events(), (Events{"0:batch", "0:batch"}));
  EXPECT_FALSE(gate.gate.capturing(CheckpointId(1)));
  EXPECT_EQ(gate.captured(1), (Events{"4 B 5 B ", "9 B B 12 B "}));
  EXPECT_EQ(gate.captured(1), Events{}) << "once";
}

TEST(InputGate, TheNewsOfABarrierEndsWhatIsKept) {
  Gate gate({0, 0}, {0, 1});
  gate.announce(0, 1);
  EXPECT_EQ(gate.event(), "0:barrier 1");
  gate.batch(1).batch(1).announce(1, 1);
  EXPECT_FALSE(gate.gate.capturing(CheckpointId(1))) << "though the barrier itself is not in the channel yet";
  gate.batch(1);
  EXPECT_EQ(gate.events().size(), 3u);
  EXPECT_EQ(gate.captured(1), (Events{"", "B B "}));
}

TEST(InputGate, OfAChannelThatHasEndedTheRestIsKept) {
  Gate gate({0, 0}, {0, 1});
  gate.batch(1).watermark(1, kEnd).end(1).announce(0, 1);
  EXPECT_EQ(gate.event(), "0:barrier 1");
  EXPECT_FALSE(gate.gate.capturing(CheckpointId(1)));
  EXPECT_EQ(gate.captured(1), (Events{"", "B " + std::to_string(kEnd) + " "}));
}

TEST(InputGate, WhereBarriersKeepTheirPlaceTheyAreWaitedFor) {
  Gate gate({0, 1}, {0});
  gate.batch(0).batch(0).announce(0, 1);
  EXPECT_EQ(gate.event(), "0:batch");
  gate.batch(1).barrier(1, 1, Timestamp::min());
  EXPECT_EQ(gate.event(), "1:batch");
  EXPECT_EQ(gate.event(), "0:batch");
  gate.batch(0);
  EXPECT_EQ(gate.event(), "0:barrier 1");
  EXPECT_EQ(gate.captured(1), (Events{"", ""}))
      << "what was taken before the cut, or comes behind the barrier";
}

TEST(InputGate, AChannelThatReachedItsBarrierWaitsForTheCutOnly) {
  Gate gate({0, 1}, {0});
  gate.barrier(0, 1, Timestamp::min()).batch(0);
  EXPECT_EQ(gate.events(), Events{});
  gate.barrier(1, 1, Timestamp::min());
  EXPECT_EQ(gate.events(), (Events{"0:barrier 1", "0:batch"}));
}

TEST(InputGate, ABarrierMayBeginToOvertakeLater) {
  Gate gate({0, 0}, {0, 1});
  gate.gate.beginStep({.nanos = 0, .wall = Timestamp(100)});
  gate.barrier(0, 1, Timestamp(150)).batch(0).batch(1);
  EXPECT_EQ(gate.gate.deadlineNanos({.nanos = 0, .wall = Timestamp(100)}), kNoDeadline)
      << "nobody knows of it";
  EXPECT_EQ(gate.events(), Events{"0:batch"});
  EXPECT_EQ(gate.gate.deadlineNanos({.nanos = 0, .wall = Timestamp(100)}), 50'000'000);
  gate.batch(1).gate.beginStep({.nanos = 50'000'000, .wall = Timestamp(150)});
  EXPECT_EQ(gate.events(), (Events{"0:barrier 1", "0:batch", "0:batch"}));
  gate.barrier(1, 1, Timestamp(150));
  EXPECT_EQ(gate.events(), Events{});
  EXPECT_EQ(gate.captured(1), (Events{"", "B "}));
}

TEST(InputGate, WhatAVoidCheckpointKeptIsDropped) {
  Gate gate({0, 0}, {0, 1});
  gate.announce(0, 1);
  EXPECT_EQ(gate.event(), "0:barrier 1");
  gate.gate.abandonBarrier(CheckpointId(1));
  EXPECT_FALSE(gate.gate.capturing(CheckpointId(1)));
  EXPECT_EQ(gate.captured(1), Events{});
  gate.announce(0, 2);
  EXPECT_EQ(gate.event(), "0:barrier 2");
  gate.barrier(1, 1, Timestamp::min()).batch(1).announce(0, 3);
  EXPECT_EQ(gate.event(), "0:barrier 3") << "the one before is void, though nobody has said so yet";
  EXPECT_FALSE(gate.gate.captures(CheckpointId(2)));
  EXPECT_EQ(gate.events(), Events{"0:batch"});
  EXPECT_TRUE(gate.gate.capturing(CheckpointId(3)));
}

TEST(InputGate, WhatWasInFlightComesFirst) {
  Gate gate({0, 0});
  gate.batch(0).watermark(1, 20);
  gate.restore(
      {{{.edge = 0, .sender = 0, .exact = true}, {5}}, {{.edge = 1, .sender = 0, .exact = true}, {9}}});
  EXPECT_EQ(gate.events(), (Events{"0:W 5", "0:batch", "0:batch", "0:batch"}))
      << "the time of the input is that of the channels of the job before";
  EXPECT_EQ(gate.watermark(0, 30).events(), Events{"0:W 20"}) << "each went on from its own";
}

TEST(InputGate, AtAnotherParallelismTheLeastTimeOfTheSendersHolds) {
  Gate gate({0, 0});
  gate.restore({{{.edge = 0, .sender = 0}, {5, 8}}, {{.edge = 0, .sender = 1}, {7}}});
  EXPECT_EQ(gate.watermark(0, 6).events(), (Events{"0:batch", "0:batch"}))
      << "channel 1 has an edge of its own, of which nothing is known";
  Gate known({0});
  known.restore({{{.edge = 0, .sender = 0}, {5, 8}}, {{.edge = 0, .sender = 1}, {7}}});
  EXPECT_EQ(known.watermark(0, 6).events(), (Events{"0:W 5", "0:W 7", "0:batch", "0:batch"}));
  EXPECT_EQ(known.watermark(0, 8).events(), Events{"0:W 8"});
}

TEST(InputGate, NoBarrierIsTakenBeforeWhatWasInFlight) {
  Gate gate({0, 0}, {0, 1});
  gate.restore({{{.edge = 0, .sender = 0, .exact = true}, {5}}});
  gate.announce(0, 3);
  EXPECT_FALSE(gate.gate.overtakingDue());
  EXPECT_EQ(gate.events(), Events{"0:batch"});
  gate.gate.beginStep({});
  EXPECT_EQ(gate.events(), Events{"0:barrier 3"});
  EXPECT_EQ(gate.captured(3), (Events{"5 ", ""}));
}

// What the input's time is, from the state of all channels: written down once more, without any increments.
struct NaiveChannel {
  int64_t watermark = std::numeric_limits<int64_t>::min();
  bool active = true;
  bool ended = false;
};

int64_t naiveTime(const std::vector<NaiveChannel>& channels) {
  std::vector<int64_t> open, active;
  for (const NaiveChannel& channel : channels) {
    if (channel.ended || channel.watermark == kEnd) continue;
    open.push_back(channel.watermark);
    if (channel.active) active.push_back(channel.watermark);
  }
  if (open.empty()) return kEnd;
  return active.empty() ? *std::max_element(open.begin(), open.end())
                        : *std::min_element(active.begin(), active.end());
}

TEST(InputGate, AgreesWithANaiveModel) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const size_t count = 1 + random.below(4);
    Gate gate(std::vector<int>(count, 0));
    std::vector<NaiveChannel> channels(count);
    int64_t time = std::numeric_limits<int64_t>::min();
    bool active = true;
    for (int step = 0; step < 200 && !gate.gate.ended(); ++step) {
      const size_t at = random.below(count);
      NaiveChannel& channel = channels[at];
      if (channel.ended) continue;
      switch (random.below(step > 100 ? 4 : 3)) {
        case 0:
        case 1: {
          const auto mark =
              step > 100 && random.below(8) == 0 ? kEnd : static_cast<int64_t>(random.below(100)) + step;
          channel.watermark = std::max(channel.watermark, mark);
          gate.watermark(at, mark);
          break;
        }
        case 2:
          channel.active = !channel.active;
          gate.status(at, channel.active);
          break;
        default:
          channel.ended = true;
          gate.end(at);
      }
      time = std::max(time, naiveTime(channels));
      const auto over = [](const NaiveChannel& c) { return c.ended || c.watermark == kEnd; };
      const bool allOver = std::all_of(channels.begin(), channels.end(), over);
      const bool allEnded =
          std::all_of(channels.begin(), channels.end(), [](const NaiveChannel& c) { return c.ended; });
      const bool anyActive = std::any_of(channels.begin(), channels.end(),
                                         [&](const NaiveChannel& c) { return c.active && !over(c); });
      int ends = 0;
      while (std::optional<InputGate::Event> event = gate.gate.next()) {
        EXPECT_EQ(ends, 0) << "something came after the end";
        if (const auto* status = std::get_if<WatermarkStatus>(&event->element)) {
          EXPECT_NE(status->active, active);
          active = status->active;
        }
        ends += std::holds_alternative<EndOfInput>(event->element) ? 1 : 0;
      }
      EXPECT_EQ(gate.gate.watermark(0).ms, time) << "seed " << seed << ", step " << step;
      EXPECT_EQ(active, anyActive || allOver) << "seed " << seed << ", step " << step;
      EXPECT_EQ(ends, allEnded ? 1 : 0);
    }
  }
}

}  // namespace
}  // namespace flott
