// expect: a const field cannot be decoded into: remove the const
// expect: Reading, flott::FieldName<flott::FixedText<6>{"sensor"}>
#include "flott/data/describe.h"

struct Reading {
  const int sensor = 0;
  double value;
};

const flott::TypeDescription& type = flott::describe<Reading>();
