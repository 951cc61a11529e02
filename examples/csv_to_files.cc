// Reads orders from CSV files, writes those with a price to CSV, and lines that are no orders to a file of
// their own.
//
//   csv_to_files [--input PATH] [--output FOLDER]
#include <cstdint>
#include <optional>
#include <string>

#include "flott/flott.h"

using namespace flott;

// Fields are found by the names in the first line. An optional one may be empty.
struct Order {
  int64_t id;
  std::string city;
  std::optional<double> price;
  Timestamp at;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const std::string input = env.parameters().get("input", "examples/data/orders.csv");
  const std::string output = env.parameters().get("output", "orders-out");
  const FileSinkOptions files{.existing = ExistingFiles::kOverwrite};

  auto orders = env.readCsvFile<Order>(input, {.header = true, .badRecords = BadRecordPolicy::kSideOutput});
  orders.filter([](const Order& order) { return order.price.has_value(); })
      .writeAsCsv(output + "/orders.csv", {.header = true}, files);
  orders.getSideOutput(badRecords())
      .map([](const BadRecord& bad) { return toString(bad); })
      .writeAsText(output + "/rejected.txt", files);

  env.execute("Orders");
}
