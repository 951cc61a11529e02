#include "flott/base/secret_keys.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace flott {

bool isSecretKey(std::string_view key) {
  std::string lower(key);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  static constexpr std::string_view kWords[] = {"password",    "secret",       "apikey",     "api-key",
                                                "auth-params", "service-key",  "token",      "basic-auth",
                                                "jaas.config", "http-headers", "account.key"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

}  // namespace flott
