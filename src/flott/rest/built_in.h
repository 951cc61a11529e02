// What the build puts into the library: the web page, which is web/local.html, and the version of Flott.
//
// Constants; any thread.
#pragma once

#include <string_view>

namespace flott {

std::string_view webPage();
/// "0.1.0"
std::string_view flottVersion();

}  // namespace flott
