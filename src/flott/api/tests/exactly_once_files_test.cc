// Files of a FileSink hold the job's output once, each record whole, wherever and however the job fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>

#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/master/embedded_job.h"
#include "flott/operators/tests/number_ranges.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

struct Number {
  int64_t key = 0;
  int64_t value = 0;
  int64_t seen = 0;  // how many of its key came before it
};

/// Numbers them by key, so that state and files belong together.
class CountSeen final : public KeyedProcessFunction<int64_t, Number, Number> {
 public:
  void open(RuntimeContext& context) override {
    seen_ = context.state(ValueStateDescriptor<int64_t>("seen"));
  }
  void processElement(const Number& number, Context&, Collector<Number>& out) override {
    out.collect({number.key, number.value, seen_.get()});
    seen_.set(seen_.get() + 1);
  }

 private:
  ValueState<int64_t> seen_;
};

constexpr int64_t kCount = 1500;
constexpr int64_t kKeys = 7;

/// Outside of the jobs.
struct Crashes {
  int64_t untilCrash = 0;  // records; 0: never
};

std::string folderOf(const Number& number) { return "key-" + std::to_string(number.key % 3); }

bool isParquet(uint64_t seed) { return seed % 3 == 2; }
bool isCompacted(uint64_t seed) { return seed % 2 == 1; }
bool isInStore(uint64_t seed) { return seed % 5 > 2; }

/// As the seed likes it.
template <typename Sink>
auto shaped(const Sink& sink, uint64_t seed) {
  Random random = Random(seed).fork("sink");
  const auto some = sink.withBucketAssigner(&folderOf)
                        .withRollingPolicy({.maxSize = MemorySize(40 + random.below(3000)),
                                            .onCheckpoint = random.below(3) == 0})
                        .withBufferSize(MemorySize(20 + random.below(300)))
                        .withMaxOpenFiles(random.below(2) == 0 ? 2 : 100);
  const CompactionPolicy policy{.checkpoints = static_cast<int>(1 + random.below(4)),
                                .size = MemorySize(100 + random.below(4000))};
  return isCompacted(seed) ? some.withCompaction(policy) : some;
}

DataStreamSink write(const DataStream<Number>& numbers, uint64_t seed) {
  const char* const path = isInStore(seed) ? "s3://bucket/out" : "/out";
  if (!isParquet(seed)) {
    const auto sink = FileSink<Number>::forRowFormat(path, CsvEncoder<Number>({.header = true}));
    return numbers.sinkTo(shaped(sink.withOutputFileConfig("numbers", ".csv"), seed));
  }
  const ParquetEncoder<Number> encoder({.rowGroupSize = MemorySize(200 + seed * 7 % 2000)});
  const auto sink = FileSink<Number>::forBulkFormat(path, encoder);
  return numbers.sinkTo(shaped(sink.withOutputFileConfig("numbers", ".parquet"), seed));
}

void build(StreamExecutionEnvironment& env, const std::shared_ptr<Crashes>& crashes, uint64_t seed) {
  const auto numbers = env.fromSource(sourceOf(Ranges(kCount), "numbers"))
                           .map([crashes](int64_t n) {
                             if (crashes->untilCrash > 0 && --crashes->untilCrash == 0)
                               throw std::runtime_error("crash");
                             return Number{n % kKeys, n, 0};
                           })
                           .keyBy(&Number::key)
                           .process(CountSeen());
  write(numbers, seed);
}

Configuration configured(int parallelism, const std::string& backend) {
  Configuration configuration;
  const std::pair<const char*, std::string> settings[] = {
      {"parallelism.default", std::to_string(parallelism)},
      {"taskmanager.network.memory.buffers-per-channel", "1"},
      {"execution.checkpointing.interval", "10 min"},
      {"execution.checkpointing.dir", "/checkpoints"},
      {"execution.checkpointing.create-subdir", "false"},
      {"execution.checkpointing.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION"},
      {"state.backend.type", backend},
      {"state.backend.rocksdb.localdir", testing::TempDir() + "/flott-exactly-once-files"},
      {"restart-strategy.type", "fixed-delay"},
      {"restart-strategy.fixed-delay.delay", "0 ms"}};
  for (const auto& [key, value] : settings) configuration.set(key, value);
  return configuration;
}

