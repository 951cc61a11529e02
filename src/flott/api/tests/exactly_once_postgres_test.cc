// A table of PostgreSQL holds the job's output once, wherever the job fails or is killed and whenever a
// connection breaks.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "flott/api/environment.h"
#include "flott/api/keyed_stream.h"
#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/connectors/postgres/tests/fake_postgres.h"

namespace flott::exactly_once_postgres_test {
namespace {

constexpr int64_t kCount = 400;
constexpr int64_t kKeys = 7;

struct Number {
  int64_t id = 0;
  int64_t of = 0;
};
struct Total {
  int64_t key = 0;
  int64_t sum = 0;
};

enum class Mode { kExactlyOnce, kUpsert };

void makeTables(FakePostgres& fake) {
  fake.tables["numbers"].columns = {{"id", "bigint"}, {"of", "bigint"}};
  fake.tables["totals"].columns = {{"key", "bigint"}, {"sum", "bigint"}};
}

/// A thousand records a second; `seen` is called with each.
void build(StreamExecutionEnvironment& env, FakePostgres& fake, Mode mode, Random random,
           std::function<void()> seen) {
  const PostgresBatching batching{.rows = 1 + random.below(30), .interval = Duration::millis(5)};
  const PostgresRetries retries{.retries = 3, .firstPause = Duration::millis(1)};
  auto numbers = env.fromGenerator<Number>(
                        [](int64_t i) {
                          return Number{i, i % kKeys};
                        },
                        {.count = kCount, .recordsPerSecond = 1000})
                     .map([seen = std::move(seen)](const Number& number) {
                       seen();
                       return number;
                     });
  if (mode == Mode::kExactlyOnce) {
    numbers.sinkTo(PostgresSink<Number>::insert("", "numbers")
                       .withServer(fake.server())
                       .withDeliveryGuarantee(DeliveryGuarantee::kExactlyOnce)
                       .withBatching(batching)
                       .withRetries(retries));
  } else {
    numbers.map([](const Number& number) {
             return Total{number.of, number.id};
           })
        .keyBy(&Total::key)
        .reduce([](const Total& a, const Total& b) {
          return Total{a.key, a.sum + b.sum};
        })
        .sinkTo(PostgresSink<Total>::upsert("", "totals", {"key"})
                    .withServer(fake.server())
                    .withBatching(batching)
                    .withRetries(retries));
  }
}

Configuration configured(uint64_t parallelism) {
  Configuration configuration;
  const std::pair<const char*, std::string> settings[] = {
      {"parallelism.default", std::to_string(parallelism)},
      {"execution.checkpointing.interval", "20 ms"},
      {"execution.checkpointing.dir", "/checkpoints"},
      {"execution.checkpointing.create-subdir", "false"},
      {"execution.checkpointing.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION"},
      {"execution.checkpointing.tolerable-failed-checkpoints", "1000"},
      {"restart-strategy.type", "fixed-delay"},
      {"restart-strategy.fixed-delay.attempts", "1000"},
      {"restart-strategy.fixed-delay.delay", "1 ms"}};
  for (const auto& [key, value] : settings) configuration.set(key, value);
  return configuration;
}

/// What is wrong in the table; empty when nothing is.
std::string wrongWith(FakePostgres& fake, Mode mode) {
  if (!fake.prepared.empty()) return fake.prepared.begin()->first + " is still prepared";
  std::map<int64_t, int64_t> found;
  if (mode == Mode::kUpsert) {
    std::map<int64_t, int64_t> expected;
    for (int64_t i = 0; i < kCount; ++i) expected[i % kKeys] += i;
    for (const auto& row : fake.tables["totals"].rows) found[std::stoll(*row[0])] = std::stoll(*row[1]);
    return found == expected ? "" : "the totals are wrong";
  }
  for (const auto& row : fake.tables["numbers"].rows) ++found[std::stoll(*row[0])];
  for (int64_t i = 0; i < kCount; ++i) {
    if (found[i] != 1) return std::to_string(i) + " is there " + std::to_string(found[i]) + " times";
  }
  return static_cast<int64_t>(found.size()) == kCount ? "" : "there are numbers that nobody wrote";
}

class ExactlyOncePostgres : public testing::TestWithParam<Mode> {};

TEST_P(ExactlyOncePostgres, WhereverItCrashesAndTheConnectionBreaks) {
  constexpr uint64_t kSeeds = 150;
  int restarts = 0;
  uint64_t breaks = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    FakePostgres fake;
    makeTables(fake);
    Random random(seed);
    const uint64_t oneIn = 20 + random.below(100);
    fake.breaks = std::make_shared<MoveFunction<bool()>>([&random, &breaks, oneIn] {
      const bool now = random.below(oneIn) == 0;
      breaks += now ? 1 : 0;
      return now;
    });
    TestWorld world(seed);
    auto env = world.environment(configured(1 + random.below(3)));
    int64_t untilCrash = static_cast<int64_t>(random.below(2 * kCount));
    build(env, fake, GetParam(), Random(seed).fork("sink"), [&untilCrash] {
      if (--untilCrash == 0) throw std::runtime_error("crash");
    });
    const JobExecutionResult result = env.execute();
    ASSERT_EQ(result.status(), JobStatus::kFinished) << "seed " << seed;
    ASSERT_EQ(wrongWith(fake, GetParam()), "") << "seed " << seed;
    restarts += result.details().restarts;
  }
  EXPECT_GT(restarts, 50);
  EXPECT_GT(breaks, kSeeds);
}

// What is on the disk and in the server between two statements goes on in another world, as after kill -9 and
// a move to another parallelism. Sessions of the one that was killed are still there.
TEST_P(ExactlyOncePostgres, AProcessIsKilledAtAnyStatement) {
  uint64_t went = 0;
  uint64_t hadRows = 0;
  uint64_t hadPrepared = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    FakePostgres fake;
    makeTables(fake);
    TestWorld world(seed);
    std::vector<std::pair<std::string, std::string>> disk;
    std::optional<FakePostgres> after;
    {
      uint64_t statements = 20 + random.below(150);
      fake.breaks = std::make_shared<MoveFunction<bool()>>([&] {
        if (statements > 0 && --statements == 0) {
          for (const FileInfo& file : world.sim().files().listFiles("/")) {
            disk.emplace_back(file.path, world.sim().files().content(file.path));
          }
          after = fake;
        }
        return false;
      });
      auto env = world.environment(configured(1 + random.below(3)));
      build(env, fake, GetParam(), Random(seed).fork("sink"), [] {});
      env.execute();
    }
    if (!after) continue;  // it had ended before
    after->breaks = nullptr;
    TestWorld next(seed + 1000);
    for (auto& [path, content] : disk) next.sim().files().put(path, content);
    std::string newest;
    int64_t highest = 0;
    for (const auto& [path, content] : disk) {
      const size_t at = path.find("chk-");
      if (at == std::string::npos || !path.ends_with("/_metadata")) continue;
      const int64_t id = std::stoll(path.substr(at + 4));
      if (id > highest) newest = path.substr(0, path.rfind('/'));
      highest = std::max(highest, id);
    }
    if (newest.empty()) continue;  // another start from nothing knows nothing of this one
    Configuration configuration = configured(1 + random.below(4));
    configuration.set("execution.state-recovery.path", newest);
    configuration.set("execution.state-recovery.claim-mode", "CLAIM");
    ++went;
    hadRows += after->tables["numbers"].rows.empty() && after->tables["totals"].rows.empty() ? 0 : 1;
    hadPrepared += after->prepared.empty() ? 0 : 1;
    auto env = next.environment(configuration);
    build(env, *after, GetParam(), Random(seed).fork("sink"), [] {});
    EXPECT_EQ(env.execute().status(), JobStatus::kFinished);
    EXPECT_EQ(wrongWith(*after, GetParam()), "") << "seed " << seed;
    for (const auto& [pid, name] : after->sessions) EXPECT_EQ(name, "flott commits") << "seed " << seed;
  }
  EXPECT_GT(went, 80u);
  EXPECT_GT(hadRows, 50u);
  if (GetParam() == Mode::kExactlyOnce) {
    EXPECT_GT(hadPrepared, 25u);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ExactlyOncePostgres, testing::Values(Mode::kExactlyOnce, Mode::kUpsert),
                         [](const testing::TestParamInfo<Mode>& info) {
                           return info.param == Mode::kUpsert ? "Upsert" : "Insert";
                         });

}  // namespace
}  // namespace flott::exactly_once_postgres_test
