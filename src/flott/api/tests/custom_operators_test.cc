// Operators of a user's own with one, two and more inputs.
#include <algorithm>
#include <map>
#include <set>

#include "flott/api/connected_streams.h"
#include "flott/api/multiple_input.h"
#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"

namespace flott {
namespace {

struct Order {
  int64_t id = 0;
  int64_t cents = 0;
};
struct Payment {
  int64_t order = 0;
  int64_t paid = 0;
};
struct Note {
  int64_t order = 0;
  std::string text;
};
using Balance = std::pair<int64_t, int64_t>;

constexpr int64_t kToZero = 1;  // no change of a balance is 1

/// For each record the key's balance so far: orders count against it, payments for it, a note puts it to 0.
class Balances final : public Operator {
 public:
  explicit Balances(int inputs) { setInputs(inputs); }

  void open(OperatorContext& context) override {
    balances_ = context.keyedState(typeOps<int64_t>()).table<int64_t, int64_t>("balances");
    collector_.open(context.pools());
  }
  Step onBatch(int input, Batch batch, Output& output) override {
    collector_.start(output, false);
    const auto each = [&](const auto& rows, auto idOf, auto change) {
      forEachRow(rows, 0, [&](size_t i) {
        int64_t& balance = balances_.findOrInsert(rows.hashes()[i], idOf(rows[i]));
        change(rows[i], balance);
        collector_.emplace(idOf(rows[i]), balance);
      });
    };
    switch (input) {
      case 0:
        each(
            batch.rows<Order>(), [](const Order& order) -> const int64_t& { return order.id; },
            [](const Order& order, int64_t& balance) { balance -= order.cents; });
        break;
      case 1:
        each(
            batch.rows<Payment>(), [](const Payment& payment) -> const int64_t& { return payment.order; },
            [](const Payment& payment, int64_t& balance) { balance += payment.paid; });
        break;
      default:
        each(
            batch.rows<Note>(), [](const Note& note) -> const int64_t& { return note.order; },
            [](const Note&, int64_t& balance) { balance = 0; });
    }
    collector_.flush();
    return Step::kDone;
  }

 private:
  TypedTable<int64_t, int64_t> balances_;
  Collector<Balance> collector_;
};

class CustomOperators : public testing::TestWithParam<int> {
 protected:
  StreamExecutionEnvironment environment(uint64_t seed) {
    world_ = std::make_unique<TestWorld>(seed);
    return std::move(world_->environment().setParallelism(GetParam()));
  }
  static std::vector<Order> orders() {
    std::vector<Order> all;
    for (int64_t id = 0; id < 500; ++id) all.push_back({id, 100});
    return all;
  }
  static std::vector<Payment> payments() {
    std::vector<Payment> all;
    for (int64_t id = 0; id < 500; ++id) all.push_back({id, id % 2 == 0 ? 100 : 30});
    return all;
  }
  /// What the records of a key can lead to, one after the other: its order, its payment and perhaps a note
  /// meet in any order.
  static std::set<std::vector<int64_t>> possible(int64_t key) {
    std::vector<int64_t> changes = {-100, key % 2 == 0 ? 100 : 30};
    if (key % 5 == 0) changes.push_back(kToZero);
    std::sort(changes.begin(), changes.end());
    std::set<std::vector<int64_t>> all;
    do {
      std::vector<int64_t> seen;
      int64_t balance = 0;
      for (const int64_t change : changes) seen.push_back(balance = change == kToZero ? 0 : balance + change);
      all.insert(seen);
    } while (std::next_permutation(changes.begin(), changes.end()));
    return all;
  }

 private:
  std::unique_ptr<TestWorld> world_;
};

INSTANTIATE_TEST_SUITE_P(Parallelism, CustomOperators, testing::Values(1, 2, 3),
                         [](const auto& info) { return std::to_string(info.param); });

TEST_P(CustomOperators, OfOneInput) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto result = env.fromCollection(orders())
                      .keyBy(&Order::id)
                      .transform<Balance>("Balances", operatorFactory<Balances>(1));
    std::vector<Balance> expected;
    for (int64_t id = 0; id < 500; ++id) expected.emplace_back(id, -100);
    EXPECT_EQ(sorted(collected(env, result)), expected) << "seed " << seed;
  }
}

TEST_P(CustomOperators, OfTwoInputsSeeTheSameState) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto result = env.fromCollection(orders())
                      .keyBy(&Order::id)
                      .connect(env.fromCollection(payments()).keyBy(&Payment::order))
                      .transform<Balance>("Balances", operatorFactory<Balances>(2));
    std::map<int64_t, std::vector<int64_t>> balances;
    for (const auto& [key, balance] : collected(env, result)) balances[key].push_back(balance);
    ASSERT_EQ(balances.size(), 500u);
    for (const auto& [key, seen] : balances) {
      ASSERT_EQ(seen.size(), 2u);
      EXPECT_EQ(seen.back(), key % 2 == 0 ? 0 : -70) << "key " << key << ", seed " << seed;
    }
  }
}

TEST_P(CustomOperators, OfManyInputsSeeTheSameState) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    std::vector<Note> notes;
    for (int64_t id = 0; id < 500; id += 5) notes.push_back({id, "written off"});
    auto result = MultipleInput(env.fromCollection(orders()).keyBy(&Order::id),
                                env.fromCollection(payments()).keyBy(&Payment::order),
                                env.fromCollection(notes).keyBy(&Note::order))
                      .transform<Balance>("Balances", operatorFactory<Balances>(3));
    std::map<int64_t, std::vector<int64_t>> balances;
    for (const auto& [key, balance] : collected(env, result)) balances[key].push_back(balance);
    ASSERT_EQ(balances.size(), 500u);
    for (const auto& [key, seen] : balances)
      EXPECT_TRUE(possible(key).contains(seen))
          << "key " << key << " had " << toText(seen) << ", seed " << seed;
  }
}

/// Puts out each watermark it gets, as text.
class ShowWatermarks final : public Operator {
 public:
  ShowWatermarks() { setInputs(3); }
  void open(OperatorContext& context) override { pool_ = &rowsPool<std::string>(context.pools()); }
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
  Step onEventTime(Watermark watermark, Output& output) override {
    Batch batch = pool_->acquire();
    batch.rows<std::string>().emplace(toString(watermark.time));
    output.emit(std::move(batch));
    return Operator::onEventTime(watermark, output);
  }

 private:
  BatchPool* pool_ = nullptr;
};

TEST_P(CustomOperators, OfManyInputsHaveTheLeastWatermarkOfAll) {
  auto env = environment(1);
  auto result = MultipleInput(env.fromSequence(1, 3), env.fromElements<std::string>({"a"}),
                              env.fromCollection(std::vector<Order>()))
                    .transform<std::string>("Watermarks", operatorFactory<ShowWatermarks>())
                    .setParallelism(1);
  EXPECT_EQ(collected(env, result), std::vector<std::string>{"end"});
}

TEST(MultipleInputTest, StreamsOfOneEnvironmentOnly) {
  TestWorld one, other;
  auto first = one.environment().fromSequence(1, 2);
  auto second = other.environment().fromSequence(1, 2);
  EXPECT_EQ(failure([&] {
              MultipleInput(first, second).transform<int64_t>("Two", operatorFactory<ShowWatermarks>());
            }),
            "streams of two environments cannot be joined: build both from one environment");
}

}  // namespace
}  // namespace flott
