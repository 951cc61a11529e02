// The description of a cluster's REST: that of a program's, web/openapi.yml, and what a JobManager serves
// beside it, web/openapi-cluster.yml, as one.
//
// Pure; any thread.
//
//   response.body = openApiOfCluster();
#pragma once

#include <string>
#include <string_view>

namespace flott {

/// OpenAPI 3.1, as YAML.
std::string openApiOfCluster();

/// Two descriptions as one: what stands before the paths is that of `more`; paths follow paths, and each kind
/// of components its like. Both have their sections in the indentation of ours.
std::string joinedOpenApi(std::string_view base, std::string_view more);

}  // namespace flott
