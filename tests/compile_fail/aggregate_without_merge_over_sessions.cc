// expect: aggregate: windows of this assigner merge, for which the aggregate function needs merge(
#include "flott/api/windowed_stream.h"

struct Click {
  int64_t user = 0;
};
struct Count {
  int64_t createAccumulator() const { return 0; }
  void add(const Click&, int64_t& count) const { ++count; }
  int64_t getResult(const int64_t& count) const { return count; }
};

void build(const flott::DataStream<Click>& clicks) {
  clicks.keyBy(&Click::user)
      .window(flott::EventTimeSessionWindows::withGap(flott::Duration::seconds(1)))
      .aggregate(Count());
}