/// Does `deed` now and then, at moments that the seed chooses, until `job` is null.
void nowAndThen(TestWorld& world, const std::shared_ptr<JobMaster*>& job,
                const std::function<bool(JobMaster&)>& deed) {
  ASSERT_TRUE(world.sim().offload().submit("now and then", [&world, job, deed] {
    if (*job != nullptr && deed(**job)) nowAndThen(world, job, deed);
  }));
}

bool isHidden(const std::string& path) { return path.substr(path.rfind('/') + 1).starts_with('.'); }

/// What lies in the sink's folder and in the store, by name.
std::map<std::string, std::string> filesIn(TestWorld& world, bool hidden) {
  std::map<std::string, std::string> found;
  if (world.sim().files().stat("/out")) {
    for (const FileInfo& file : world.sim().files().listFiles("/out")) {
      if (isHidden(file.path) == hidden) found[file.path] = world.sim().files().content(file.path);
    }
  }
  for (const auto& [uri, content] : world.sim().stores().objects()) {
    if (isHidden(uri) == hidden) found[uri] = content;
  }
  return found;
}

std::vector<std::string> hiddenIn(TestWorld& world) {
  std::vector<std::string> names;
  for (const auto& [name, content] : filesIn(world, true)) names.push_back(name);
  return names;
}

/// The records of the finished files; what is wrong with them goes to `wrong`.
std::vector<Number> recordsOfCsv(TestWorld& world, std::string& wrong) {
  std::vector<Number> records;
  for (const auto& [path, content] : filesIn(world, false)) {
    if (!content.starts_with("key,value,seen\n")) wrong = path + " begins with no header: " + content;
    if (!content.ends_with('\n')) wrong = path + " ends in half a record";
    for (size_t at = content.find('\n') + 1; at < content.size();) {
      const size_t end = content.find('\n', at);
      long long key = -1;
      long long value = -1;
      long long before = -1;
      if (std::sscanf(content.substr(at, end - at).c_str(), "%lld,%lld,%lld", &key, &value, &before) != 3 ||
          path.find("/" + folderOf({key, 0, 0}) + "/") == std::string::npos) {
        wrong = path + " has '" + content.substr(at, end - at) + "'";
      }
      records.push_back({key, value, before});
      at = end + 1;
    }
  }
  return records;
}

std::vector<Number> recordsOfParquet(TestWorld& world) {
  int number = 0;
  for (auto& [path, content] : filesIn(world, false))
    world.sim().files().put("/read/" + std::to_string(number++), content);
  return world.environment().readParquetFile<Number>("/read").executeAndCollect();
}

/// No record is ever there twice, whatever is moved about.
void expectNothingTwice(TestWorld& world) {
  std::string wrong;
  std::map<int64_t, int> values;
  for (const Number& number : recordsOfCsv(world, wrong)) {
    if (++values[number.value] > 1) wrong = std::to_string(number.value) + " is there twice";
  }
  EXPECT_EQ(wrong, "");
}

