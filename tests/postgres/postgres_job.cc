// The job of tests/postgres_test.sh: generated orders into a table, or their totals by key.
//
//   postgres_job --connection "host=127.0.0.1 dbname=test" --table orders --mode exactly-once --count 1000
//   postgres_job … --fail-every 400 --failures 3    throws in the middle, and begins anew from its checkpoint
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "flott/flott.h"

using namespace flott;

struct Order {
  int64_t id = 0;
  std::string item;
  double price = 0;
  std::optional<int32_t> discount;
  bool paid = false;
  Timestamp orderedAt;
  std::vector<uint8_t> code;
};

struct Total {
  int64_t key = 0;
  int64_t orders = 0;
  int64_t sum = 0;
};

Order orderOf(int64_t i) {
  Order order;
  order.id = i;
  order.item = "it's \"no\" " + std::to_string(i) + ", \\ {é}\n\t";
  order.price = static_cast<double>(i) / 8;
  if (i % 3 == 0) order.discount = static_cast<int32_t>(i % 100);
  order.paid = i % 2 == 0;
  order.orderedAt = Timestamp(1'700'000'000'000 + i);
  order.code = {static_cast<uint8_t>(i % 256), 0, 255};
  return order;
}

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& given = env.parameters();
  const std::string connection = given.get("connection", "");
  const std::string table = given.get("table", "orders");
  const std::string mode = given.get("mode", "exactly-once");
  const int64_t every = given.getInt("fail-every", 0);
  const int64_t failures = given.getInt("failures", 0);

  static std::atomic<int64_t> seen{0};
  static std::atomic<int64_t> failed{0};
  auto orders =
      env.fromGenerator<Order>(orderOf, {.count = given.getInt("count", 1000),
                                         .recordsPerSecond = static_cast<double>(given.getInt("rate", 0))})
          .map([every, failures](const Order& order) {
            if (every > 0 && ++seen % every == 0 && ++failed <= failures)
              throw std::runtime_error("injected");
            return order;
          });
  const PostgresBatching batching{.rows = static_cast<size_t>(given.getInt("batch", 100))};
  if (mode == "upsert") {
    orders.map([](const Order& order) {
            return Total{order.id % 10, 1, order.id};
          })
        .keyBy(&Total::key)
        .reduce([](const Total& a, const Total& b) {
          return Total{a.key, a.orders + b.orders, a.sum + b.sum};
        })
        .sinkTo(PostgresSink<Total>::upsert(connection, table, {"key"}).withBatching(batching));
  } else {
    const bool once = mode == "exactly-once";
    orders.sinkTo(
        PostgresSink<Order>::insert(connection, table)
            .withColumnName("orderedAt", "ordered_at")
            .withDeliveryGuarantee(once ? DeliveryGuarantee::kExactlyOnce : DeliveryGuarantee::kAtLeastOnce)
            .withBatching(batching));
  }
  const JobExecutionResult result = env.execute("Orders to PostgreSQL");
  std::printf("restarts: %d\n", static_cast<int>(result.details().restarts));
}
