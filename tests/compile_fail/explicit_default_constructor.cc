// expect: a field of this struct has an explicit default constructor
#include "flott/data/describe.h"

struct Price {
  explicit Price(int n = 0) : cents(n) {}
  int cents;
  FLOTT_DESCRIBE(Price, cents)
};
struct Item {
  std::string name;
  Price price;
};

const flott::TypeDescription& type = flott::describe<Item>();
