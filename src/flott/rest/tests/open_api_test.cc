// Every route is described, and what is described is a route.
#include "flott/rest/open_api.h"

#include <gtest/gtest.h>

#include "flott/rest/built_in.h"
#include "flott/rest/rest_api.h"
#include "flott/rest/tests/described_routes.h"

namespace flott {
namespace {

TEST(OpenApi, HasTheRoutesOfAProgram) {
  std::set<std::string> routes{"GET /metrics"};  // of MetricsBeside
  add(routes, RestApi::patterns());
  EXPECT_EQ(describedRoutes(openApi()), routes);
}

TEST(OpenApi, OfTwoHasAllOfBoth) {
  EXPECT_EQ(joinedOpenApi("# ours\nopenapi: 3.1.0\npaths:\n  /a:\n    get:\n      x\ncomponents:\n"
                          "  responses:\n    A: 1\n  schemas:\n    B: 2\n",
                          "# theirs\nopenapi: 3.1.0\ninfo: both\npaths:\n  /b:\n    put:\n      y\n"
                          "components:\n  parameters:\n    C: 3\n  schemas:\n    D: 4\n"),
            "openapi: 3.1.0\ninfo: both\npaths:\n  /a:\n    get:\n      x\n  /b:\n    put:\n      y\n"
            "components:\n  responses:\n    A: 1\n  schemas:\n    B: 2\n    D: 4\n  parameters:\n    C: 3\n");
}

TEST(OpenApi, NoComponentIsThereTwice) {
  const std::string text = openApiOfCluster();
  std::set<std::string> seen;
  std::string kind;
  size_t at = text.find("\ncomponents:\n") + 1;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("  ") && line[2] != ' ') kind = line;
    if (!line.starts_with("    ") || line[4] == ' ') continue;
    const std::string name = kind + line.substr(0, line.find(':'));
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
  EXPECT_GT(seen.size(), 80u);
}

}  // namespace
}  // namespace flott
