#include "bench/loops/count_window.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Outcome countWindowJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(env, load.size,
                                   [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                     KeyValue* at = rows.extend(count);
                                     for (uint64_t i = 0; i < count; ++i)
                                       at[i] = countWindowInput(index + i * stride);
                                   });
  foldInto(input.keyBy(&KeyValue::key).countWindow(kCountWindow).sum(&KeyValue::value), total);
  env.execute("count-window");
  return total->outcome(load.size);
}

}  // namespace flott::bench
