// The job of tests/two_sinks_test.sh: numbers into CSV files that are joined, into Parquet files and into a
// table of PostgreSQL, all of which take part in the same checkpoints.
//
//   two_sinks_job --out /tmp/out --connection "host=127.0.0.1 dbname=test" --count 10000 --rate 4000
//   two_sinks_job --read /tmp/out/parquet            the ids of the finished Parquet files, one a line
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "flott/flott.h"

using namespace flott;

struct Entry {
  int64_t id = 0;
  int64_t account = 0;
  std::string text;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& given = env.parameters();
  if (given.has("read")) {
    for (const Entry& entry : env.readParquetFile<Entry>(given.get("read", "")).executeAndCollect()) {
      const bool right = entry.account == entry.id % 10 && entry.text == "entry " + std::to_string(entry.id);
      std::printf("%lld\n", right ? static_cast<long long>(entry.id) : -1);
    }
    return 0;
  }
  const std::string out = given.get("out", "out");
  const int64_t every = given.getInt("fail-every", 0);
  static std::atomic<int64_t> seen{0};
  static std::atomic<bool> failed{false};
  const auto entries = env.fromGenerator<Entry>(
                              [](int64_t i) {
                                return Entry{i, i % 10, "entry " + std::to_string(i)};
                              },
                              {.count = given.getInt("count", 1000),
                               .recordsPerSecond = static_cast<double>(given.getInt("rate", 0))})
                           .map([every](const Entry& entry) {
                             if (every > 0 && ++seen == every && !failed.exchange(true))
                               throw std::runtime_error("injected");
                             return entry;
                           });
  entries.sinkTo(FileSink<Entry>::forRowFormat(out + "/csv", CsvEncoder<Entry>({.header = true}))
                     .withBucketAssigner(
                         [](const Entry& entry) { return "account-" + std::to_string(entry.account % 2); })
                     .withRollingPolicy({.maxSize = MemorySize::kb(4), .onCheckpoint = true})
                     .withCompaction({.checkpoints = 3, .size = MemorySize::kb(16)})
                     .withOutputFileConfig("entries", ".csv"));
  entries.sinkTo(FileSink<Entry>::forBulkFormat(out + "/parquet", ParquetEncoder<Entry>())
                     .withCompaction({.checkpoints = 4})
                     .withOutputFileConfig("entries", ".parquet"));
  entries.sinkTo(PostgresSink<Entry>::insert(given.get("connection", ""), "entries")
                     .withDeliveryGuarantee(DeliveryGuarantee::kExactlyOnce)
                     .withBatching({.rows = 50}));
  env.execute("Files and PostgreSQL");
}
