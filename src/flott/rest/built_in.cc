#include "flott/rest/built_in.h"

// Written by CMake: kPage, kOpenApi, kOpenApiOfCluster and kVersion.
#include "flott/rest/built_in.inc"

namespace flott {

std::string_view webPage() { return kPage; }
std::string_view openApi() { return kOpenApi; }
std::string_view openApiOfClusterOnly() { return kOpenApiOfCluster; }
std::string_view flottVersion() { return kVersion; }

}  // namespace flott
