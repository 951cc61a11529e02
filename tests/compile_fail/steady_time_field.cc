// expect: a time of this clock means nothing in another process: use flott::Timestamp
#include <chrono>

#include "flott/data/describe.h"

struct Event {
  std::chrono::steady_clock::time_point at;
};

const flott::TypeDescription& type = flott::describe<Event>();
