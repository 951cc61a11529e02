#include "flott/state/cold/list_merge.h"

#include "flott/base/bytes.h"
#include "flott/base/error.h"

namespace flott {

bool ListMerge::add(std::string_view list) {
  try {
    ByteReader in(list);
    count_ += in.varint();
    elements_ += list.substr(in.offset());
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string ListMerge::finish() const {
  std::string list;
  ByteWriter out(list);
  out.varint(count_);
  return list += elements_;
}

}  // namespace flott
