// expect: list the fields with FLOTT_DESCRIBE(Type, field1, field2)
// expect: Bill, flott::FieldName<flott::FixedText<5>{"total"}>, Money
#include "flott/data/codec.h"

class Money {
 public:
  Money() = default;

 private:
  long cents_ = 0;
};
struct Bill {
  Money total;
};

void read(flott::ByteReader& in, Bill& bill) { flott::Codec<Bill>::decode(in, bill); }
