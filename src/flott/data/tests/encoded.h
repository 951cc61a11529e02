// The bytes that the codec of a type makes of a value.
#pragma once

#include <string>

#include "flott/data/codec.h"

namespace flott::test {

template <typename T>
std::string encoded(const T& value) {
  std::string bytes;
  ByteWriter out(bytes);
  Codec<T>::encode(value, out);
  return bytes;
}

}  // namespace flott::test
