// expect: only 32 fields are found by themselves: list the fields with FLOTT_DESCRIBE(Type, field1, field2)
#include "flott/data/describe.h"

struct Wide {
  int a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8;
  int c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4, d5, d6, d7, d8;
  int one_more;
};

const flott::TypeDescription& type = flott::describe<Wide>();
