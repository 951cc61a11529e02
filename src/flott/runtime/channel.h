// A channel: the bounded link from one task to another within a process, with wake-ups in both directions.
// Where the two are in different processes there is one at each end, and a link between them that takes from
// the one and pushes into the other (links/link.h), element by element.
//
// The producing task pushes, the consuming task reads; each is told when there is something to do. A full
// ring is what back-pressure is. Beside the ring there is a bypass that needs no slot, for barriers that
// overtake waiting data: it brings the news of a barrier early, with the number of elements pushed before it.
// The barrier itself comes in band as well, at that place, so that the consumer knows what it overtook and
// nothing depends on the news.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "flott/data/element.h"
#include "flott/runtime/ring.h"
#include "flott/runtime/runnable.h"

namespace flott {

class Channel {
 public:
  /// `capacity` elements, a power of two. The wakers outlive the channel's use.
  Channel(size_t capacity, Waker& producer, Waker& consumer)
      : ring_(capacity), bypass_(kBypassSlots), producer_(producer), consumer_(consumer) {}

  // Producer.

  /// Takes the element and wakes the consumer; or returns false when the ring is full, and wakes the producer
  /// once there is room.
  bool tryPush(Element& element, WakeUp when = WakeUp::kNow);
  /// Nothing waits in the ring, nor elsewhere: the consumer is done with all it got.
  bool starving() const { return ring_.drained() && away_.load(std::memory_order_relaxed) == 0; }
  /// News of a barrier that comes in band at this position. Dropped when kBypassSlots are on their way: they
  /// are of checkpoints that are void.
  void announce(const Barrier& barrier, size_t position);
  /// Elements pushed so far: the position of the next one.
  size_t pushed() const { return ring_.pushed(); }
  enum class ProducerWaits : uint8_t {
    kNot,
    kForRoom,   // until half of the ring is empty: woken once a burst, not once a slot
    kForEmpty,  // until all of it is
  };
  /// Wakes the producer, once, when it has come to that: look at backlog() again after this.
  void await(ProducerWaits what) {
    producerWaits_.store(what, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  // Consumer.

  /// The oldest element, which the caller may move from; then pop().
  Element* front() { return ring_.front(); }
  void pop() {
    ring_.pop();
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (producerWaits_.load(std::memory_order_relaxed) != ProducerWaits::kNot) wakeProducer();
  }
  struct Announcement {
    Barrier barrier;
    size_t position = 0;  // elements pushed before it
  };
  std::optional<Announcement> takeAnnouncement();
  /// Elements popped so far: the position of the next one.
  size_t popped() const { return ring_.popped(); }
  /// The element at a position that was not popped yet; null when it is not here.
  const Element* at(size_t position) const { return ring_.at(position); }

  /// The consumer is a link. Before its use.
  void leaveProcess() { leavesProcess_ = true; }
  bool leavesProcess() const { return leavesProcess_; }
  /// A consumer that is a link: so many elements that it has popped are not worked off at the other end.
  void setAway(size_t elements) { away_.store(elements, std::memory_order_relaxed); }

  /// Any thread, roughly: elements that wait.
  size_t backlog() const { return ring_.size() + away_.load(std::memory_order_relaxed); }
  size_t capacity() const { return ring_.capacity(); }

  static constexpr size_t kBypassSlots = 16;

 private:
  void wakeProducer();

  SpscRing<Element> ring_;
  SpscRing<Announcement> bypass_;
  Waker& producer_;
  Waker& consumer_;
  std::atomic<ProducerWaits> producerWaits_{ProducerWaits::kNot};
  std::atomic<size_t> away_{0};
  bool leavesProcess_ = false;
};

}  // namespace flott
