// Rings, channels, wake-ups and mailboxes, on one thread and on two.
#include <gtest/gtest.h>

#include <vector>

#include "flott/data/rows.h"
#include "flott/runtime/channel.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/tests/threads.h"

namespace flott::channel_test {
namespace {

TEST(SpscRing, IsFirstInFirstOutAndBounded) {
  for (const size_t capacity : {1, 2, 8}) {
    SpscRing<int> ring(capacity);
    EXPECT_EQ(ring.front(), nullptr);
    int next = 0;
    int expected = 0;
    for (int round = 0; round < 5; ++round) {
      while (ring.tryPush(next)) ++next;
      EXPECT_EQ(ring.size(), capacity);
      EXPECT_FALSE(ring.drained());
      for (size_t i = 0; i < (capacity + 1) / 2; ++i) {
        ASSERT_NE(ring.front(), nullptr);
        EXPECT_EQ(*ring.front(), expected++);
        ring.pop();
      }
    }
    while (ring.front() != nullptr) {
      EXPECT_EQ(*ring.front(), expected++);
      ring.pop();
    }
    EXPECT_EQ(expected, next);
    EXPECT_TRUE(ring.drained());
    EXPECT_EQ(ring.pushed(), static_cast<size_t>(next));
    EXPECT_EQ(ring.popped(), static_cast<size_t>(next));
  }
}

TEST(SpscRing, LeavesWhatItDoesNotTake) {
  SpscRing<std::unique_ptr<int>> ring(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_TRUE(ring.tryPush(first));
  EXPECT_EQ(first, nullptr);
  EXPECT_FALSE(ring.tryPush(second));
  EXPECT_EQ(*second, 2);
}

TEST(SpscRingDeathTest, RefusesACapacityThatIsNoPowerOfTwo) {
  EXPECT_DEATH(SpscRing<int>(3), "power of two");
  EXPECT_DEATH(SpscRing<int>(0), "power of two");
}

TEST(Waker, TellsOnceAndKeepsWhatComesDuringAStep) {
  Waker waker;
  EXPECT_TRUE(waker.take());  // the first step needs no waking
  EXPECT_FALSE(waker.take());
  waker.wake();
  waker.wake();
  EXPECT_TRUE(waker.ready());
  EXPECT_TRUE(waker.take());
  EXPECT_FALSE(waker.ready());
  waker.wake();  // during the step
  EXPECT_TRUE(waker.take());
  waker.again();
  EXPECT_TRUE(waker.take());
}

struct Ends {
  Waker producer;
  Waker consumer;
  Ends() {
    producer.take();
    consumer.take();
  }
};

Element watermark(int64_t time) { return Watermark{Timestamp(time)}; }
int64_t timeOf(const Element& element) { return std::get<Watermark>(element).time.ms; }

TEST(Channel, WakesTheConsumerForDataAndTheProducerForRoom) {
  Ends ends;
  Channel channel(4, ends.producer, ends.consumer);
  Element element = watermark(1);
  EXPECT_TRUE(channel.tryPush(element));
  EXPECT_TRUE(ends.consumer.take());
  for (int64_t time = 2; time <= 4; ++time) {
    element = watermark(time);
    EXPECT_TRUE(channel.tryPush(element));
  }
  element = watermark(5);
  EXPECT_FALSE(channel.tryPush(element));
  EXPECT_EQ(timeOf(element), 5);
  EXPECT_FALSE(ends.producer.ready());

  const auto take = [&channel] {
    const int64_t time = timeOf(*channel.front());
    channel.pop();
    return time;
  };
  EXPECT_EQ(take(), 1);
  EXPECT_FALSE(ends.producer.ready()) << "woken once a burst, when half of the ring is free";
  EXPECT_EQ(take(), 2);
  EXPECT_TRUE(ends.producer.take());
  EXPECT_EQ(take(), 3);
  EXPECT_FALSE(ends.producer.ready()) << "it does not wait any more";
  EXPECT_TRUE(channel.tryPush(element));
  EXPECT_FALSE(channel.starving());
  EXPECT_EQ(take(), 4);
  EXPECT_EQ(take(), 5);
  EXPECT_EQ(channel.front(), nullptr);
  EXPECT_TRUE(channel.starving());
}

TEST(Channel, TheBypassOvertakesAFullRingAndKnowsItsPlace) {
  Ends ends;
  Channel channel(2, ends.producer, ends.consumer);
  for (int64_t time = 1; time <= 2; ++time) {
    Element element = watermark(time);
    ASSERT_TRUE(channel.tryPush(element));
  }
  EXPECT_FALSE(channel.takeAnnouncement());
  ends.consumer.take();
  channel.announce({.checkpoint = CheckpointId(7)}, channel.pushed());
  EXPECT_TRUE(ends.consumer.take());
  ASSERT_NE(channel.front(), nullptr);
  channel.pop();
  const std::optional<Channel::Announcement> taken = channel.takeAnnouncement();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->barrier.checkpoint, CheckpointId(7));
  EXPECT_EQ(taken->position, 2u);
  EXPECT_EQ(taken->position - channel.popped(), 1u) << "elements it overtook";
  EXPECT_FALSE(channel.takeAnnouncement());
}

TEST(Channel, NewsBeyondTheBypassIsDropped) {
  Ends ends;
  Channel channel(2, ends.producer, ends.consumer);
  for (size_t i = 0; i <= Channel::kBypassSlots; ++i) channel.announce({.checkpoint = CheckpointId(i)}, i);
  for (size_t i = 0; i < Channel::kBypassSlots; ++i) {
    const std::optional<Channel::Announcement> taken = channel.takeAnnouncement();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->position, i);
  }
  EXPECT_FALSE(channel.takeAnnouncement());
}

TEST(Channel, TheConsumerLooksAtWhatItHasNotTaken) {
  Ends ends;
  Channel channel(4, ends.producer, ends.consumer);
  for (int64_t time = 1; time <= 3; ++time) {
    Element element = watermark(time);
    ASSERT_TRUE(channel.tryPush(element));
  }
  channel.pop();
  EXPECT_EQ(std::get<Watermark>(*channel.at(2)).time, Timestamp(3));
  EXPECT_EQ(std::get<Watermark>(*channel.at(channel.popped())).time, Timestamp(2));
  EXPECT_EQ(channel.at(3), nullptr);
}

class ChannelThreads : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Capacity, ChannelThreads, testing::Values(1, 2, 8));

