// Jobs that start from savepoints which a program made, and programs that read what jobs wrote.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "flott/api/test_world.h"
#include "flott/flott.h"
#include "flott/savepoints/savepoint_reader.h"
#include "flott/savepoints/savepoint_writer.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

struct Word {
  std::string text;
  int64_t number = 0;
};

const ValueStateDescriptor<int64_t> kCount("count");
const ListStateDescriptor<int64_t> kRecent("recent");
const MapStateDescriptor<std::string, int64_t> kTags("tags");
const MapStateDescriptor<std::string, int64_t> kFactors("factors");

/// Counts a word times its factor, and says what else it remembers.
class Count : public KeyedBroadcastProcessFunction<std::string, Word, Word, std::string> {
 public:
  void open(RuntimeContext& context) override {
    count_ = context.state(kCount);
    recent_ = context.state(kRecent);
    tags_ = context.state(kTags);
  }
  void processElement(const Word& word, ReadOnlyContext& ctx, Collector<std::string>& out) override {
    const int64_t* factor = ctx.getBroadcastState(kFactors).get(word.text);
    count_.set(count_.get() + (factor != nullptr ? *factor : 1));
    recent_.add(word.number);
    out.collect(word.text + " " + std::to_string(count_.get()) + " " + std::to_string(recent_.get().size()) +
                " " + std::to_string(tags_.size()));
  }
  void processBroadcastElement(const Word& word, Context& ctx, Collector<std::string>&) override {
    ctx.getBroadcastState(kFactors).put(word.text, word.number);
  }
  void onTimer(Timestamp, OnTimerContext& ctx, Collector<std::string>& out) override {
    out.collect("timer of " + ctx.getCurrentKey());
  }

 private:
  ValueState<int64_t> count_;
  ListState<int64_t> recent_;
  MapState<std::string, int64_t> tags_;
};

/// Ten records a second: word 0 to word 4, in turns.
void build(StreamExecutionEnvironment& env, int64_t records) {
  const auto factors = env.fromCollection<Word>({}).uid("factors").broadcast(kFactors);
  env.fromGenerator<Word>(
         [](int64_t n) {
           return Word{"word " + std::to_string(n % 5), n};
         },
         {.count = records, .recordsPerSecond = 10})
      .uid("words")
      .keyBy(&Word::text)
      .connect(factors)
      .process(Count())
      .uid("counter")
      .print();
}

Configuration starting(const std::string& path, int parallelism) {
  Configuration configuration;
  configuration.set("parallelism.default", std::to_string(parallelism));
  configuration.set("execution.checkpointing.savepoint-dir", "/savepoints");
  if (!path.empty()) configuration.set("execution.state-recovery.path", path);
  return configuration;
}

std::set<std::string> printed(TestWorld& world) {
  std::set<std::string> lines;
  std::string text = world.sim().console().outText();
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = text.substr(at, end - at);
    lines.insert(line.substr(line.find("> ") == std::string::npos ? 0 : line.find("> ") + 2));
  }
  return lines;
}

std::map<std::string, int64_t> countsIn(TestWorld& world, const std::string& path) {
  std::map<std::string, int64_t> counts;
  SavepointReader(world.sim().env(), path)
      .keyedState<std::string>("counter", kCount,
                               [&](const std::string& word, int64_t n) { counts[word] = n; });
  return counts;
}

class SavepointJobs : public testing::TestWithParam<int> {};

TEST_P(SavepointJobs, StartFromWhatAProgramMade) {
  TestWorld world(static_cast<uint64_t>(GetParam()));
  SavepointWriter writer(world.sim().env(), "/made");
  const Timestamp soon = world.sim().clock().wallTime() + Duration(300);
  writer.keyed<std::string>("counter", [&](KeyedStateEditor<std::string>& state) {
    auto count = state.state(kCount);
    auto recent = state.state(kRecent);
    auto tags = state.state(kTags);
    for (int64_t i = 0; i < 4; ++i) {
      state.setCurrentKey("word " + std::to_string(i));
      count.set(100 * i);
      for (int64_t n = 0; n < i; ++n) recent.add(n);
      tags.put("a", i);
    }
    state.registerProcessingTimeTimer(soon);
  });
  writer.broadcastState("counter", kFactors, std::map<std::string, int64_t>{{"word 2", 7}});
  auto env = world.environment(starting(writer.write(), GetParam()));
  build(env, 5);
  env.execute();
  EXPECT_EQ(printed(world), (std::set<std::string>{"word 0 1 1 1", "word 1 101 2 1", "word 2 207 3 1",
                                                   "word 3 301 4 1", "word 4 1 1 0", "timer of word 3"}));
}

