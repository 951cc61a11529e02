// Single values as text, strictly: what CSV holds between its delimiters.
//
// Nothing is guessed: the whole text must be the value. Any thread; no state.
#pragma once

#include <string>
#include <string_view>

#include "flott/data/type_description.h"

namespace flott {

/// Writes the value of one of FlatField's kinds to `value`. Returns null, or why the text is none, to be read
/// after the text: "is not a number". The value is then as it was. Timestamps are "2026-01-31", "2026-01-31
/// 12:00:00.5", "2026-01-31T12:00:00Z", also with "+01:00", or whole milliseconds since 1970; without a zone
/// they are UTC.
const char* parseValue(std::string_view text, TypeKind kind, void* value);

/// Appends text that parseValue() takes for the same value.
void appendValue(TypeKind kind, const void* value, std::string& out);

}  // namespace flott
