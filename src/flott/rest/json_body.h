// The JSON that a client has sent, and that it gets.
//
// Pure; any thread.
//
//   const nlohmann::json json = jsonBody(request.body);
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace flott {

/// An object; an empty text is {}. Throws Refusal{400} for what is no JSON object, and for one that nests
/// deeper than any that is asked for: a byte of brackets takes a hundred in memory.
nlohmann::json jsonBody(const std::string& text);

/// On one line; bytes that are no UTF-8 are replaced.
std::string render(const nlohmann::ordered_json& json);

}  // namespace flott