TEST_P(SavepointJobs, AreReadChangedAndStartedAgain) {
  TestWorld world(static_cast<uint64_t>(GetParam()));
  std::string saved;
  {
    auto env = world.environment(starting("", GetParam()));
    build(env, 1000);
    JobClient client = env.executeAsync();
    world.advance(2s);
    saved = client.triggerSavepoint();
    client.cancel();
    client.result();
  }
  const std::map<std::string, int64_t> before = countsIn(world, saved);
  ASSERT_EQ(before.size(), 5u);
  int64_t sum = 0;
  for (const auto& [word, n] : before) {
    EXPECT_TRUE(printed(world).contains(word + " " + std::to_string(n) + " " + std::to_string(n) + " 0"));
    sum += n;
  }
  EXPECT_GT(sum, 10);
  // A thousand more, under another name, and every list empty.
  SavepointWriter writer(world.sim().env(), "/changed");
  writer.copyFrom(saved);
  writer.keyed<std::string>("counter", [&](KeyedStateEditor<std::string>& state) {
    auto recent = state.state(kRecent);
    state.forEachKey(kCount, [&](const std::string&, ValueState<int64_t>& count) {
      count.set(count.get() + 1000);
      recent.clear();
    });
  });
  const std::string changed = writer.write();
  for (const FileInfo& file : world.sim().files().listFiles(saved)) world.sim().files().remove(file.path);
  auto env = world.environment(starting(changed, 5 - GetParam()));
  build(env, 1000);  // the source goes on behind what it had read
  env.execute();
  const std::set<std::string> lines = printed(world);
  for (const auto& [word, n] : before) {
    EXPECT_TRUE(lines.contains(word + " " + std::to_string(n + 1001) + " 1 0")) << word;
    EXPECT_TRUE(lines.contains(word + " 1200 " + std::to_string(200 - n) + " 0")) << word;
  }
}

INSTANTIATE_TEST_SUITE_P(Parallelism, SavepointJobs, testing::Values(1, 2, 4));

struct Sale {
  int64_t shop = 0;
  int64_t cents = 0;
};

// State of the engine's own operators has names that `flott state ls` shows.
TEST(SavepointsOfBuiltInOperators, AreRead) {
  TestWorld world;
  auto env = world.environment(starting("", 2));
  const auto sales = env.fromGenerator<Sale>(
      [](int64_t n) {
        return Sale{n % 3, n};
      },
      {.count = 1000, .recordsPerSecond = 100});
  sales.keyBy(&Sale::shop).sum(&Sale::cents).uid("sum").print();
  sales.keyBy(&Sale::shop)
      .window(TumblingProcessingTimeWindows::of(1h))
      .sum(&Sale::cents)
      .uid("hourly")
      .print();
  JobClient client = env.executeAsync();
  world.advance(1s);
  const std::string saved = client.triggerSavepoint();
  client.cancel();
  client.result();
  SavepointReader reader(world.sim().env(), saved);
  std::map<int64_t, int64_t> sums, hourly;
  reader.table<int64_t, int64_t>("sum", "sum", [&](int64_t shop, int64_t cents) { sums[shop] = cents; });
  reader.windowSlices<int64_t, int64_t>("hourly", [&](int64_t shop, Timestamp end, int64_t cents) {
    EXPECT_EQ(end.ms % 3'600'000, 0);
    hourly[shop] = cents;
  });
  EXPECT_EQ(sums.size(), 3u);
  EXPECT_EQ(hourly, sums);
}

}  // namespace
}  // namespace flott