// Each side sleeps whenever it can do nothing: a lost wake-up in either direction ends in the check of
// WaitingThread.
TEST_P(ChannelThreads, LoseNoElementAndNoWakeUp) {
  constexpr int64_t kElements = 20'000;
  const auto real = quietRealEnv();
  const Env env = real->env();
  WaitingThread producer(env);
  WaitingThread consumer(env);
  Channel channel(GetParam(), producer.waker, consumer.waker);
  auto thread = env.threads.start({.name = "producer"}, [&] {
    int64_t next = 0;
    uint64_t random = 1;
    producer.runUntil([&] {
      for (;;) {
        Element element = watermark(next);
        if (!channel.tryPush(element)) return false;
        if (++next == kElements) return true;
        random = random * 6364136223846793005u + 1442695040888963407u;
        if ((random >> 60) == 0) {  // now and then a step ends although there is room
          producer.waker.again();
          return false;
        }
      }
    });
  });
  int64_t expected = 0;
  consumer.runUntil([&] {
    while (Element* front = channel.front()) {
      EXPECT_EQ(timeOf(*front), expected++);
      channel.pop();
    }
    return expected == kElements;
  });
  thread->join();
  EXPECT_TRUE(channel.starving());
}

TEST_P(ChannelThreads, BatchesComeBackToThePoolOfTheirLane) {
  constexpr int64_t kBatches = 5'000;
  const auto real = quietRealEnv();
  const Env env = real->env();
  BatchPools pools;
  WaitingThread producer(env);
  WaitingThread consumer(env);
  {
    Channel channel(GetParam(), producer.waker, consumer.waker);
    auto thread = env.threads.start({.name = "producer"}, [&] {
      int64_t next = 0;
      Element element;
      producer.runUntil([&] {
        for (;;) {
          if (!std::holds_alternative<Batch>(element) || !std::get<Batch>(element)) {
            Batch batch = rowsPool<int64_t>(pools).acquire();
            batch.rows<int64_t>().emplace(next++);
            element = std::move(batch);
          }
          if (!channel.tryPush(element)) return false;
          if (next == kBatches) return true;
        }
      });
    });
    int64_t expected = 0;
    consumer.runUntil([&] {
      while (Element* front = channel.front()) {
        const Element element = std::move(*front);
        channel.pop();
        EXPECT_EQ(std::get<Batch>(element).rows<int64_t>()[0], expected++);
      }
      return expected == kBatches;
    });
    thread->join();
  }
  EXPECT_EQ(pools.inUse(), 0u);
}

