// What an environment does around its jobs: listeners, cached files, settings.
#include "flott/api/environment.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"

namespace flott {
namespace {

/// Writes down what it is told.
class Notes : public JobListener {
 public:
  explicit Notes(std::vector<std::string>& notes) : notes_(notes) {}
  void onJobSubmitted(JobClient* client, const Error* error) override {
    notes_.push_back("submitted: " + (error != nullptr ? std::string(error->what())
                                                       : std::string(toString(client->status()))));
  }
  void onJobExecuted(const JobExecutionResult* result, const Error* error) override {
    notes_.push_back("executed: " +
                     (error != nullptr ? std::string(error->what())
                                       : result->jobName() + " " + std::string(toString(result->status()))));
  }

 private:
  std::vector<std::string>& notes_;
};

TEST(JobListener, LearnsOfSubmissionAndEnd) {
  TestWorld world;
  auto env = world.environment();
  std::vector<std::string> notes;
  env.registerJobListener(std::make_shared<Notes>(notes));
  env.fromSequence(1, 10).print();
  env.execute("ten");
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_TRUE(notes[0] == "submitted: CREATED" || notes[0] == "submitted: RUNNING") << notes[0];
  EXPECT_EQ(notes[1], "executed: ten FINISHED");

  notes.clear();
  env.fromSequence(1, 10).map([](int64_t) -> int64_t { throw std::runtime_error("no"); }).print();
  EXPECT_NE(failure([&] { env.execute("bad"); }).find("no"), std::string::npos);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_TRUE(notes[1].starts_with("executed: job 'bad': ")) << notes[1];
}

TEST(JobListener, LearnsOfAJobThatCouldNotBeSubmitted) {
  TestWorld world;
  auto env = world.environment();
  std::vector<std::string> notes;
  env.registerJobListener(std::make_shared<Notes>(notes));
  env.fromSequence(1, 10);
  const std::string error = failure([&] { env.execute("loose"); });
  EXPECT_EQ(notes, std::vector<std::string>{"submitted: " + error});
}

TEST(JobListener, HearsOnlyOfTheSubmissionWhereNobodyWaits) {
  TestWorld world;
  auto env = world.environment();
  std::vector<std::string> notes;
  env.registerJobListener(std::make_shared<Notes>(notes));
  EXPECT_EQ(env.fromSequence(1, 3).executeAndCollect().size(), 3u);
  EXPECT_EQ(notes.size(), 1u);
}

/// Puts out what the cached file "words" holds, once for each record.
class FromCache : public ProcessFunction<int64_t, std::string> {
 public:
  explicit FromCache(std::string name) : name_(std::move(name)) {}
  void open(RuntimeContext& ctx) override { path_ = ctx.getCachedFile(name_); }
  void processElement(const int64_t&, Context&, Collector<std::string>& out) override { out.collect(path_); }

