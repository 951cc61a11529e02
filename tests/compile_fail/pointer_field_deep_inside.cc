// expect: an address means nothing in another process
// expect: Inner, flott::FieldName<flott::FixedText<4>{"next"}>, int*
#include "flott/data/describe.h"

struct Inner {
  std::vector<int*> next;
};
struct Outer {
  std::string name;
  std::vector<Inner> inner;
};

const flott::TypeDescription& type = flott::describe<Outer>();
