// Programs that go on from savepoints of others: with operators more or less, in another order, with state of
// other types, with more key groups; and what users read where that does not fit.
#include <functional>
#include <map>

#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"
#include "flott/operators/static_enumerator.h"

namespace flott::savepoint_jobs_test {
namespace {

constexpr int64_t kKeys = 7;

struct Numbers {
  int64_t next = 0;
  std::string splitId() const { return "numbers"; }
};

class NumbersReader final : public SequentialReader<int64_t, Numbers> {
 public:
  NumbersReader(int64_t until, bool ends) : until_(until), ends_(ends) {}

 private:
  Poll read(Numbers& numbers, SourceOutput<int64_t>& out) override {
    if (numbers.next < until_) out.collect(numbers.next++);
    return numbers.next < until_ ? Poll::kMore : ends_ ? Poll::kEnd : Poll::kIdle;
  }

  int64_t until_;
  bool ends_;
};

/// From 0 on. One that does not end waits behind its last.
class NumbersUntil final : public Source<int64_t, Numbers> {
 public:
  NumbersUntil(int64_t until, bool ends) : until_(until), ends_(ends) {}
  Boundedness boundedness() const override { return Boundedness::kContinuousUnbounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    return std::make_unique<StaticEnumerator<Numbers>>(Handout::kOnRequest, restored.value_or(State(1)));
  }
  std::unique_ptr<Reader> createReader() const override {
    return std::make_unique<NumbersReader>(until_, ends_);
  }

 private:
  int64_t until_;
  bool ends_;
};

using Texts = std::vector<std::string>;
using Stream = DataStream<int64_t>;
using Build = std::function<Stream(const Stream&)>;

// Counts and sums by key; a record says how far it is.
template <typename Tally>
class Tallying : public KeyedProcessFunction<int64_t, int64_t, int64_t> {
 public:
  void open(RuntimeContext& ctx) override { tally_ = ctx.state(ValueStateDescriptor<Tally>("tally")); }
  void processElement(const int64_t& n, Context&, Collector<int64_t>& out) override {
    Tally tally = tally_.get();
    tally.sum += n;
    tally_.set(tally);
    out.collect(static_cast<int64_t>(tally.sum));
  }

 private:
  ValueState<Tally> tally_;
};
struct Tally {
  int64_t sum = 0;
};
struct TallyAndMore {
  std::string name = "none";
  int64_t sum = 0;
};
struct TallyOfDoubles {
  double sum = 0;
};

template <typename T = Tally>
Stream tallied(const Stream& in, const std::string& uid) {
  return in.keyBy([](const int64_t& n) { return n % kKeys; }).process(Tallying<T>()).name(uid).uid(uid);
}
Stream passed(const Stream& in, const std::string& uid) {
  return in.map([](int64_t n) { return n; }).name(uid).uid(uid);
}

class SavepointJobs : public testing::Test {
 protected:
  static Configuration at(int parallelism) {
    Configuration configuration;
    configuration.set("parallelism.default", std::to_string(parallelism));
    configuration.set("execution.checkpointing.savepoint-dir", "/savepoints");
    return configuration;
  }

  /// Of a job that has read so many numbers.
  std::string savepoint(const Build& build, int64_t numbers = 500, int parallelism = 2) {
    auto env = world_.environment(at(parallelism));
    build(source(env, numbers, false)).print();
    JobClient client = env.executeAsync("before");
    world_.runUntilIdle();
    const std::string path = client.triggerSavepoint();
    client.cancel();
    EXPECT_EQ(client.result().status(), JobStatus::kCancelled);
    return path;
  }

  /// What the job puts out when it reads 100 numbers more.
  Texts results(const std::string& path, const Build& build, Configuration configuration = at(3)) {
    configuration.set("execution.state-recovery.path", path);
    auto env = world_.environment(std::move(configuration));
    const std::vector<int64_t> all = sorted(collected(env, build(source(env, 600, true))));
    Texts texts;
    for (const int64_t result : all) texts.push_back(std::to_string(result));
    return texts;
  }