TEST(Mailbox, RunsMailInTheOrderOfPosting) {
  Waker owner;
  owner.take();
  Mailbox mailbox(owner);
  EXPECT_TRUE(mailbox.empty());
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) mailbox.post([&seen, i] { seen.push_back(i); });
  EXPECT_TRUE(owner.take());
  EXPECT_FALSE(mailbox.empty());
  mailbox.drain();
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(mailbox.empty());
  EXPECT_TRUE(mailbox.settled());
}

TEST(Mailbox, MailBehindOneThatThrowsStays) {
  Waker owner;
  Mailbox mailbox(owner);
  std::vector<int> seen;
  mailbox.post([&] { seen.push_back(1); });
  mailbox.post([] { throw Error(ErrorKind::kUser, "no"); });
  mailbox.post([&] { seen.push_back(3); });
  EXPECT_THROW(mailbox.drain(), Error);
  EXPECT_EQ(seen, (std::vector<int>{1}));
  EXPECT_FALSE(mailbox.empty());
  mailbox.drain();
  EXPECT_EQ(seen, (std::vector<int>{1, 3}));
}

TEST(Mailbox, MailPostedByMailRunsInTheSameTurn) {
  Waker owner;
  Mailbox mailbox(owner);
  int runs = 0;
  mailbox.post([&] { mailbox.post([&] { ++runs; }); });
  mailbox.drain();
  EXPECT_EQ(runs, 1);
}

TEST(Mailbox, DestroysWhatWasNeverRead) {
  const auto held = std::make_shared<int>(1);
  {
    Waker owner;
    Mailbox mailbox(owner);
    mailbox.post([held] {});
    mailbox.post([] { throw Error(ErrorKind::kUser, "no"); });
    mailbox.post([held] {});
    EXPECT_THROW(mailbox.drain(), Error);
    mailbox.post([held] {});
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Mailbox, ManyThreadsPostAndNothingIsLost) {
  constexpr int kThreads = 3;
  constexpr int kMails = 5'000;
  const auto real = quietRealEnv();
  const Env env = real->env();
  WaitingThread owner(env);
  Mailbox mailbox(owner.waker);
  std::vector<int> next(kThreads);
  std::vector<std::unique_ptr<Thread>> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.push_back(env.threads.start({.name = "poster"}, [&, t] {
      for (int i = 0; i < kMails; ++i) mailbox.post([&next, t, i] { EXPECT_EQ(next[t]++, i); });
    }));
  }
  owner.runUntil([&] {
    mailbox.drain();
    return next == std::vector<int>(kThreads, kMails);
  });
  for (const auto& thread : threads) thread->join();
  EXPECT_TRUE(mailbox.settled());
}

// As a task does that waits for the reply of off-loaded work: once the mailbox is settled the poster touches
// nothing of it.
TEST(Mailbox, MayGoAwayOnceItIsSettled) {
  const auto real = quietRealEnv();
  const Env env = real->env();
  for (int round = 0; round < 300; ++round) {
    WaitingThread owner(env);
    auto mailbox = std::make_unique<Mailbox>(owner.waker);
    bool replied = false;
    ASSERT_TRUE(env.offload.submit("reply", [&] { mailbox->post([&] { replied = true; }); }));
    owner.runUntil([&] {
      mailbox->drain();
      return replied;
    });
    while (!mailbox->settled()) {
    }
    mailbox.reset();
  }
}

}  // namespace
}  // namespace flott::channel_test
