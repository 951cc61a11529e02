// expect: a smart pointer is no plain data: hold the value itself
// expect: Tree, flott::FieldName<flott::FixedText<4>{"left"}>
#include <memory>

#include "flott/data/type_ops.h"

struct Tree {
  int value;
  std::shared_ptr<Tree> left;
};

const flott::TypeOps& ops = flott::typeOps<Tree>();
