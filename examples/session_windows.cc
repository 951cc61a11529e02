// Visits of a shop: the clicks of a user until nothing comes for half a minute. A visit that has fired is
// corrected by a late click for a minute more; what comes later still goes to a stream of its own. Beside it,
// early results: what each user has spent so far in each minute, at half time and at its end.
#include <chrono>
#include <cstdint>
#include <string>

#include "flott/flott.h"

using namespace flott;
using namespace std::chrono_literals;

struct Click {
  std::string user;
  int64_t cents;
  int64_t at;  // milliseconds since 1970
};

// The watermark moves with each record, so that this program does the same each time.
class WithEachClick {
 public:
  void onEvent(const Click&, Timestamp at, WatermarkOutput& output) { output.emitWatermark({at - 1ms}); }
  void onPeriodicEmit(WatermarkOutput&) {}
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const OutputTag<Click> tooLate("too late");

  auto clicks =
      env.fromElements<Click>({
                                  {"ann", 100, 1'000},
                                  {"bob", 50, 5'000},
                                  {"ann", 200, 21'000},
                                  {"bob", 70, 70'000},   // both visits are over: they fire
                                  {"ann", 400, 45'000},  // late, but within the minute: ann's fires again
                                  {"ann", 25, 200'000},
                                  {"bob", 9, 6'000},  // too late for everything
                              })
          .assignTimestampsAndWatermarks(
              WatermarkStrategy<Click>::forGenerator(WithEachClick()).withTimestampAssigner(&Click::at));

  auto visits = clicks.keyBy(&Click::user)
                    .window(EventTimeSessionWindows::withGap(30s))
                    .allowedLateness(1min)
                    .sideOutputLateData(tooLate)
                    .sum(&Click::cents);
  visits.print("visit");
  visits.getSideOutput(tooLate).print("too late");

  clicks.keyBy(&Click::user)
      .window(TumblingEventTimeWindows::of(1min))
      .trigger(ContinuousEventTimeTrigger::of(30s))
      .sum(&Click::cents)
      .print("so far");

  env.execute("Session windows");
}
