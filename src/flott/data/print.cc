#include "flott/data/print.h"

#include <charconv>

namespace flott::reflect {
namespace {

template <typename N>
void append(N value, std::string& out) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace

void appendNumber(int64_t value, std::string& out) { append(value, out); }
void appendNumber(uint64_t value, std::string& out) { append(value, out); }
void appendNumber(float value, std::string& out) { append(value, out); }
void appendNumber(double value, std::string& out) { append(value, out); }

}  // namespace flott::reflect
