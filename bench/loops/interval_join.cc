#include "bench/loops/interval_join.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace flott::bench {
namespace {

struct Event {
  int64_t at;
  int64_t value;
};

/// The events of one side of a key, in order; those before `first` are over.
struct Side {
  std::vector<Event> events;
  size_t first = 0;

  void dropBefore(int64_t at) {
    while (first < events.size() && events[first].at < at) ++first;
  }
  void add(Event event) {
    if (events.size() == events.capacity() && 2 * first >= events.size()) {
      events.erase(events.begin(), events.begin() + static_cast<ptrdiff_t>(first));
      first = 0;
    }
    events.push_back(event);
  }
};

struct Sides {
  Side left;
  Side right;
};

}  // namespace

// Events come in order, so that what an event meets is all that is left of the other side.
Outcome intervalJoinLoop(const Load& load) {
  boost::unordered_flat_map<int64_t, Sides> keys;
  FoldBuffer<StampedPair> out;
  for (uint64_t i = 0; i < load.size; ++i) {
    const KeyValue in = joinInput(i);
    const int64_t at = joinTimestamp(i);
    Sides& sides = keys[in.key];
    const bool isLeft = i % 2 == 0;
    Side& own = isLeft ? sides.left : sides.right;
    Side& other = isLeft ? sides.right : sides.left;
    other.dropBefore(at - kJoinReachMs);
    for (size_t n = other.first; n < other.events.size(); ++n) {
      const int64_t theirs = other.events[n].value;
      out.next() = {{in.key, isLeft ? in.value : theirs, isLeft ? theirs : in.value}, at};
      out.written();
    }
    own.dropBefore(at - kJoinReachMs);
    own.add({at, in.value});
  }
  return out.outcome(load.size);
}

}  // namespace flott::bench
