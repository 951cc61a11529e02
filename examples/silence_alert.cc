// An alert when a sensor has sent nothing for ten minutes of event time, and a word when it is back. The
// silence is told while it lasts, by a timer that each reading puts off, not when the next reading ends it.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "flott/flott.h"

using namespace flott;
using namespace std::chrono_literals;

struct Reading {
  std::string sensor;
  int64_t at;  // milliseconds since 1970
};

// The watermark moves with each record, so that this program does the same each time.
class WithEachReading {
 public:
  void onEvent(const Reading&, Timestamp at, WatermarkOutput& output) { output.emitWatermark({at - 1ms}); }
  void onPeriodicEmit(WatermarkOutput&) {}
};

class Silence : public KeyedProcessFunction<std::string, Reading, std::string> {
 public:
  void open(RuntimeContext& ctx) override {
    due_ = ctx.state(ValueStateDescriptor<int64_t>("due"));
    silent_ = ctx.state(ValueStateDescriptor<bool>("silent"));
  }

  void processElement(const Reading& reading, Context& ctx, Collector<std::string>& out) override {
    if (silent_.get()) out.collect(reading.sensor + " is back at " + toString(ctx.timestamp()));
    silent_.set(false);
    const Timestamp due = std::max(Timestamp(due_.get()), ctx.timestamp() + 10min);
    if (due_.has()) ctx.timerService().deleteEventTimeTimer(Timestamp(due_.get()));
    ctx.timerService().registerEventTimeTimer(due);
    due_.set(due.ms);
  }

  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<std::string>& out) override {
    // At the end of the input all timers fire. That nothing comes after it is no news.
    if (ctx.timerService().currentWatermark() == Timestamp::max()) return;
    out.collect(ctx.getCurrentKey() + " has been silent since " + toString(at - 10min));
    silent_.set(true);
  }

 private:
  ValueState<int64_t> due_;
  ValueState<bool> silent_;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  constexpr int64_t kMinute = 60'000;
  env.fromElements<Reading>({
                                {"hall", 0},
                                {"roof", 1 * kMinute},
                                {"hall", 8 * kMinute},
                                {"hall", 12 * kMinute},  // of the roof nothing since the first minute
                                {"hall", 16 * kMinute},
                                {"roof", 20 * kMinute},
                                {"roof", 27 * kMinute},  // now the hall
                            })
      .assignTimestampsAndWatermarks(
          WatermarkStrategy<Reading>::forGenerator(WithEachReading()).withTimestampAssigner(&Reading::at))
      .keyBy(&Reading::sensor)
      .process(Silence())
      .print();

  env.execute("Silent sensors");
}
