// For tests of error messages: what somebody would read.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "flott/base/error.h"

namespace flott {

/// The message of the Error that `deed` throws, which must be of `kind`; "nothing was thrown" otherwise.
template <typename F>
std::string errorText(F&& deed, ErrorKind kind = ErrorKind::kUser) {
  try {
    deed();
  } catch (const Error& error) {
    EXPECT_EQ(toString(error.kind()), toString(kind)) << error.what();
    return error.message();
  }
  return "nothing was thrown";
}

}  // namespace flott
