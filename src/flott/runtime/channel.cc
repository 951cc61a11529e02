#include "flott/runtime/channel.h"

#include <utility>

namespace flott {

bool Channel::tryPush(Element& element, WakeUp when) {
  if (!ring_.tryPush(element)) {
    // Announce that we wait, then look again: either we see the room, or the consumer's pop sees the
    // announcement.
    await(ProducerWaits::kForRoom);
    if (!ring_.tryPush(element)) return false;
    producerWaits_.store(ProducerWaits::kNot, std::memory_order_relaxed);
  }
  consumer_.wake(when);
  return true;
}

void Channel::wakeProducer() {
  const bool forEmpty = producerWaits_.load(std::memory_order_relaxed) == ProducerWaits::kForEmpty;
  if (ring_.size() > (forEmpty ? 0 : ring_.capacity() / 2)) return;
  producerWaits_.store(ProducerWaits::kNot, std::memory_order_relaxed);
  producer_.wake();
}

void Channel::announce(const Barrier& barrier, size_t position) {
  Announcement news{barrier, position};
  if (bypass_.tryPush(news)) consumer_.wake();
}

std::optional<Channel::Announcement> Channel::takeAnnouncement() {
  Announcement* oldest = bypass_.front();
  if (oldest == nullptr) return std::nullopt;
  const Announcement news = *oldest;
  bypass_.pop();
  return news;
}

}  // namespace flott
