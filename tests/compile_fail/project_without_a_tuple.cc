// expect: the records are no tuples: name members, such as &Click::user, instead of numbers
#include "flott/api/data_stream.h"

struct Click {
  int64_t user = 0;
};

void program(const flott::DataStream<Click>& clicks) { clicks.project<0>(); }
