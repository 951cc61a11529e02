#include "bench/loops/keyed_sum.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Outcome keyedSumJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(env, load.size,
                                   [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                     KeyValue* at = rows.extend(count);
                                     for (uint64_t i = 0; i < count; ++i)
                                       at[i] = keyedSumInput(index + i * stride);
                                   });
  foldInto(input.keyBy(&KeyValue::key).sum(&KeyValue::value), total);
  env.execute("keyed-sum");
  return total->outcome(load.size);
}

}  // namespace flott::bench
