// expect: this type cannot be a key: it is, or holds, a map or a set
#include <unordered_map>

#include "flott/data/key.h"

struct Bag {
  std::unordered_map<int, int> counts;
};

unsigned long hash(const Bag& bag) { return flott::hashKey(bag); }
