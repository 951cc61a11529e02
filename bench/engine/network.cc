#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"
#include "bench/engine/two_workers.h"
#include "bench/loops/exchange.h"
#include "bench/loops/keyed_sum.h"

namespace flott::bench {
namespace {

std::shared_ptr<Folded> buildKeyedSum(StreamExecutionEnvironment& env, uint64_t size) {
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(env, size,
                                   [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                     KeyValue* at = rows.extend(count);
                                     for (uint64_t i = 0; i < count; ++i)
                                       at[i] = keyedSumInput(index + i * stride);
                                   });
  foldInto(input.keyBy(&KeyValue::key).sum(&KeyValue::value), total);
  return total;
}

}  // namespace

// Each worker has a source and a sum: half of the records go over the connection.
Outcome networkKeyedSumJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment({.size = load.size, .lanes = 2});
  const auto total = buildKeyedSum(env, load.size);
  runOnTwoWorkers(env, "network-keyed-sum", [](int, int subtask) { return subtask; });
  return total->outcome(load.size);
}

Outcome twoLaneKeyedSumJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment({.size = load.size, .lanes = 2});
  const auto total = buildKeyedSum(env, load.size);
  env.execute("keyed-sum");
  return total->outcome(load.size);
}

// The source in one worker, the sink in the other.
Outcome networkForwardJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment({.size = load.size, .lanes = 1});
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(env, load.size,
                                   [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                     KeyValue* at = rows.extend(count);
                                     for (uint64_t i = 0; i < count; ++i)
                                       at[i] = exchangeInput(index + i * stride);
                                   });
  input.setParallelism(1).slotSharingGroup("source");
  foldInto(input.forward(), total).setParallelism(1).slotSharingGroup("sink");
  runOnTwoWorkers(env, "network-forward", [](int vertex, int) { return vertex; });
  return total->outcome(load.size);
}

}  // namespace flott::bench
