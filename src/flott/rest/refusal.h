// Ends a request with a status and a document of errors: thrown wherever a handler finds out.
//
//   throw Refusal{404, "there is no job " + id};
#pragma once

#include <string>
#include <string_view>

namespace flott {

struct Refusal {
  int status = 400;
  std::string text;
  std::string allow = {};  // the methods there are, for status 405
};

/// 400: a `kind` of parameter, "path" or "query", that cannot be read.
[[noreturn]] inline void refuseUnreadable(std::string_view kind, std::string_view parameter,
                                          std::string_view value) {
  throw Refusal{400, "cannot read the " + std::string(kind) + " parameter '" + std::string(parameter) +
                         "' from '" + std::string(value.substr(0, 64)) + "'"};
}

}  // namespace flott
