#include "flott/api/config_file.h"

#include <gtest/gtest.h>

#include <string>

#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

Configuration load(const std::string& yaml) {
  SimulatedEnv world(1);
  world.files().put("conf/config.yaml", yaml);
  return loadConfigFile(world.files(), "conf/config.yaml");
}

std::string failureOf(const std::string& yaml) {
  return errorText([&] { load(yaml); });
}

TEST(ConfigFile, NestedAndDottedKeysAreTheSame) {
  const Configuration config = load(R"(# a comment
flott:
  lanes: 2
  output.overrun-cap: 32 mb
pipeline.name: "clicks: all"
pipeline:
  global-job-parameters:
    city: Ulm
  operator-chaining.enabled: false
)");
  EXPECT_EQ(config.get(kLanes), 2);
  EXPECT_EQ(config.get(kOutputOverrunCap), MemorySize::mb(32));
  EXPECT_EQ(config.get(kJobName), "clicks: all");
  EXPECT_FALSE(config.get(kOperatorChaining));
  EXPECT_EQ(config.get(kGlobalJobParameters), (StringMap{{"city", "Ulm"}}));
  EXPECT_EQ(config.entries().at("flott.output.overrun-cap").origin, "conf/config.yaml:4");
  standardOptions().check(config);
}

TEST(ConfigFile, ListsAreJoined) {
  EXPECT_EQ(load("a: [x, y]\nb:\n- 1\n- 2\n").entries().at("b").value, "1;2");
  EXPECT_EQ(load("a: [x, y]\n").entries().at("a").value, "x;y");
}

TEST(ConfigFile, AFileOfCommentsIsEmpty) {
  EXPECT_TRUE(load("").entries().empty());
  EXPECT_TRUE(load("# nothing\n").entries().empty());
}

TEST(ConfigFile, FaultsAreNamedWithTheirLine) {
  EXPECT_EQ(failureOf("a: 1\nb: [x\n"), "conf/config.yaml:3: not YAML: end of sequence flow not found");
  EXPECT_EQ(failureOf("a:\n  b: 1\na.b: 2\n"),
            "conf/config.yaml:3: 'a.b' was given before, at conf/config.yaml:2: remove one of them");
  EXPECT_EQ(failureOf("a: 1\na: 2\n"),
            "conf/config.yaml:2: 'a' was given before, at conf/config.yaml:1: remove one of them");
  EXPECT_EQ(failureOf("a: 1\nb:\n"), "conf/config.yaml:2: 'b' has no value: give one, or remove the line");
  EXPECT_EQ(failureOf("a:\n- [x]\n"), "conf/config.yaml:2: an element of a list must be a plain text");
  EXPECT_EQ(failureOf("just words\n"),
            "conf/config.yaml:1: a configuration is made of lines such as 'parallelism.default: 4'");
}

TEST(ConfigFile, AMissingFileIsNamed) {
  SimulatedEnv world(1);
  EXPECT_EQ(errorText([&] { loadConfigFile(world.files(), "no.yaml"); }), "file 'no.yaml' does not exist");
}

}  // namespace
}  // namespace flott
