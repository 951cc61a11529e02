#include "bench/loops/interval_join.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {
namespace {

/// The events of one side, which has every second index from `first` on.
auto side(StreamExecutionEnvironment& env, uint64_t count, uint64_t first) {
  return generated<KeyValue>(env, count,
                             [first](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t n) {
                               KeyValue* at = rows.extend(n);
                               int64_t* timestamps = rows.enableTimestamps();
                               for (uint64_t i = 0; i < n; ++i) {
                                 const uint64_t event = 2 * (index + i * stride) + first;
                                 at[i] = joinInput(event);
                                 timestamps[i] = joinTimestamp(event);
                               }
                             })
      .assignTimestampsAndWatermarks(WatermarkStrategy<KeyValue>::forMonotonousTimestamps());
}

}  // namespace

// Watermarks are asked for every 5 ms, as in the tumbling case.
Outcome intervalJoinJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  env.configuration().set(kAutoWatermarkInterval, Duration::millis(5));
  auto total = std::make_shared<Folded>();
  auto pairs = side(env, (load.size + 1) / 2, 0)
                   .keyBy(&KeyValue::key)
                   .intervalJoin(side(env, load.size / 2, 1).keyBy(&KeyValue::key))
                   .between(Duration(-kJoinReachMs), Duration(kJoinReachMs))
                   .process([](const KeyValue& left, const KeyValue& right, Collector<JoinedPair>& out) {
                     out.emplace(left.key, left.value, right.value);
                   });
  const auto foldRow = [](const Rows<JoinedPair>& rows, size_t i) {
    return fold(StampedPair{rows[i], rows.timestamps()[i]});
  };
  pairs.transformToSink("fold", operatorFactory<FoldSink<JoinedPair, decltype(foldRow)>>(foldRow, total));
  env.execute("interval-join");
  return total->outcome(load.size);
}

}  // namespace flott::bench
