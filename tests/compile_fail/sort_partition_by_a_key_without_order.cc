// expect: sortPartition: the key has no operator<; sort by another member or function
#include "flott/api/partition_windowed_stream.h"

struct Place {
  int64_t x = 0;
  int64_t y = 0;
};
struct Visit {
  Place place;
};

void program(const flott::DataStream<Visit>& visits) {
  visits.fullWindowPartition().sortPartition(&Visit::place);
}
