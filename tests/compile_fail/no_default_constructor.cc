// expect: a value is decoded into a default one: give this struct, and each of its fields, a default
// constructor
#include "flott/data/codec.h"

struct UserId {
  explicit UserId(int n) : number(n) {}
  int number;
  FLOTT_DESCRIBE(UserId, number)
};

void write(flott::ByteWriter& out) { flott::Codec<std::vector<UserId>>::encode({}, out); }
