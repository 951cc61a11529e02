#include "bench/loops/sliding.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

namespace {

// Adds `more` to each value. Records come with their event time, as from a log. Watermarks are asked for
// every 5 ms: the input runs through 100 s of event time a second, of which Flink's 200 ms would keep two
// windows open at a time.
template <int64_t more, typename Assigner>
Outcome windowSums(const Load& load, const char* name, Assigner assigner) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  env.configuration().set(kAutoWatermarkInterval, Duration::millis(5));
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(env, load.size,
                                   [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                     KeyValue* at = rows.extend(count);
                                     int64_t* timestamps = rows.enableTimestamps();
                                     for (uint64_t i = 0; i < count; ++i) {
                                       at[i] = tumblingInput(index + i * stride);
                                       at[i].value += more;
                                       timestamps[i] = tumblingTimestamp(index + i * stride);
                                     }
                                   });
  auto sums = input.assignTimestampsAndWatermarks(WatermarkStrategy<KeyValue>::forMonotonousTimestamps())
                  .keyBy(&KeyValue::key)
                  .window(std::move(assigner))
                  .sum(&KeyValue::value);
  const auto foldRow = [](const Rows<KeyValue>& rows, size_t i) {
    return fold(WindowSum{rows[i], rows.timestamps()[i]});
  };
  sums.transformToSink("fold", operatorFactory<FoldSink<KeyValue, decltype(foldRow)>>(foldRow, total));
  env.execute(name);
  return total->outcome(load.size);
}

}  // namespace

Outcome tumblingJob(const Load& load) {
  return windowSums<0>(load, "tumbling", TumblingEventTimeWindows::of(Duration::millis(kTumblingWindowMs)));
}

Outcome slidingJob(const Load& load) {
  return windowSums<1>(
      load, "sliding",
      SlidingEventTimeWindows::of(Duration::millis(kTumblingWindowMs), Duration::millis(kSlideMs)));
}

}  // namespace flott::bench
