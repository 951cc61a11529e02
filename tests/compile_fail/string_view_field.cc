// expect: this field only looks at its text and does not own it: use std::string
// expect: Click, flott::FieldName<flott::FixedText<4>{"user"}>
#include <string_view>

#include "flott/data/codec.h"

struct Click {
  int id;
  std::string_view user;
};

void write(flott::ByteWriter& out) { flott::Codec<Click>::encode(Click{}, out); }
