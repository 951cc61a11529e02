// A failure as Flink's clients read it: they take the one of an operation from a serialized Java object, and
// show nothing of the text beside it.
//
// Pure function; any thread.
//
//   failure["serialized-throwable"] = javaThrowable(error.what());
#pragma once

#include <string>
#include <string_view>

namespace flott {

/// An org.apache.flink.util.SerializedThrowable with this message, which stands for its stack trace as well,
/// in base64. Of a long text the beginning; what is no UTF-8 becomes '?'.
std::string javaThrowable(std::string_view text);

}  // namespace flott
