// expect: an address means nothing in another process
#include "flott/data/print.h"

std::string show(int* p) { return flott::toText(p); }
