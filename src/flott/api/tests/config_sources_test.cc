#include "flott/api/config_sources.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "flott/base/client_options.h"
#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

struct Sources {
  SimulatedEnv world{1};

  void put(const std::string& path, const std::string& text) { world.files().put(path, text); }
  void variables(const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& each : all) text += each + '\0';
    put("/proc/self/environ", text);
  }
  Configuration gather(const ConfigSources& sources = {}) {
    return gatherConfiguration(world.env(), standardOptions(), sources);
  }
};

std::string entry(const Configuration& configuration, const std::string& key) {
  const Configuration::Entry& found = configuration.entries().at(key);
  return found.value + " of " + found.origin;
}

TEST(ConfigSources, LaterOnesAreStronger) {
  Sources all;
  all.put("conf/config.yaml", "rest.port: 1\nparallelism.default: 1\npipeline.name: file\n");
  all.variables({"HOME=/root", "FLOTT_OPTION_PARALLELISM_DEFAULT=2", "FLOTT_OPTION_REST_PORT=2"});
  Configuration given;
  given.set("rest.port", "3", "-D");
  const Configuration configuration = all.gather({.given = given});
  EXPECT_EQ(entry(configuration, "rest.port"), "3 of -D");
  EXPECT_EQ(entry(configuration, "parallelism.default"), "2 of FLOTT_OPTION_PARALLELISM_DEFAULT");
  EXPECT_EQ(entry(configuration, "pipeline.name"), "file of conf/config.yaml:3");
}

TEST(ConfigSources, TheFileIsTheOneNamedThenThatOfTheFolder) {
  Sources all;
  EXPECT_TRUE(all.gather().entries().empty());
  all.put("conf/config.yaml", "pipeline.name: here\n");
  EXPECT_EQ(entry(all.gather(), "pipeline.name"), "here of conf/config.yaml:1");
  all.world.system().setEnvironment("FLOTT_CONF_DIR", "/etc/flott");
  EXPECT_EQ(errorText([&] { all.gather(); }),
            "FLOTT_CONF_DIR names the folder '/etc/flott', which has no config.yaml: make one, or unset the "
            "variable");
  all.put("/etc/flott/config.yaml", "pipeline.name: there\n");
  EXPECT_EQ(entry(all.gather(), "pipeline.name"), "there of /etc/flott/config.yaml:1");
  all.put("mine.yaml", "pipeline.name: mine\n");
  EXPECT_EQ(entry(all.gather({.file = "mine.yaml"}), "pipeline.name"), "mine of mine.yaml:1");
}

TEST(ConfigSources, WhatIsUnknownOrDoesNotFitIsRefusedWithItsPlace) {
  Sources all;
  all.variables({"FLOTT_OPTION_REST_PROT=2"});
  EXPECT_EQ(errorText([&] { all.gather(); }),
            "the environment variable FLOTT_OPTION_REST_PROT is no option: did you mean "
            "'FLOTT_OPTION_REST_PORT'?");
  all.variables({"FLOTT_OPTION_=2"});
  EXPECT_EQ(
      errorText([&] { all.gather(); }),
      "the environment variable FLOTT_OPTION_ is no option: variables that begin with FLOTT_OPTION_ are "
      "options, as FLOTT_OPTION_REST_PORT for rest.port");
  all.variables({"FLOTT_OPTION_REST_PORT=many"});
  EXPECT_EQ(errorText([&] { all.gather(); }),
            "configuration rest.port = 'many' (FLOTT_OPTION_REST_PORT): 'many' is not a whole number");
  all.variables({"FLOTT_ROLE=7", "NOT_FLOTT_OPTION_X=1", "FLOTT_OPTION_PIPELINE_NAME"});
  EXPECT_EQ(entry(all.gather(), "pipeline.name"), " of FLOTT_OPTION_PIPELINE_NAME");
  all.put("conf/config.yaml", "\nrest.prot: 1\n");
  EXPECT_EQ(errorText([&] { all.gather(); }),
            "unknown configuration key 'rest.prot' (conf/config.yaml:2): did you mean 'rest.port'?");
}

TEST(ConfigSources, EachOptionHasAVariableOfItsOwn) {
  std::set<std::string> names;
  const OptionRegistry registry = standardOptions();
  for (const auto& [key, option] : registry.options())
    EXPECT_TRUE(names.insert(environmentNameOf(key)).second) << key;
  EXPECT_EQ(environmentNameOf("flott.web-ui.enabled"), "FLOTT_OPTION_FLOTT_WEB_UI_ENABLED");
}

}  // namespace
}  // namespace flott
