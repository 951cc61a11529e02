// Savepoints of earlier versions can be read. tests/data/savepoints/v1 was written once by the program below,
// and is never to be written again: a format that changes gets a version of its own and a folder of its own
// here, and what is in the old ones stays readable. Runs in the root folder of the project.
//
// To write a savepoint of a new version: FLOTT_WRITE_SAVEPOINT=tests/data/savepoints/v2, with the folder
// absent, and
//   flott_cross_test --gtest_also_run_disabled_tests --gtest_filter='SavepointFormats.DISABLED_Write'
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "flott/api/test_world.h"
#include "flott/connectors/collect/collect_buffer.h"
#include "flott/flott.h"
#include "flott/operators/static_enumerator.h"
#include "flott/operators/typed_source.h"

namespace frozen {

/// A type with a codec of its own.
struct Tag {
  std::string text;
};

}  // namespace frozen

template <>
struct flott::Codec<frozen::Tag> {
  static constexpr std::string_view kName = "frozen-tag";
  static void encode(const frozen::Tag& value, ByteWriter& out) { out.string(value.text); }
  static void decode(ByteReader& in, frozen::Tag& value) { value.text = in.string(); }
};

namespace frozen {

using namespace flott;
using namespace std::chrono_literals;
using Texts = std::set<std::string>;

// --- What is stored: none of it may change ---

enum class Level : uint8_t { kLow, kHigh = 200 };

struct Address {
  std::string city;
  int32_t zip = 0;
};

struct Profile {
  std::string name;
  bool active = false;
  int8_t tiny = 0;
  uint16_t small = 0;
  int64_t visits = 0;
  float ratio = 0;
  double score = 0;
  Level level = Level::kLow;
  Timestamp seen;
  Duration stayed;
  std::optional<Address> home;
  std::vector<Address> others;
  std::array<int32_t, 3> marks{};
  std::map<std::string, int64_t> counts;
  std::unordered_map<int32_t, std::string> loose;
  std::set<std::string> words;
  std::variant<int64_t, std::string> last;
  std::pair<int32_t, std::string> pair;
};

struct Average {
  int64_t sum = 0;
  int64_t count = 0;
};

struct Key {
  std::string user;
  int32_t shard = 0;
  bool operator==(const Key&) const = default;
};

struct Event {
  int64_t n = 0;
  Key key;
};

struct Rule {
  std::string name;
  int64_t limit = 0;
};

struct Numbers {
  int64_t next = 0;
  std::string splitId() const { return "numbers"; }
};

/// What was stored for a number.
Profile profileOf(int64_t n) {
  Profile p;
  p.name = "user " + std::to_string(n);
  p.active = n % 2 == 1;
  p.tiny = static_cast<int8_t>(-n);
  p.small = static_cast<uint16_t>(n * 600);
  p.visits = n * 1'000'000'007;
  p.ratio = static_cast<float>(n) / 4;
  p.score = static_cast<double>(n) / 8;
  p.level = n % 3 == 0 ? Level::kHigh : Level::kLow;
  p.seen = Timestamp(1'700'000'000'000 + n);
  p.stayed = Duration::millis(n);
  if (n % 4 != 0) p.home = Address{"city " + std::to_string(n % 5), static_cast<int32_t>(n)};
  for (int64_t i = 0; i < n % 3; ++i) p.others.push_back({"other", static_cast<int32_t>(i)});
  p.marks = {static_cast<int32_t>(n), 0, -1};
  p.counts = {{"a", n}, {"b", 2 * n}};
  p.loose = {{static_cast<int32_t>(n), "x"}};
  p.words = {"one", "two"};
  if (n % 2 == 0) p.last = "text";
  p.pair = {7, "seven"};
  return p;
}

// --- The program ---

constexpr int64_t kStored = 100;  // numbers before the savepoint
constexpr int64_t kUsers = 5;

Event eventOf(int64_t n) {
  return {n, {"user " + std::to_string(n % kUsers), static_cast<int32_t>(n % kUsers)}};
}
/// A tenth of a second apart; the last comes an hour later, so that everything fires.
int64_t timeOf(int64_t n) { return n * 100 + (n >= kStored + kUsers ? 3'600'000 : 0); }

class NumbersReader final : public SequentialReader<int64_t, Numbers> {
 public:
  explicit NumbersReader(int64_t until) : until_(until) {}

