// The warmest reading of each sensor in every ten seconds of event time: time is what the records say, not
// when they come in. One reading comes so late that its window is closed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "flott/flott.h"

using namespace flott;
using namespace std::chrono_literals;

struct Reading {
  std::string sensor;
  double celsius;
  int64_t at;  // milliseconds since 1970
};

// Readings are at most two seconds out of order. The watermark moves with each record, so that this program
// does the same each time; forBoundedOutOfOrderness(2s) asks for it every 200 ms instead, which is cheaper.
class TwoSecondsLate {
 public:
  void onEvent(const Reading&, Timestamp at, WatermarkOutput& output) {
    output.emitWatermark({at - 2s - 1ms});  // ignored when it is behind the one before
  }
  void onPeriodicEmit(WatermarkOutput&) {}
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  env.fromElements<Reading>({
                                {"hall", 20.5, 1'000},
                                {"roof", 11.0, 9'000},
                                {"hall", 21.5, 8'000},   // out of order, but in time
                                {"hall", 19.0, 12'500},  // watermark 10.499 s: the first window is complete
                                {"roof", 35.0, 9'500},   // late: the first window has fired
                                {"roof", 12.5, 17'000},
                            })
      .assignTimestampsAndWatermarks(
          WatermarkStrategy<Reading>::forGenerator(TwoSecondsLate()).withTimestampAssigner(&Reading::at))
      .keyBy(&Reading::sensor)
      .window(TumblingEventTimeWindows::of(10s))
      .maxBy(&Reading::celsius)
      .name("warmest")
      .print();

  const JobExecutionResult result = env.execute("Tumbling window");
  std::printf("late records: %lld\n",
              static_cast<long long>(result.counter("warmest", "numLateRecordsDropped")));
}
