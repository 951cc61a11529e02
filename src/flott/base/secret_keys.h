// Which options hold what must not be shown: passwords, keys, tokens. Told from the key alone, as Flink does.
//
// Pure function; any thread.
//
//   out += isSecretKey(key) ? kHiddenValue : value;
#pragma once

#include <string_view>

namespace flott {

/// "s3.secret-key", "ssl.key-password"; the case of letters does not count.
bool isSecretKey(std::string_view key);

inline constexpr std::string_view kHiddenValue = "******";

}  // namespace flott
