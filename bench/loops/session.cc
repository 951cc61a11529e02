#include "bench/loops/session.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <vector>

namespace flott::bench {
namespace {

struct Open {
  int64_t end;
  int64_t sum;
};

}  // namespace

// Keys are looked at when the second is over that their session would have ended in, had nothing come since
// they were looked at last.
Outcome sessionLoop(const Load& load) {
  boost::unordered_flat_map<int64_t, Open> sessions;
  std::vector<std::vector<int64_t>> ending(8);  // keys by the second of the end, in a ring
  FoldBuffer<WindowSum> out;
  int64_t second = 0;
  const auto emit = [&](int64_t key, const Open& session) {
    out.next() = {{key, session.sum}, session.end - 1};
    out.written();
  };
  const auto sweep = [&](int64_t now) {
    std::vector<int64_t> due;
    due.swap(ending[static_cast<size_t>(second % 8)]);
    for (const int64_t key : due) {
      const auto found = sessions.find(key);
      if (found == sessions.end()) continue;
      if (found->second.end <= now) {
        emit(key, found->second);
        sessions.erase(found);
      } else {
        ending[static_cast<size_t>(found->second.end / 1000 % 8)].push_back(key);
      }
    }
    ++second;
  };
  for (uint64_t i = 0; i < load.size; ++i) {
    const int64_t at = tumblingTimestamp(i);
    while (at >= (second + 1) * 1000) [[unlikely]] sweep((second + 1) * 1000);
    const KeyValue in = sessionInput(i);
    const auto [place, fresh] = sessions.try_emplace(in.key, Open{at + kSessionGapMs, in.value});
    Open& session = place->second;
    if (fresh) {
      ending[static_cast<size_t>(session.end / 1000 % 8)].push_back(in.key);
    } else if (at <= session.end) {
      session.sum += in.value;
      session.end = at + kSessionGapMs;
    } else {
      emit(in.key, session);
      session = {at + kSessionGapMs, in.value};
    }
  }
  for (const auto& [key, session] : sessions) emit(key, session);
  return out.outcome(load.size);
}

}  // namespace flott::bench
