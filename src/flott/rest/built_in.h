// What the build puts into the library: the web page, which is web/local.html, the description of REST, which
// is web/openapi.yml and web/openapi-cluster.yml, and the version of Flott.
//
// Constants; any thread.
#pragma once

#include <string_view>

namespace flott {

std::string_view webPage();
/// OpenAPI 3.1, as YAML.
std::string_view openApi();
/// What a JobManager serves beside it: see open_api.h.
std::string_view openApiOfClusterOnly();
/// "0.1.0"
std::string_view flottVersion();

}  // namespace flott