 private:
  std::string name_;
  std::string path_;
};

TEST(CachedFiles, AreFoundByName) {
  TestWorld world;
  world.sim().files().put("/data/words.txt", "to be");
  auto env = world.environment();
  env.registerCachedFile("/data/words.txt", "words");
  EXPECT_EQ(collected(env, env.fromElements<int64_t>({1}).process(FromCache("words"))),
            std::vector<std::string>{"/data/words.txt"});
  env.fromElements<int64_t>({1}).process(FromCache("wrods")).print();
  EXPECT_EQ(failure([&] { env.execute("slip"); }),
            "job 'slip': operator 'Process', subtask 1/1: no cached file 'wrods': did you mean 'words'?");
  env.fromElements<int64_t>({1}).process(FromCache("model")).print();
  EXPECT_EQ(failure([&] { env.execute("none"); }),
            "job 'none': operator 'Process', subtask 1/1: no cached file 'model': register it with the "
            "environment, registerCachedFile(path, \"model\")");
}

TEST(CachedFiles, AreCheckedWhenTheJobStarts) {
  TestWorld world;
  auto env = world.environment();
  env.registerCachedFile("/data/words.txt", "words");
  env.fromSequence(1, 3).print();
  EXPECT_EQ(failure([&] { env.execute(); }),
            "cached file 'words' is not there: no file or folder '/data/words.txt'");
}

TEST(CachedFiles, HaveOneNameEach) {
  auto env = TestWorld().environment();
  env.registerCachedFile("/a", "a").registerCachedFile("/b", "b").registerCachedFile("/a", "a");
  EXPECT_EQ(failure([&] { env.registerCachedFile("/c", "a"); }),
            "cached file 'a' is registered already, as '/a': give '/c' another name");
  EXPECT_EQ(failure([&] { env.registerCachedFile("/c", ""); }), "cached file '/c' has no name");
}

TEST(CachedFiles, AreAnOptionToo) {
  TestWorld world;
  world.sim().files().put("/m.bin", "m");
  auto env = world.environment();
  Configuration configuration;
  configuration.set("pipeline.cached-files.model", "/m.bin");
  env.configure(configuration);
  EXPECT_EQ(collected(env, env.fromElements<int64_t>({1}).process(FromCache("model"))),
            std::vector<std::string>{"/m.bin"});
}

TEST(Projection, TakesElementsOfTuplesAndMembers) {
  struct Click {
    std::string user;
    int64_t at = 0;
    double price = 0;
  };
  TestWorld world;
  auto env = world.environment();
  using Row = std::tuple<int64_t, std::string, double>;
  EXPECT_EQ(collected(env, env.fromElements<Row>({{1, "one", 1.5}, {2, "two", 2.5}}).project<2, 0>()),
            (std::vector<std::tuple<double, int64_t>>{{1.5, 1}, {2.5, 2}}));
  EXPECT_EQ(collected(env, env.fromElements<std::pair<int64_t, bool>>({{1, true}}).project<1>()),
            (std::vector<std::tuple<bool>>{{true}}));
  EXPECT_EQ(collected(env, env.fromElements<Click>({{"ann", 7, 2.5}}).project(&Click::price, &Click::user)),
            (std::vector<std::tuple<double, std::string>>{{2.5, "ann"}}));
}

TEST(Sockets, HavePortsInRange) {
  auto env = TestWorld().environment();
  EXPECT_EQ(failure([&] { env.socketTextStream("localhost", 99999); }),
            "port 99999 of 'localhost' is out of range: give a number from 1 to 65535");
  EXPECT_EQ(failure([&] { env.socketTextStream("localhost", 0); }),
            "port 0 of 'localhost' is out of range: give a number from 1 to 65535");
  const auto encode = [](int64_t number) { return std::to_string(number); };
  EXPECT_EQ(failure([&] { env.fromSequence(1, 2).writeToSocket("sink", -1, encode); }),
            "port -1 of 'sink' is out of range: give a number from 1 to 65535");
}

/// Warnings while the program runs, and those at its end.
std::pair<std::string, std::string> warnings(const std::vector<std::string>& arguments, bool async = false) {
  TestWorld world;
  auto log = [&, from = size_t{0}]() mutable {
    std::string text;
    const std::vector<std::string>& lines = world.sim().log().lines();
    for (; from < lines.size(); ++from) {
      if (lines[from].starts_with("WARN [parameters] ")) text += lines[from].substr(18) + "\n";
    }
    return text;
  };
  std::string before;
  {
    StreamExecutionEnvironment env(world.environment().host(), {}, Parameters::fromArgs(arguments));
    env.parameters().getInt("port", 1);
    env.parameters().has("input");
    for (int job = 0; job < 2; ++job) {
      env.fromSequence(1, 3).print();
      async ? env.executeAsync().result() : env.execute();
    }
    env.parameters().has("after");
    before = log();
  }
  return {before, log()};
}

TEST(UnreadParameters, SlipsAreNamedWhenTheJobStarts) {
  using Warnings = std::pair<std::string, std::string>;
  EXPECT_EQ(warnings({"--port", "7", "--input", "x", "--after", "y"}), Warnings("", ""));
  EXPECT_EQ(warnings({"--prot", "7"}),
            Warnings("--prot was given, but the program does not read it: did you mean --port?\n", ""));
}

TEST(UnreadParameters, OthersAreNamedOnceWhenTheProgramEnds) {
  using Warnings = std::pair<std::string, std::string>;
  for (const bool async : {false, true}) {
    EXPECT_EQ(warnings({"--colour", "7", "--inptu", "x"}, async),
              Warnings("--inptu was given, but the program does not read it: did you mean --input?\n",
                       "--colour was given, but the program does not read it\n"));
  }
}

TEST(GlobalJobParameters, AreSeenByEveryFunction) {
  struct Tell {
    std::string told;
    void open(RuntimeContext& ctx) {
      for (const auto& [key, value] : ctx.getGlobalJobParameters()) told += key + "=" + value + ";";
    }
    std::string operator()(int64_t) { return told; }
  };
  auto env = TestWorld().environment();
  const std::vector<std::string> arguments = {"--cities", "Ulm, Jena", "--who", "it's: me", "--verbose"};
  env.setGlobalJobParameters(Parameters::fromArgs(arguments));
  EXPECT_EQ(env.fromData<int64_t>({1}).map(Tell()).executeAndCollect(),
            std::vector<std::string>{"cities=Ulm, Jena;verbose=;who=it's: me;"});
}

TEST(RuntimeMode, BatchIsRefusedWithItsReason) {
  auto env = TestWorld().environment();
  env.setRuntimeMode(RuntimeExecutionMode::kAutomatic).setRuntimeMode(RuntimeExecutionMode::kStreaming);
  const std::string refused = failure([&] { env.setRuntimeMode(RuntimeExecutionMode::kBatch); });
  EXPECT_NE(refused.find("a bounded input gives its final results in STREAMING, too"), std::string::npos)
      << refused;
}

TEST(SlotSharing, ResourcesOfAGroupHoldForAllJobsAndAreGivenOnce) {
  auto env = TestWorld().environment();
  const SlotSharingGroup models{
      .name = "models",
      .resources = SlotResources{.cpuCores = 2, .taskMemory = MemorySize::mb(512), .managedMemory = {}}};
  const std::string inPlan =
      "Slot sharing group 'models': 1 slot of cpu 2, task memory 512 mb, managed memory 0 bytes";
  env.registerSlotSharingGroup(models);
  for (int job = 0; job < 2; ++job) {
    env.fromSequence(1, 3).slotSharingGroup("models").print().slotSharingGroup(models);
    EXPECT_NE(env.explain().find(inPlan), std::string::npos) << env.explain();
    env.execute();
  }
  SlotSharingGroup other = models;
  other.resources->cpuCores = 1;
  EXPECT_EQ(failure([&] { env.fromSequence(1, 3).slotSharingGroup(other); }),
            "slot sharing group 'models' is given cpu 1, task memory 512 mb, managed memory 0 bytes, but has "
            "cpu 2, task memory 512 mb, managed memory 0 bytes already: use another name, or the same "
            "resources");
  EXPECT_EQ(failure([&] { env.registerSlotSharingGroup({.name = "", .resources = {}}); }),
            "a slot sharing group has no name: give it one");
}

TEST(Settings, AreReachableByTheirKeys) {
  auto env = TestWorld().environment();
  Configuration configuration;
  configuration.set("parallelism.default", "3");
  configuration.set("pipeline.max-parallelism", "64");
  configuration.set("pipeline.operator-chaining.enabled", "false");
  configuration.set("pipeline.vertex-name-include-index-prefix", "true");
  configuration.set("pipeline.name", "by key");
  env.configure(configuration);
  env.fromSequence(1, 3).print();
  EXPECT_EQ(env.parallelism(), 3);
  const std::string plan = env.explain();
  EXPECT_NE(plan.find("Job 'by key' (vertices: 2, slots: 3)"), std::string::npos) << plan;
  EXPECT_NE(plan.find("[vertex-1]Sink: Print to Std. Out\n  parallelism 3, max parallelism 64"),
            std::string::npos)
      << plan;
}

TEST(Settings, TheMaxParallelismIsANumberOrFollowsFromTheParallelism) {
  auto env = TestWorld().environment();
  for (const int refused : {0, -1, 65536}) {
    EXPECT_EQ(failure([&] { env.setMaxParallelism(refused); }),
              "max parallelism " + std::to_string(refused) +
                  " of the environment is out of range: give a power of two from 1 to 32768");
  }
  Configuration configuration;
  configuration.set("pipeline.max-parallelism", "0");
  env.configure(configuration);
  env.fromSequence(1, 3).print();
  EXPECT_EQ(failure([&] { env.execute(); }),
            "pipeline.max-parallelism is 0: give a power of two from 1 to 32768, or -1 to derive it from the "
            "parallelism");
  configuration.set("pipeline.max-parallelism", "-1");
  env.configure(configuration);
  EXPECT_NE(env.explain().find("max parallelism 128"), std::string::npos) << env.explain();
}

/// The vertices of a job of three operators under these settings, as texts.
std::vector<std::string> vertices(const std::map<std::string, std::string>& settings) {
  Configuration configuration;
  for (const auto& [key, value] : settings) configuration.set(key, value);
  auto env = TestWorld().environment(configuration);
  env.fromSequence(1, 3).map([](int64_t x) { return x; }).setMaxParallelism(64).print();
  std::vector<std::string> texts;
  for (const JobVertex& vertex : compile(env.program()->graphWithSettings()).vertices)
    texts.push_back(vertex.description);
  return texts;
}

TEST(Settings, OfChainsAndTheirDescriptions) {
  EXPECT_EQ(vertices({}),
            std::vector<std::string>{"Source: Sequence Source\n+- Map\n   +- Sink: Print to Std. Out\n"});
  EXPECT_EQ(vertices({{"pipeline.vertex-description-mode", "CASCADING"}}),
            std::vector<std::string>{"Source: Sequence Source -> Map -> Sink: Print to Std. Out"});
  EXPECT_EQ(
      vertices({{"pipeline.operator-chaining.chain-operators-with-different-max-parallelism", "false"}}),
      (std::vector<std::string>{"Source: Sequence Source\n", "Map\n", "Sink: Print to Std. Out\n"}));
}

TEST(Settings, BuffersMayBeSentOnlyWhenTheyAreFull) {
  const auto timeout = [](const std::map<std::string, std::string>& settings) {
    Configuration configuration;
    for (const auto& [key, value] : settings) configuration.set(key, value);
    auto env = TestWorld().environment(configuration);
    env.fromSequence(1, 3).rebalance().print().setParallelism(2);
    return compile(env.program()->graphWithSettings()).edges.at(0).bufferTimeout.ms;
  };
  EXPECT_EQ(timeout({}), 100);
  EXPECT_EQ(timeout({{"execution.buffer-timeout.interval", "7ms"}}), 7);
  EXPECT_EQ(
      timeout({{"execution.buffer-timeout.interval", "7ms"}, {"execution.buffer-timeout.enabled", "false"}}),
      -1);
}

/// How many records each of two subtasks got of a rebalanced stream, under each seed.
std::vector<std::vector<int64_t>> shares(const std::map<std::string, std::string>& settings) {
  struct Tell {
    int64_t me = 0;
    void open(RuntimeContext& ctx) { me = ctx.subtaskIndex(); }
    int64_t operator()(int64_t) { return me; }
  };
  std::vector<std::vector<int64_t>> all;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Configuration configuration;
    configuration.set("taskmanager.network.memory.buffers-per-channel", "2");
    for (const auto& [key, value] : settings) configuration.set(key, value);
    TestWorld world(seed);
    auto env = world.environment(configuration);
    const auto subtasks =
        collected(env, env.fromSequence(1, 100'000).rebalance().map(Tell()).setParallelism(2));
    const int64_t second = std::count(subtasks.begin(), subtasks.end(), 1);
    all.push_back({static_cast<int64_t>(subtasks.size()) - second, second});
  }
  return all;
}

TEST(Settings, TheAdaptivePartitionerFollowsTheLoad) {
  const auto inTurn = shares({});
  EXPECT_NEAR(static_cast<double>(inTurn[0][0]), 50'000, 500);
  EXPECT_EQ(inTurn, std::vector<std::vector<int64_t>>(kSeeds, inTurn[0])) << "whatever the load";
  const auto adaptive = shares({{"taskmanager.network.adaptive-partitioner.enabled", "true"}});
  EXPECT_LT(std::count(adaptive.begin(), adaptive.end(), inTurn[0]), static_cast<int64_t>(kSeeds) / 2);
}

// The real threads for blocking work: two run, one waits, and there is no room for another.
TEST(Settings, OfBlockingWork) {
  Configuration configuration;
  configuration.set("flott.offload.threads", "2");
  configuration.set("flott.offload.queue", "1");
  const std::shared_ptr<ExecutionHost> host = makeRealHost(configuration);
  Offload& offload = host->env().offload;
  std::atomic<int> running{0};
  std::atomic<bool> stop{false};
  const auto work = [&] {
    ++running;
    running.notify_all();
    stop.wait(false);
  };
  for (int before = 0; before < 2; ++before) {
    ASSERT_TRUE(offload.submit("runs", work));
    running.wait(before);
  }
  EXPECT_TRUE(offload.submit("waits", work));
  EXPECT_FALSE(offload.submit("has no room", work));
  EXPECT_EQ(running, 2);
  stop = true;
  stop.notify_all();
  EXPECT_TRUE(offload.stop(Duration::seconds(60)).empty());
}

TEST(Plans, AreFlinksJsonToo) {
  auto env = TestWorld().environment();
  env.setParallelism(3);
  env.fromSequence(1, 3).keyBy([](int64_t x) { return x; }).map([](int64_t x) { return x; }).print();
  const auto plan = nlohmann::json::parse(env.executionPlan());
  ASSERT_EQ(plan["nodes"].size(), 3u);
  EXPECT_EQ(plan["nodes"][1]["type"], "Map");
  EXPECT_EQ(plan["nodes"][1]["parallelism"], 3);
  EXPECT_EQ(plan["nodes"][1]["predecessors"][0]["ship_strategy"], "HASH");
}

TEST(Sources, AParallelCollectionIsReadByAllSubtasks) {
  using Where = std::pair<int64_t, int64_t>;
  struct Tell {
    int64_t me = 0;
    void open(RuntimeContext& ctx) { me = ctx.subtaskIndex(); }
    Where operator()(int64_t x) { return {x, me}; }
  };
  std::vector<int64_t> values;
  for (int64_t value = 0; value < 3000; ++value) values.push_back(value);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(3);
    std::vector<int64_t> seen;
    std::set<int64_t> subtasks;
    for (const auto& [value, subtask] : collected(env, env.fromParallelCollection(values).map(Tell()))) {
      seen.push_back(value);
      subtasks.insert(subtask);
    }
    EXPECT_EQ(sorted(seen), values);
    EXPECT_EQ(subtasks.size(), 3u) << "seed " << seed;
  }
}

TEST(Sinks, PrintToStandardErrorAndWriteToASocket) {
  TestWorld world;
  world.sim().network().answer("sink", 9000, {.end = PeerEnd::kStaysOpen});
  auto env = world.environment();
  const auto numbers = env.fromSequence(1, 3);
  numbers.printToErr("n");
  numbers.writeToSocket("sink", 9000, [](const int64_t& number) { return std::to_string(number) + ";"; });
  env.execute();
  EXPECT_EQ(world.sim().console().errText(), "n> 1\nn> 2\nn> 3\n");
  EXPECT_EQ(world.sim().console().outText(), "");
  EXPECT_EQ(world.sim().network().received("sink", 9000), "1;2;3;");
}

TEST(UidHash, IsTheIdOfTheOperator) {
  auto env = TestWorld().environment();
  env.fromSequence(1, 3)
      .setUidHash("00000000deadbeef")
      .print()
      .setUidHash("0123456789abcdef")
      .setDescription("to the screen");
  const std::string plan = env.explain();
  EXPECT_NE(plan.find("[id 00000000deadbeef]"), std::string::npos) << plan;
  EXPECT_NE(plan.find("Sink: Print to Std. Out: to the screen [id 0123456789abcdef]"), std::string::npos)
      << plan;
  EXPECT_EQ(failure([&] { env.fromSequence(1, 3).setUidHash("beef"); }),
            "'beef' is no operator id: give the 16 hexadecimal digits that plans and errors show");
}

}  // namespace
}  // namespace flott
