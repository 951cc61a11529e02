// What both versions of the program share: orders in, lines of totals out, and stopping with a savepoint.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "flott/flott.h"

/// The n-th of a run whose orders are all known beforehand, so that anybody can check the totals.
struct Order {
  int64_t customer;
  int64_t cents;
};

inline constexpr int64_t kCustomers = 100;

inline Order orderAt(int64_t n) { return {n * 37 % kCustomers, 100 + n * 7919 % 9000}; }

/// Runs the job. With --stop-after it ends before its time, with a savepoint. Says every second how far it
/// is.
template <typename Totals>
void runOrders(int argc, char** argv, const std::string& version, Totals totals) {
  using namespace flott;
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& parameters = env.parameters();
  const int64_t count = parameters.getInt("count", 400'000);
  const Duration stopAfter = parameters.getDuration("stop-after", Duration::seconds(3600));

  env.fromGenerator<Order>(orderAt,
                           {.count = count, .recordsPerSecond = parameters.getDouble("rate", 20'000)})
      .uid("orders")
      .keyBy(&Order::customer)
      .process(totals)
      .uid("totals")
      .sinkTo(FileSink<std::string>::forRowFormat(parameters.get("out", "orders"))
                  .withOutputFileConfig("totals", ".csv"))
      .uid("files");

  JobClient job = env.executeAsync("Orders");
  for (Duration ran; !job.waitFor(Duration::seconds(1)); ran = ran + Duration::seconds(1)) {
    std::printf("  %s, parallelism %d: %lld of %lld orders in this run\n", version.c_str(), env.parallelism(),
                static_cast<long long>(job.progress().recordsIn), static_cast<long long>(count));
    std::fflush(stdout);
    if (ran + Duration::seconds(1) < stopAfter) continue;
    std::printf("savepoint: %s\n", job.stopWithSavepoint().c_str());
    break;
  }
  job.result();
}
