#include "flott/base/config.h"

#include <gtest/gtest.h>

#include <string>

#include "flott/base/nearest.h"
#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"

namespace flott {
namespace {

constexpr ConfigOption<bool> kFlag{.key = "a.flag", .defaultText = "false", .description = ""};
constexpr ConfigOption<int64_t> kCount{
    .key = "a.count", .defaultText = "3", .description = "", .minimum = 1, .maximum = 10};
constexpr ConfigOption<double> kRatio{.key = "a.ratio", .defaultText = "0.5", .description = ""};
constexpr ConfigOption<std::string> kText{.key = "a.text", .defaultText = std::nullopt, .description = ""};
constexpr ConfigOption<std::string> kChoice{
    .key = "a.choice", .defaultText = "RED", .description = "", .choices = "RED|GREEN|BLUE"};
constexpr ConfigOption<Duration> kWait{
    .key = "a.wait", .defaultText = "1 s", .description = "", .minimum = 0};
constexpr ConfigOption<MemorySize> kMemory{
    .key = "a.memory", .defaultText = "64 mb", .description = "", .minimum = 1024};
constexpr ConfigOption<StringList> kList{.key = "a.list", .defaultText = "", .description = ""};
constexpr ConfigOption<StringMap> kMap{.key = "a.map", .defaultText = "", .description = ""};

TEST(Configuration, GivesDefaultsUntilSet) {
  Configuration config;
  EXPECT_FALSE(config.get(kFlag));
  EXPECT_EQ(config.get(kCount), 3);
  EXPECT_EQ(config.get(kRatio), 0.5);
  EXPECT_EQ(config.find(kText), std::nullopt);
  EXPECT_EQ(config.get(kWait), Duration::seconds(1));
  EXPECT_EQ(config.get(kMemory), MemorySize::mb(64));
  EXPECT_EQ(config.get(kList), StringList{});
  EXPECT_FALSE(config.contains("a.flag"));
  config.set("a.flag", "TRUE");
  config.set("a.ratio", " 1e-3 ");
  config.set("a.text", "");
  config.set("a.choice", "blue");
  config.set("a.wait", "2 min");
  config.set("a.memory", "1g");
  config.set("a.list", "x; y ;z");
  EXPECT_TRUE(config.get(kFlag));
  EXPECT_EQ(config.get(kRatio), 0.001);
  EXPECT_EQ(config.get(kText), "");
  EXPECT_EQ(config.get(kChoice), "BLUE");
  EXPECT_EQ(config.get(kWait), Duration::seconds(120));
  EXPECT_EQ(config.get(kMemory), MemorySize(uint64_t{1} << 30));
  EXPECT_EQ(config.get(kList), (StringList{"x", "y", "z"}));
  EXPECT_TRUE(config.contains("a.flag"));
}

TEST(Configuration, MapsMayHoldTheirOwnPunctuation) {
  Configuration config;
  const StringMap map = {{"a", "1,2"}, {"b:c", "it's"}, {"d", "x:y"}, {" e ", ""}, {"f", "' "}};
  config.set(kMap, map);
  EXPECT_EQ(config.get(kMap), map) << config.entries().at("a.map").value;
  EXPECT_EQ(OptionValue<StringMap>::parse("a : 1 , 'b' : '2,''3' "), (StringMap{{"a", "1"}, {"b", "2,'3"}}));
  Configuration below;
  below.set("a.map.k", "1,2");
  EXPECT_EQ(below.get(kMap), (StringMap{{"k", "1,2"}}));
  for (const char* text : {"a", "a:1,", "a:1,b", "'a:1", "a:'1'2", ",a:1"}) {
    EXPECT_EQ(errorText([&] { OptionValue<StringMap>::parse(text); }),
              "'" + std::string(text) + "' is not a map, such as a:1,b:2");
  }
}

TEST(Configuration, TypedValuesComeBack) {
  Configuration config;
  config.set(kFlag, true);
  config.set(kCount, 7);
  config.set(kRatio, 0.1);
  config.set(kWait, Duration::millis(1500));
  config.set(kMemory, MemorySize::kb(3));
  config.set(kList, {"x", "y"});
  config.set(kMap, {{"k", "v"}, {"l", "w"}});
  EXPECT_TRUE(config.get(kFlag));
  EXPECT_EQ(config.get(kCount), 7);
  EXPECT_EQ(config.get(kRatio), 0.1);
  EXPECT_EQ(config.get(kWait), Duration::millis(1500));
  EXPECT_EQ(config.get(kMemory), MemorySize::kb(3));
  EXPECT_EQ(config.get(kList), (StringList{"x", "y"}));
  EXPECT_EQ(config.get(kMap), (StringMap{{"k", "v"}, {"l", "w"}}));
  EXPECT_EQ(config.entries().at("a.wait").value, "1500 ms");
}

TEST(Configuration, MapsAreOneTextOrManyKeys) {
  Configuration config;
  config.set("a.map", "k:v, url:http://host:1");
  EXPECT_EQ(config.get(kMap), (StringMap{{"k", "v"}, {"url", "http://host:1"}}));
  Configuration nested;
  nested.set("a.map.k", "v");
  nested.set("a.map.l.m", "w");
  EXPECT_TRUE(nested.contains("a.map"));
  EXPECT_EQ(nested.get(kMap), (StringMap{{"k", "v"}, {"l.m", "w"}}));
}

TEST(Configuration, WrongValuesAreNamedWithTheirPlace) {
  const auto wrong = [](const auto& option, const char* value) {
    Configuration config;
    config.set(std::string(option.key), value, "conf/config.yaml:12");
    return errorText([&] { config.get(option); });
  };
  EXPECT_EQ(wrong(kFlag, "maybe"),
            "configuration a.flag = 'maybe' (conf/config.yaml:12): 'maybe' is not true or false");
  EXPECT_EQ(wrong(kCount, "3x"),
            "configuration a.count = '3x' (conf/config.yaml:12): '3x' is not a whole number");
  EXPECT_EQ(wrong(kCount, "0"), "configuration a.count = '0' (conf/config.yaml:12): it must be 1 to 10");
  EXPECT_EQ(
      wrong(kCount, "99999999999999999999"),
      "configuration a.count = '99999999999999999999' (conf/config.yaml:12): the number is out of range: "
      "'99999999999999999999' is not a whole number");
  EXPECT_EQ(wrong(kRatio, "nan"),
            "configuration a.ratio = 'nan' (conf/config.yaml:12): 'nan' is not a finite number");
  EXPECT_EQ(wrong(kChoice, "pink"),
            "configuration a.choice = 'pink' (conf/config.yaml:12): it must be RED, GREEN or BLUE");
  EXPECT_EQ(wrong(kWait, "-5 s"),
            "configuration a.wait = '-5 s' (conf/config.yaml:12): it must be at least 0 ms");
  EXPECT_EQ(wrong(kMemory, "1"),
            "configuration a.memory = '1' (conf/config.yaml:12): it must be at least 1 kb");
  EXPECT_EQ(wrong(kMap, "k"),
            "configuration a.map = 'k' (conf/config.yaml:12): 'k' is not a map, such as a:1,b:2");
}

TEST(Configuration, ATypedValueOutOfRangeIsRefusedAtOnce) {
  Configuration config;
  EXPECT_EQ(errorText([&] { config.set(kCount, 0); }),
            "configuration a.count = '0' (code): it must be 1 to 10");
  EXPECT_FALSE(config.contains("a.count"));
}

TEST(Configuration, WhatIsNeededAndUnsetIsNamed) {
  EXPECT_EQ(errorText([] { Configuration().get(kText); }),
            "configuration a.text is not set and has no default: give -D a.text=VALUE");
}

TEST(Configuration, LaterOnesWin) {
  Configuration file, command;
  file.set("a", "1", "f:1");
  file.set("b", "2", "f:2");
  command.set("b", "3", "-D");
  file.merge(command);
  EXPECT_EQ(file.entries().at("a").origin, "f:1");
  EXPECT_EQ(file.entries().at("b").value, "3");
  EXPECT_EQ(file.entries().at("b").origin, "-D");
}

TEST(OptionRegistry, UnknownKeysNameTheNearest) {
  const auto check = [](const char* key) {
    Configuration config;
    config.set(key, "1", "-D");
    return errorText([&] { standardOptions().check(config); });
  };
  EXPECT_EQ(check("paralelism.default"),
            "unknown configuration key 'paralelism.default' (-D): did you mean 'parallelism.default'?");
  EXPECT_EQ(check("parallelism"),
            "unknown configuration key 'parallelism' (-D): did you mean 'parallelism.default'?");
  EXPECT_EQ(check("buffers-per-channel"),
            "unknown configuration key 'buffers-per-channel' (-D): did you mean "
            "'taskmanager.network.memory.buffers-per-channel'?");
  EXPECT_EQ(check("x"), "unknown configuration key 'x' (-D)");
  EXPECT_EQ(check("parallelism.default"), "nothing was thrown");
  EXPECT_EQ(check("pipeline.global-job-parameters.any"), "nothing was thrown");
}

TEST(OptionRegistry, ChecksValuesToo) {
  Configuration config;
  config.set("parallelism.default", "0", "-D");
  EXPECT_EQ(errorText([&] { standardOptions().check(config); }),
            "configuration parallelism.default = '0' (-D): it must be 1 to 32768");
  Configuration batch;
  batch.set("execution.runtime-mode", "BATCH", "-D");
  EXPECT_EQ(
      errorText([&] { standardOptions().check(batch); }),
      "configuration execution.runtime-mode = 'BATCH' (-D): it must be STREAMING or AUTOMATIC. "
      "There is one way of execution, STREAMING, and AUTOMATIC chooses it. BATCH is refused: a bounded input "
      "gives its final results in STREAMING, too.");
}

TEST(OptionRegistry, HoldsFlinksDefaults) {
  const Configuration none;
  EXPECT_EQ(none.get(kDefaultParallelism), 1);
  EXPECT_EQ(none.get(kMaxParallelism), -1);
  EXPECT_EQ(none.get(kBufferTimeout), Duration::millis(100));
  EXPECT_EQ(none.get(kAutoWatermarkInterval), Duration::millis(200));
  EXPECT_EQ(none.get(kCancellationTimeout), Duration::seconds(180));
  EXPECT_EQ(none.get(kRuntimeMode), "STREAMING");
  EXPECT_EQ(none.get(kStateBackend), "hashmap");
  const OptionRegistry registry = standardOptions();
  for (const auto& [key, spec] : registry.options()) {
    EXPECT_TRUE(spec.description.ends_with('.')) << key;
  }
}

TEST(OptionRegistryDeathTest, TakesAKeyOnce) {
  OptionRegistry registry;
  registry.add(kFlag);
  EXPECT_DEATH(registry.add(kFlag), "option 'a.flag' was added twice");
}

TEST(MemorySize, IsReadAndPrinted) {
  EXPECT_EQ(parseMemorySize("64 MB"), MemorySize::mb(64));
  EXPECT_EQ(parseMemorySize(" 16k "), MemorySize::kb(16));
  EXPECT_EQ(parseMemorySize("512"), MemorySize(512));
  EXPECT_EQ(parseMemorySize("2 gibibytes"), MemorySize::mb(2048));
  EXPECT_EQ(parseMemorySize("1tb"), MemorySize::mb(1 << 20));
  EXPECT_EQ(toString(MemorySize::mb(64)), "64 mb");
  EXPECT_EQ(toString(MemorySize(1000)), "1000 bytes");
  EXPECT_EQ(toString(MemorySize()), "0 bytes");
  EXPECT_EQ(
      errorText([] { parseMemorySize("64 mm"); }),
      "'64 mm' is not an amount of memory: the unit is unknown; write a whole number and a unit, such as "
      "512 bytes, 16 kb, 64 mb, 1 gb");
  EXPECT_NE(errorText([] { parseMemorySize("mb"); }).find("it does not begin with a number"),
            std::string::npos);
  EXPECT_NE(errorText([] { parseMemorySize("99999999 tb"); }).find("the number is too large"),
            std::string::npos);
}

TEST(Nearest, CountsChanges) {
  EXPECT_EQ(editDistance("", "abc"), 3u);
  EXPECT_EQ(editDistance("abc", "ABC"), 0u);
  EXPECT_EQ(editDistance("abcd", "acbd"), 1u);
  EXPECT_EQ(editDistance("kitten", "sitting"), 3u);
  const std::string_view known[] = {"count", "sum", "minimum"};
  EXPECT_EQ(nearestOf("cuont", known), "count");
  EXPECT_EQ(nearestOf("mininum", known), "minimum");
  EXPECT_EQ(nearestOf("average", known), "");
}

}  // namespace
}  // namespace flott
