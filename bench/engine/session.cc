#include "bench/loops/session.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Outcome sessionJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  env.configuration().set(kAutoWatermarkInterval, Duration::millis(5));  // as in tumbling.cc
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(env, load.size,
                                   [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                     KeyValue* at = rows.extend(count);
                                     int64_t* timestamps = rows.enableTimestamps();
                                     for (uint64_t i = 0; i < count; ++i) {
                                       at[i] = sessionInput(index + i * stride);
                                       timestamps[i] = tumblingTimestamp(index + i * stride);
                                     }
                                   });
  auto sums = input.assignTimestampsAndWatermarks(WatermarkStrategy<KeyValue>::forMonotonousTimestamps())
                  .keyBy(&KeyValue::key)
                  .window(EventTimeSessionWindows::withGap(Duration::millis(kSessionGapMs)))
                  .sum(&KeyValue::value);
  const auto foldRow = [](const Rows<KeyValue>& rows, size_t i) {
    return fold(WindowSum{rows[i], rows.timestamps()[i]});
  };
  sums.transformToSink("fold", operatorFactory<FoldSink<KeyValue, decltype(foldRow)>>(foldRow, total));
  env.execute("session");
  return total->outcome(load.size);
}

}  // namespace flott::bench