 private:
  Poll read(Numbers& numbers, SourceOutput<int64_t>& out) override {
    if (numbers.next < until_) out.collect(numbers.next++);
    return numbers.next < until_ ? Poll::kMore : Poll::kIdle;
  }

  int64_t until_;
};

/// From 0 on; then it waits.
class NumbersUntil final : public Source<int64_t, Numbers> {
 public:
  explicit NumbersUntil(int64_t until) : until_(until) {}
  Boundedness boundedness() const override { return Boundedness::kContinuousUnbounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    return std::make_unique<StaticEnumerator<Numbers>>(Handout::kOnRequest, restored.value_or(State(1)));
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<NumbersReader>(until_); }

 private:
  int64_t until_;
};

struct Averaging {
  Average createAccumulator() const { return {}; }
  void add(const int64_t& n, Average& average) const {
    average.sum += n;
    ++average.count;
  }
  std::string getResult(const Average& average) const { return toText(average); }
};

/// All kinds of keyed state and timers: written before the savepoint, told after it.
class EveryState : public KeyedProcessFunction<Key, Event, std::string> {
 public:
  void open(RuntimeContext& ctx) override {
    const StateTtl day = StateTtl::after(24h);
    value_ = ctx.state(ValueStateDescriptor<Profile>("value"));
    tag_ = ctx.state(ValueStateDescriptor<Tag>("tag"));
    list_ = ctx.state(ListStateDescriptor<Profile>("list"));
    map_ = ctx.state(MapStateDescriptor<int64_t, std::string>("map"));
    sum_ = ctx.state(ReducingStateDescriptor<int64_t>("sum", std::plus<int64_t>()));
    average_ = ctx.state(AggregatingStateDescriptor<int64_t, Average, std::string>("average", Averaging()));
    expiringValue_ = ctx.state(ValueStateDescriptor<std::string>("expiring value").ttl(day));
    expiringList_ = ctx.state(ListStateDescriptor<int64_t>("expiring list").ttl(day));
    expiringMap_ = ctx.state(MapStateDescriptor<std::string, int64_t>("expiring map").ttl(day));
  }

  void processElement(const Event& event, Context& ctx, Collector<std::string>& out) override {
    if (event.n >= kStored) {
      if (event.n < kStored + kUsers) tell(event, out);
      return;
    }
    value_.set(profileOf(event.n));
    tag_.set({"tag " + std::to_string(event.n)});
    if (event.n >= kStored - 2 * kUsers) list_.add(profileOf(event.n));
    if (event.n % 3 == 0) map_.put(event.n, "at " + std::to_string(event.n));
    sum_.add(event.n);
    average_.add(event.n);
    expiringValue_.set("last " + std::to_string(event.n));
    if (event.n % 7 == 0) expiringList_.add(event.n);
    if (event.n % 5 == event.n % 2) expiringMap_.put(std::to_string(event.n), event.n);
    if (event.n < kUsers) {
      ctx.timerService().registerEventTimeTimer(Timestamp(60'000 + event.n));
      ctx.timerService().registerProcessingTimeTimer(ctx.timerService().currentProcessingTime() +
                                                     Duration::millis(3'600'000 + event.n));
    }
  }

  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<std::string>& out) override {
    const bool eventTime = ctx.timeDomain() == TimeDomain::kEventTime;
    out.collect(ctx.getCurrentKey().user + (eventTime ? " at " + std::to_string(at.ms) : " an hour later"));
  }

 private:
  void tell(const Event& event, Collector<std::string>& out) {
    const std::string& user = event.key.user;
    out.collect(user + " value " + toText(value_.get()));
    out.collect(user + " tag " + tag_.get().text);
    for (const Profile& profile : list_.get()) out.collect(user + " list " + toText(profile));
    for (const auto& [n, text] : map_.entries()) out.collect(user + " map " + std::to_string(n) + " " + text);
    out.collect(user + " sum " + std::to_string(*sum_.get()) + " average " + *average_.get());
    out.collect(user + " expiring " + expiringValue_.get());
    for (const int64_t n : expiringList_.get()) out.collect(user + " expiring list " + std::to_string(n));
    for (const auto& [text, n] : expiringMap_.entries()) out.collect(user + " expiring map " + text);
  }

  ValueState<Profile> value_;
  ValueState<Tag> tag_;
  ListState<Profile> list_;
  MapState<int64_t, std::string> map_;
  ReducingState<int64_t> sum_;
  AggregatingState<int64_t, Average, std::string> average_;
  ValueState<std::string> expiringValue_;
  ListState<int64_t> expiringList_;
  MapState<std::string, int64_t> expiringMap_;
};

const MapStateDescriptor<std::string, Rule> kRules("rules");

class WithRules : public BroadcastProcessFunction<Event, Rule, std::string> {
 public:
  void processElement(const Event& event, ReadOnlyContext& ctx, Collector<std::string>& out) override {
    if (event.n < kStored) return;
    for (const auto& [name, rule] : ctx.getBroadcastState(kRules).entries())
      out.collect("rule " + toText(rule));
  }
  void processBroadcastElement(const Rule& rule, Context& ctx, Collector<std::string>&) override {
    ctx.getBroadcastState(kRules).put(rule.name, rule);
  }
};

/// Lists of an operator. It gets all events in each subtask, and keeps its share of them.
class Lists final : public Operator {
 public:
  void open(OperatorContext& context) override {
    context_ = &context;
    split_ = &context.operatorState().list<Event>("split");
    union_ = &context.operatorState().unionList<Profile>("union");
    out_.open(context.pools());
  }
  Step onBatch(int, Batch batch, Output& output) override {
    out_.start(output, false);
    for (const Event& event : batch.rows<Event>()) {
      if (event.n >= kStored) {
        tell();
      } else if (event.n % context_->info().parallelism == context_->info().subtask.value) {
        if (event.n % 10 == 0) split_->add(event);
        if (event.n % 25 == 0) union_->add(profileOf(event.n));
      }
    }
    out_.flush();
    return Step::kDone;
  }

