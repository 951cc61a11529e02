// expect: fields of a struct with a base are not found by themselves: list the fields, those of the base too
#include "flott/data/describe.h"

struct Base {
  int id;
};
struct Derived : Base {
  int more;
};

const flott::TypeDescription& type = flott::describe<Derived>();
