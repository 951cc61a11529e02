// Small things that HTTP says in text: blanks around values, case, quotes.
//
// Pure; any thread.
//
//   parameterOf("form-data; name=\"jarfile\"", "name");  // jarfile
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flott {

/// A to Z alone.
std::string lowerCase(std::string_view text);
/// Without blanks and tabs around it.
std::string_view trimmed(std::string_view text);

/// In quotes, with a backslash before quotes and backslashes; control characters go.
std::string inQuotes(std::string_view text);
/// Of a header's value such as `form-data; name="jarfile"; filename="a.jar"`, quotes undone. `name` is in
/// lower case. Nothing where there is no such parameter; throws Refusal{400} for a quote that does not end.
std::optional<std::string> parameterOf(std::string_view header, std::string_view name);

}  // namespace flott