 private:
  void tell() {
    for (const Event& event : split_->get()) out_.emplace("split " + toText(event));
    for (const Profile& profile : union_->get()) out_.emplace("union " + toText(profile));
  }

  OperatorContext* context_ = nullptr;
  OperatorListState<Event>* split_ = nullptr;
  OperatorListState<Profile>* union_ = nullptr;
  Collector<std::string> out_;
};

using Strings = DataStream<std::string>;

Strings build(StreamExecutionEnvironment& env, int64_t until) {
  const auto times = WatermarkStrategy<Event>::forMonotonousTimestamps().withTimestampAssigner(
      [](const Event& event) { return timeOf(event.n); });
  const DataStream<Event> events = env.fromSource(sourceOf(NumbersUntil(until), "numbers"))
                                       .uid("numbers")
                                       .map(eventOf)
                                       .assignTimestampsAndWatermarks(times)
                                       .uid("times");
  const auto keyed = events.keyBy(&Event::key);
  const auto plus = [](const Event& a, const Event& b) { return Event{a.n + b.n, a.key}; };
  const auto text = [](const char* what) {
    return [what](const Event& sum) { return what + (" " + sum.key.user) + " " + std::to_string(sum.n); };
  };
  const Strings states = keyed.process(EveryState()).uid("states");
  const Strings tumbling =
      keyed.window(TumblingEventTimeWindows::of(60s)).reduce(plus).uid("tumbling").map(text("tumbling"));
  const Strings sessions =
      keyed.window(EventTimeSessionWindows::withGap(30s)).reduce(plus).uid("sessions").map(text("session"));
  const Strings counted = keyed.countWindow(11).reduce(plus).uid("counted").map(text("counted"));
  const Strings rules =
      events.connect(env.fromElements<Rule>({{"z", 1}, {"a", 2}}).uid("rules").broadcast(kRules))
          .process(WithRules())
          .uid("with rules");
  const Strings lists =
      events.broadcast().transform<std::string>("Lists", operatorFactory<Lists>()).uid("lists");
  return states.unionWith(tumbling, sessions, counted, rules, lists);
}

/// What a job puts out that is restored from the savepoint.
Texts expected() {
  Texts all;
  std::map<std::string, int64_t> sums, before;
  for (int64_t n = 0; n < kStored + kUsers; ++n) {
    const std::string user = eventOf(n).key.user;
    sums[user] += n;
    if (n < kStored) before[user] += n;
  }
  for (int64_t u = 0; u < kUsers; ++u) {
    const std::string user = "user " + std::to_string(u);
    const int64_t last = kStored - kUsers + u;
    all.insert(user + " value " + toText(profileOf(last)));
    all.insert(user + " tag tag " + std::to_string(last));
    all.insert(user + " list " + toText(profileOf(last - kUsers)));
    all.insert(user + " list " + toText(profileOf(last)));
    for (int64_t n = u; n < kStored; n += kUsers) {
      if (n % 3 == 0) all.insert(user + " map " + std::to_string(n) + " at " + std::to_string(n));
      if (n % 7 == 0) all.insert(user + " expiring list " + std::to_string(n));
      if (n % 5 == n % 2) all.insert(user + " expiring map " + std::to_string(n));
    }
    all.insert(user + " sum " + std::to_string(before[user]) + " average " +
               toText(Average{before[user], kStored / kUsers}));
    all.insert(user + " expiring last " + std::to_string(last));
    all.insert(user + " at " + std::to_string(60'000 + u));
    all.insert(user + " an hour later");
    all.insert("tumbling " + user + " " + std::to_string(sums[user]));
    all.insert("session " + user + " " + std::to_string(sums[user]));
  }
  // Of 20 that were there before, 9 waited for their window to be full; only user 0 gets two more.
  int64_t full = 0;
  for (int64_t i = 11; i < 22; ++i) full += i * kUsers;
  all.insert("counted user 0 " + std::to_string(full));
  all.insert("rule " + toText(Rule{"z", 1}));
  all.insert("rule " + toText(Rule{"a", 2}));
  for (int64_t n = 0; n < kStored; ++n) {
    if (n % 10 == 0) all.insert("split " + toText(eventOf(n)));
    if (n % 25 == 0) all.insert("union " + toText(profileOf(n)));
  }
  return all;
}

Configuration at(int parallelism) {
  Configuration configuration;
  configuration.set("parallelism.default", std::to_string(parallelism));
  configuration.set("execution.checkpointing.data-inline-threshold", "4 kb");
  return configuration;
}

Texts restored(const std::string& folder, Configuration configuration) {
  TestWorld world;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(file.path(), std::ios::binary);
    std::stringstream content;
    content << in.rdbuf();
    world.sim().files().put("/moved/" + file.path().filename().string(), content.str());
  }
  configuration.set("execution.state-recovery.path", "/moved");
  auto env = world.environment(configuration);
  CollectBuffer<std::string> results(size_t{1} << 30);
  build(env, kStored + kUsers + 1).transformToSink("Collect", results.sink());
  JobClient client = env.executeAsync("after");
  world.advance(Duration::seconds(7200));
  client.cancel();
  client.result();
  const std::vector<std::string> all = results.takeAll();
  return {all.begin(), all.end()};
}

TEST(SavepointFormats, Version1CanBeRead) {
  const std::string folder = "tests/data/savepoints/v1";
  EXPECT_EQ(restored(folder, at(1)), expected());
  EXPECT_EQ(restored(folder, at(3)), expected());
  Configuration onDisk = at(2);
  onDisk.set("state.backend.type", "rocksdb");
  onDisk.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-savepoint-formats");
  EXPECT_EQ(restored(folder, onDisk), expected());
}

// Whoever fails here has written the data anew: that hides a format that cannot be read any more. Put it
// back, and write a savepoint of the new version beside it.
TEST(SavepointFormats, Version1IsAsItWasWritten) {
  std::map<std::string, std::string> files;
  for (const auto& file : std::filesystem::directory_iterator("tests/data/savepoints/v1")) {
    std::ifstream in(file.path(), std::ios::binary);
    std::stringstream content;
    content << in.rdbuf();
    files[file.path().filename().string()] = content.str();
  }
  std::string all;
  for (const auto& [name, content] : files) (all += name) += content;
  EXPECT_LT(all.size(), 100'000u);
  EXPECT_EQ(toString(OperatorId(hashBytes(all))), "8d97f9ab5fa397d5");
}

TEST(SavepointFormats, DISABLED_Write) {
  const char* folder = std::getenv("FLOTT_WRITE_SAVEPOINT");
  ASSERT_NE(folder, nullptr) << "see the head of this file";
  ASSERT_FALSE(std::filesystem::exists(folder)) << folder << " is there: it is never written again";
  TestWorld world;
  auto env = world.environment(at(2));
  build(env, kStored).print();
  JobClient client = env.executeAsync("before");
  world.advance(Duration::seconds(1));
  const std::string savepoint = client.triggerSavepoint("/savepoints");
  client.cancel();
  client.result();
  std::filesystem::create_directories(folder);
  for (const FileInfo& file : world.sim().files().listFiles(savepoint)) {
    const std::string content = world.sim().files().content(file.path);
    std::ofstream(folder + file.path.substr(savepoint.size()), std::ios::binary) << content;
  }
}

}  // namespace frozen
