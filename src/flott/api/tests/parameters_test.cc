#include "flott/api/parameters.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

Parameters fromArgs(const Texts& arguments) { return Parameters::fromArgs(arguments); }

TEST(Parameters, AreReadFromArguments) {
  const Parameters p = fromArgs({"--input", "a.txt", "-n", "-5", "--ratio=0.5", "--verbose", "--wait",
                                 "2 min", "--off", "false", "--empty="});
  EXPECT_EQ(p.get("input"), "a.txt");
  EXPECT_EQ(p.getInt("n"), -5);
  EXPECT_EQ(p.getDouble("ratio"), 0.5);
  EXPECT_TRUE(p.getBool("verbose"));
  EXPECT_FALSE(p.getBool("off"));
  EXPECT_EQ(p.getDuration("wait"), Duration::seconds(120));
  EXPECT_EQ(p.get("empty"), "");
  EXPECT_EQ(p.size(), 7u);
  EXPECT_TRUE(p.has("verbose"));
  EXPECT_FALSE(p.has("quiet"));
}

TEST(Parameters, HaveFallbacks) {
  const Parameters p = fromArgs({"--n", "7"});
  EXPECT_EQ(p.get("x", "y"), "y");
  EXPECT_EQ(p.getInt("n", 1), 7);
  EXPECT_EQ(p.getInt("x", 1), 1);
  EXPECT_EQ(p.getDouble("x", 0.25), 0.25);
  EXPECT_TRUE(p.getBool("x", true));
  EXPECT_EQ(p.getDuration("x", Duration::seconds(1)), Duration::seconds(1));
}

TEST(Parameters, FaultsAreNamed) {
  EXPECT_EQ(errorText([] { fromArgs({"a.txt"}); }), "argument 'a.txt' belongs to no key: write --key a.txt");
  EXPECT_EQ(errorText([] { fromArgs({"--"}); }), "argument '--' has no key: write --key value");
  EXPECT_EQ(errorText([] { fromArgs({"--=x"}); }), "argument '--=x' has no key: write --key value");
  EXPECT_EQ(errorText([] { fromArgs({}).get("input"); }), "parameter 'input' is missing: give --input VALUE");
  EXPECT_EQ(errorText([] {
              fromArgs({"--inptu", "x"}).get("input");
            }),
            "parameter 'input' is missing: give --input VALUE (there is 'inptu': is that a slip?)");
  EXPECT_EQ(errorText([] {
              fromArgs({"--n", "many"}).getInt("n");
            }),
            "parameter 'n': 'many' is not a whole number");
  EXPECT_EQ(errorText([] {
              fromArgs({"--n", "many"}).getInt("n", 1);
            }),
            "parameter 'n': 'many' is not a whole number");
  EXPECT_EQ(errorText([] {
              fromArgs({"--b", "yes"}).getBool("b");
            }),
            "parameter 'b': 'yes' is not true or false");
}

TEST(Parameters, AreReadFromPropertiesFiles) {
  SimulatedEnv world(1);
  world.files().put("app.properties",
                    "# comment\n! comment\n\n  host = localhost\r\nport:9999\npath\t/tmp\nlong = one \\\n"
                    "   two\nescaped\\:key=a\\tb\\\\\nflag\n");
  const Parameters p = Parameters::fromPropertiesFile(world.files(), "app.properties");
  EXPECT_EQ(p.toMap(), (StringMap{{"host", "localhost"},
                                  {"port", "9999"},
                                  {"path", "/tmp"},
                                  {"long", "one two"},
                                  {"escaped:key", "a\tb\\"},
                                  {"flag", ""}}));
}

TEST(Parameters, AreReadFromTheEnvironment) {
  SimulatedEnv world(1);
  world.system().setEnvironment("APP_DB_URL", "host");
  const Texts keys = {"db.url", "db.user"};
  EXPECT_EQ(Parameters::fromEnvironment(world.system(), "APP", keys).toMap(),
            (StringMap{{"db.url", "host"}}));
}

TEST(Parameters, StrongerOnesReplace) {
  const Parameters merged = fromArgs({"--a", "1", "--b", "1"}).mergedWith(fromArgs({"--b", "2", "--c", "2"}));
  EXPECT_EQ(merged.toMap(), (StringMap{{"a", "1"}, {"b", "2"}, {"c", "2"}}));
}

