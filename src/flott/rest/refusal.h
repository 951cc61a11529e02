// Ends a request with a status and a document of errors: thrown wherever a handler finds out.
//
//   throw Refusal{404, "there is no job " + id};
#pragma once

#include <string>

namespace flott {

struct Refusal {
  int status = 400;
  std::string text;
  std::string allow = {};  // the methods there are, for status 405
};

}  // namespace flott