  static Texts expected() {
    std::map<int64_t, int64_t> sums;
    std::vector<int64_t> all;
    for (int64_t n = 0; n < 600; ++n) {
      const int64_t sum = sums[n % kKeys] += n;
      if (n >= 500) all.push_back(sum);
    }
    std::sort(all.begin(), all.end());
    Texts texts;
    for (const int64_t result : all) texts.push_back(std::to_string(result));
    return texts;
  }

  std::string refusal(const std::string& path, const Build& build, Configuration configuration = at(3)) {
    return failure([&] { results(path, build, std::move(configuration)); });
  }

  static Stream source(StreamExecutionEnvironment& env, int64_t until, bool ends) {
    return env.fromSource(sourceOf(NumbersUntil(until, ends), "numbers")).uid("numbers");
  }

  TestWorld world_;
};

Stream tally(const Stream& in) { return tallied(in, "tally"); }

TEST_F(SavepointJobs, GoOnWhereTheSavepointWas) {
  const std::string path = savepoint(tally);
  EXPECT_TRUE(path.starts_with("/savepoints/savepoint-")) << path;
  EXPECT_EQ(results(path, tally), expected());
  EXPECT_EQ(results(path + "/_metadata", tally, at(1)), expected());
  EXPECT_EQ(results("file://" + path + "/", tally, at(2)), expected()) << "as often as one likes";
}

TEST_F(SavepointJobs, OperatorsMayComeAndMove) {
  const std::string path = savepoint([](const Stream& in) { return tallied(passed(in, "first"), "tally"); });
  EXPECT_EQ(results(path,
                    [](const Stream& in) {
                      return passed(tallied(passed(passed(in, "new"), "other"), "tally"), "first");
                    }),
            expected());
}

TEST_F(SavepointJobs, StateOfOperatorsThatAreGoneIsAnErrorUnlessAllowed) {
  const std::string path = savepoint([](const Stream& in) {
    return tallied(tallied(in, "dropped"), "tally").filter([](int64_t) { return true; });
  });
  const Build without = [](const Stream& in) { return tallied(in, "renamed"); };
  EXPECT_EQ(
      refusal(path, without),
      "job 'test': savepoint 1 in '" + path +
          "' has state of operator 'dropped' (uid 'dropped'), which the job does not have: give the operator "
          "that continues it this uid, or drop the state with --allow-non-restored-state "
          "(execution.state-recovery.ignore-unclaimed-state: true)");
  Configuration allowed = at(3);
  allowed.set("execution.state-recovery.ignore-unclaimed-state", "true");
  EXPECT_EQ(results(path, without, allowed).size(), 100u);
}

TEST_F(SavepointJobs, StateMayChangeItsType) {
  const std::string path = savepoint(tally);
  EXPECT_EQ(results(path, [](const Stream& in) { return tallied<TallyAndMore>(in, "tally"); }), expected());
  EXPECT_EQ(refusal(
                path, [](const Stream& in) { return tallied<TallyOfDoubles>(in, "tally"); }, at(1)),
            "job 'test': operator 'tally' (uid 'tally'), subtask 1/1: state 'tally' does not fit the "
            "snapshot: field "
            "'sum' was int64 and is now double. Keep the field's type, or give it another name: it then "
            "begins with "
            "its default");
}

TEST_F(SavepointJobs, KeysMayNotChangeTheirType) {
  const std::string path = savepoint(tally);
  struct ByText : KeyedProcessFunction<std::string, int64_t, int64_t> {
    void open(RuntimeContext& ctx) override { tally_ = ctx.state(ValueStateDescriptor<Tally>("tally")); }
    void processElement(const int64_t&, Context&, Collector<int64_t>&) override {}
    ValueState<Tally> tally_;
  };
  EXPECT_EQ(
      refusal(
          path,
          [](const Stream& in) {
            return in.keyBy([](const int64_t& n) { return std::to_string(n % kKeys); })
                .process(ByText())
                .name("tally")
                .uid("tally");
          },
          at(1)),
      "job 'test': operator 'tally' (uid 'tally'), subtask 1/1: the snapshot has keys of type int64, the "
      "program "
      "of type string: the type of a key cannot change; give the operator another uid to start without this "
      "state");
}

TEST_F(SavepointJobs, KeyGroupsMayBecomeMoreOrFewer) {
  const std::string path = savepoint(tally);
  for (const char* groups : {"1024", "4", "128"}) {
    Configuration configuration = at(3);
    configuration.set("pipeline.max-parallelism", groups);
    EXPECT_EQ(results(path, tally, configuration), expected()) << groups;
  }
}

TEST_F(SavepointJobs, GoOnOnAnotherBackend) {
  const std::string path = savepoint(tally);
  Configuration configuration = at(3);
  configuration.set("state.backend.type", "rocksdb");
  configuration.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-savepoint-jobs");
  EXPECT_EQ(results(path, tally, configuration), expected());
}

TEST_F(SavepointJobs, BelongToTheUserUnlessClaimed) {
  const std::string path = savepoint(tally);
  world_.sim().files().put("/savepoints/chk-9/task-0-0", "of somebody else");
  Configuration configuration = at(2);
  configuration.set("execution.checkpointing.dir", "/checkpoints");
  configuration.set("execution.checkpointing.interval", "10 ms");
  const auto goOn = [&] {
    configuration.set("execution.state-recovery.path", path);
    auto env = world_.environment(configuration);
    tally(source(env, 600, false)).print();
    JobClient client = env.executeAsync("after");
    world_.advance(Duration::millis(100));
    client.cancel();
    return client.result().details().checkpoints.completed;
  };
  EXPECT_GT(goOn(), 2);
  EXPECT_TRUE(world_.sim().files().stat(path + "/_metadata")) << "NO_CLAIM";
  configuration.set("execution.state-recovery.claim-mode", "CLAIM");
  EXPECT_GT(goOn(), 2);
  EXPECT_FALSE(world_.sim().files().stat(path + "/_metadata")) << "newer ones were complete";
  EXPECT_TRUE(world_.sim().files().stat("/savepoints/chk-9/task-0-0"))
      << "what lies beside it is not the job's";
  EXPECT_EQ(refusal(path, tally), "job 'test': no checkpoint at '" + path + "': there is no file '" + path +
                                      "/_metadata'. Give the folder of a completed checkpoint or savepoint, "
                                      "one with a _metadata file in it");
}

TEST_F(SavepointJobs, OfALaterVersionAreRefused) {
  const std::string path = savepoint(tally);
  std::string bytes = world_.sim().files().content(path + "/_metadata");
  bytes[8] = 9;
  bytes.resize(bytes.size() - 8);
  const uint64_t checksum = hashBytes(bytes);
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  world_.sim().files().put(path + "/_metadata", bytes);
  EXPECT_EQ(refusal(path, tally), "job 'test': file '" + path +
                                      "/_metadata': the metadata has format 9, and this program reads "
                                      "formats up to 4: a newer version of "
                                      "Flott has written it. Build the program with that version or a later "
                                      "one, or start from a savepoint "
                                      "of this version");
}

TEST_F(SavepointJobs, NeedAFolder) {
  auto env = world_.environment();
  tally(source(env, 10, false)).print();
  JobClient client = env.executeAsync("job");
  world_.runUntilIdle();
  EXPECT_EQ(failure([&] { client.triggerSavepoint(); }),
            "no savepoint was triggered: nothing says where to. Give triggerSavepoint() a folder, or set "
            "execution.checkpointing.savepoint-dir");
  EXPECT_TRUE(client.triggerSavepoint("/here").starts_with("/here/savepoint-"));
  EXPECT_EQ(client.status(), JobStatus::kRunning);
  EXPECT_EQ(client.checkpoints().completed, 1);
}

}  // namespace
}  // namespace flott::savepoint_jobs_test