/// What is wrong with the finished files; empty when they hold each record once and whole.
std::string wrongWith(TestWorld& world, bool parquet = false) {
  std::string wrong;
  std::map<int64_t, int> values;
  std::map<int64_t, std::vector<int64_t>> seen;
  for (const Number& number : parquet ? recordsOfParquet(world) : recordsOfCsv(world, wrong)) {
    if (number.key != number.value % kKeys) wrong = "a record has another key than it was given";
    ++values[number.value];
    seen[number.key].push_back(number.seen);
  }
  if (!wrong.empty()) return wrong;
  for (int64_t n = 0; n < kCount; ++n) {
    if (values[n] != 1) return std::to_string(n) + " is there " + std::to_string(values[n]) + " times";
  }
  for (auto& [key, all] : seen) {
    std::sort(all.begin(), all.end());
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i] != static_cast<int64_t>(i)) return "key " + std::to_string(key) + " was counted twice";
    }
  }
  return static_cast<int64_t>(values.size()) == kCount ? "" : "there are numbers that nobody wrote";
}

class ExactlyOnceFiles : public testing::TestWithParam<const char*> {
 protected:
  /// RocksDB runs on the real disk, so few runs have to do.
  static bool onDisk() { return std::string(GetParam()) == "rocksdb"; }
};

TEST_P(ExactlyOnceFiles, WhereverItCrashesAndWhateverDiskFails) {
  int restarts = 0;
  int64_t completed = 0;
  std::map<bool, int64_t> files;
  const uint64_t seeds = onDisk() ? 6 : 200;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    TestWorld world(seed);
    Configuration configuration = configured(static_cast<int>(1 + random.below(3)), GetParam());
    configuration.set("restart-strategy.fixed-delay.attempts", "50");
    const auto crashes = std::make_shared<Crashes>();
    crashes->untilCrash = static_cast<int64_t>(random.below(kCount * 2));
    auto env = world.environment(configuration);
    build(env, crashes, seed);
    JobClient client = env.executeAsync();
    const auto job = std::make_shared<JobMaster*>(&client.master());
    int deeds = 5000;  // time stands still while there are any
    const uint64_t failEvery = 10 + random.below(200);
    nowAndThen(world, job, [&](JobMaster& running) {
      running.triggerCheckpoint([](CheckpointOutcome) {});
      if (deeds % 40 == 0 && !isParquet(seed)) {
        const int failures = world.sim().files().failuresLeft();
        world.sim().files().failSome(0, 0);
        expectNothingTwice(world);
        world.sim().files().failSome(failEvery, failures);
      }
      return --deeds > 0;
    });
    world.sim().files().failSome(failEvery, 10);
    world.sim().stores().failSome(10 + random.below(50), 10, random.fork("store"));
    const JobExecutionResult result = client.result();
    *job = nullptr;
    world.sim().files().failSome(0, 0);
    world.sim().stores().failSome(0, 0, random);
    ASSERT_EQ(result.status(), JobStatus::kFinished) << "seed " << seed;
    EXPECT_EQ(wrongWith(world, isParquet(seed)), "") << "seed " << seed;
    EXPECT_EQ(hiddenIn(world), std::vector<std::string>()) << "seed " << seed;
    restarts += result.details().restarts;
    completed += result.details().checkpoints.completed;
    files[isCompacted(seed)] += static_cast<int64_t>(filesIn(world, false).size());
  }
  EXPECT_GT(restarts, 2 * static_cast<int>(seeds));
  EXPECT_GT(completed, 3 * static_cast<int64_t>(seeds));
  EXPECT_GT(files[false], 10 * static_cast<int64_t>(seeds) / 2);
  EXPECT_LT(files[true], files[false] * 3 / 4) << "compaction makes fewer";
}

std::string newestCheckpoint(TestWorld& world) {
  SimulatedFiles& files = world.sim().files();
  std::string newest;
  int64_t highest = -1;
  if (!files.stat("/checkpoints")) return newest;
  for (const FileInfo& folder : files.listFolder("/checkpoints")) {
    const int64_t id = std::stoll(folder.path.substr(folder.path.rfind('-') + 1));
    if (!files.stat(folder.path + "/_metadata") || id < highest) continue;
    highest = id;
    newest = folder.path;
  }
  return newest;
}