ProgramArguments parse(Files& files, std::vector<const char*> argv) {
  argv.insert(argv.begin(), "program");
  return parseProgramArguments(static_cast<int>(argv.size()), argv.data(), files);
}

TEST(ProgramArguments, AreToldApart) {
  SimulatedEnv world(1);
  world.files().put("c.yaml", "parallelism.default: 2\npipeline.name: from the file\n");
  const ProgramArguments arguments =
      parse(world.files(),
            {"-D", "parallelism.default=4", "--config", "c.yaml", "-Dflott.lanes=1", "--port", "9", "--Dry"});
  EXPECT_EQ(arguments.configuration.get(kDefaultParallelism), 4);
  EXPECT_EQ(arguments.configuration.get(kJobName), "from the file");
  EXPECT_EQ(arguments.configuration.get(kLanes), 1);
  EXPECT_EQ(arguments.configuration.entries().at("pipeline.name").origin, "c.yaml:2");
  EXPECT_EQ(arguments.configuration.entries().at("flott.lanes").origin, "-D");
  EXPECT_EQ(arguments.parameters.toMap(), (StringMap{{"port", "9"}, {"Dry", ""}}));
}

TEST(ProgramArguments, OfSavepoints) {
  SimulatedEnv world(1);
  using Texts = std::vector<const char*>;
  for (const Texts& texts :
       {Texts{"-s", "/p", "-n", "--claim-mode", "CLAIM", "--n", "5"},
        Texts{"--n", "5", "--from-savepoint", "/p", "--claim-mode=CLAIM", "--allow-non-restored-state"},
        Texts{"-D", "execution.state-recovery.path=/other", "--from-savepoint=/p", "--claim-mode", "CLAIM",
              "--n", "5", "-n"}}) {
    const ProgramArguments arguments = parse(world.files(), texts);
    EXPECT_EQ(arguments.configuration.find(kRecoveryPath), "/p");
    EXPECT_TRUE(arguments.configuration.get(kIgnoreUnclaimedState));
    EXPECT_EQ(arguments.configuration.get(kClaimMode), "CLAIM");
    EXPECT_EQ(arguments.parameters.toMap(), (StringMap{{"n", "5"}}));
  }
  const ProgramArguments own = parse(world.files(), {"-n", "-5", "--name", "-n", "9"});
  EXPECT_FALSE(own.configuration.get(kIgnoreUnclaimedState)) << "-n with a value is the program's own";
  EXPECT_EQ(own.parameters.getInt("n"), 9);
  EXPECT_EQ(errorText([&] { parse(world.files(), {"-s"}); }), "argument '-s' is the last one: write -s PATH");
  EXPECT_EQ(errorText([&] { parse(world.files(), {"--claim-mode"}); }),
            "argument '--claim-mode' is the last one: write --claim-mode CLAIM");
}

TEST(ProgramArguments, FaultsAreNamed) {
  SimulatedEnv world(1);
  EXPECT_EQ(errorText([&] {
              parse(world.files(), {"-D", "x"});
            }),
            "argument '-D x' sets nothing: write -D key=value");
  EXPECT_EQ(errorText([&] { parse(world.files(), {"-D"}); }),
            "argument '-D' is the last one: write -D key=value");
  EXPECT_EQ(errorText([&] { parse(world.files(), {"--config"}); }),
            "argument '--config' is the last one: write --config FILE");
  EXPECT_EQ(errorText([&] { parse(world.files(), {"--config=no.yaml"}); }), "file 'no.yaml' does not exist");
}

TEST(Parameters, UnreadOnesAreKnownForAllCopies) {
  const Parameters p = fromArgs({"--input", "a", "--prot", "7", "--colour", "red"});
  const Parameters copy = p;
  const Parameters merged = p.mergedWith(fromArgs({"--top", "3"}));
  EXPECT_EQ(copy.get("input"), "a");
  EXPECT_EQ(merged.getInt("port", 9), 9);
  const std::vector<Parameters::Unread> unread = p.unread();
  ASSERT_EQ(unread.size(), 2u);
  EXPECT_EQ(unread[0].key, "colour");
  EXPECT_EQ(unread[0].nearest, "");
  EXPECT_EQ(unread[1].key, "prot");
  EXPECT_EQ(unread[1].nearest, "port");
  p.toMap();
  EXPECT_TRUE(p.unread().empty());
}

}  // namespace
}  // namespace flott