// What is on the disk at one moment goes on in another world, as after kill -9 and a move to another
// parallelism.
TEST_P(ExactlyOnceFiles, AProcessIsKilledAtAnyMoment) {
  uint64_t went = 0;
  uint64_t hadOutput = 0;
  uint64_t hadHidden = 0;
  const uint64_t seeds = onDisk() ? 12 : 300;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    TestWorld world(seed);
    std::vector<std::pair<std::string, std::string>> disk;
    std::map<std::string, std::string> store;
    {
      auto env = world.environment(configured(static_cast<int>(1 + random.below(3)), GetParam()));
      build(env, std::make_shared<Crashes>(), seed);
      JobClient client = env.executeAsync();
      const auto job = std::make_shared<JobMaster*>(&client.master());
      uint64_t deeds = 5 + random.below(100);
      nowAndThen(world, job, [&](JobMaster& running) {
        if (random.below(2) == 0) running.triggerCheckpoint([](CheckpointOutcome) {});
        if (--deeds > 0) return true;
        for (const FileInfo& file : world.sim().files().listFiles("/")) {
          disk.emplace_back(file.path, world.sim().files().content(file.path));
        }
        store = world.sim().stores().objects();
        return false;
      });
      client.result();
      *job = nullptr;
    }
    if (disk.empty()) continue;  // it had ended before
    TestWorld next(seed + 1000);
    for (auto& [path, content] : disk) next.sim().files().put(path, content);
    next.sim().stores().objects() = store;
    Configuration configuration = configured(static_cast<int>(1 + random.below(4)), GetParam());
    const std::string checkpoint = newestCheckpoint(next);
    if (checkpoint.empty()) continue;  // another start from nothing knows nothing of this one
    configuration.set("execution.state-recovery.path", checkpoint);
    configuration.set("execution.state-recovery.claim-mode", "CLAIM");
    ++went;
    hadOutput += filesIn(next, false).empty() ? 0 : 1;
    hadHidden += filesIn(next, true).empty() ? 0 : 1;
    auto env = next.environment(configuration);
    build(env, std::make_shared<Crashes>(), seed);
    EXPECT_EQ(env.execute().status(), JobStatus::kFinished);
    EXPECT_EQ(wrongWith(next, isParquet(seed)), "") << "seed " << seed;
    EXPECT_EQ(hiddenIn(next), std::vector<std::string>()) << "seed " << seed;
  }
  EXPECT_GT(went, seeds / 5);
  if (onDisk()) return;
  EXPECT_GT(hadOutput, seeds / 10);
  EXPECT_GT(hadHidden, seeds / 10);
}

INSTANTIATE_TEST_SUITE_P(Backends, ExactlyOnceFiles, testing::Values("hashmap", "rocksdb"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return std::string(info.param);
                         });

TEST(FileSinkJobs, WithoutCheckpointsFilesArePublishedAtTheEnd) {
  TestWorld world;
  auto env = world.environment();
  build(env, std::make_shared<Crashes>(), 1);
  EXPECT_EQ(env.execute().status(), JobStatus::kFinished);
  EXPECT_EQ(wrongWith(world), "");
}

TEST(FileSinkJobs, AtLeastOnceClosedFilesArePublishedAtOnce) {
  TestWorld world;
  auto env = world.environment();
  env.fromGenerator<int64_t>([](int64_t n) { return n; }, {.count = 1000, .recordsPerSecond = 10})
      .sinkTo(FileSink<int64_t>::forRowFormat("/out").withDeliveryGuarantee(DeliveryGuarantee::kNone));
  JobClient client = env.executeAsync();
  world.advance(Duration(70s));
  EXPECT_EQ(filesIn(world, false).size(), 1u) << "of the first minute";
  EXPECT_EQ(filesIn(world, true).size(), 0u) << "what the second has is in a buffer";
  client.result();
  std::string all;
  for (const auto& [path, content] : filesIn(world, false)) all += content;
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 1000);
}

}  // namespace
}  // namespace flott
