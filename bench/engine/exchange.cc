#include "bench/loops/exchange.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {
namespace {

auto exchangeStream(StreamExecutionEnvironment& env, const Load& load) {
  return generated<KeyValue>(env, load.size,
                             [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                               KeyValue* at = rows.extend(count);
                               for (uint64_t i = 0; i < count; ++i) at[i] = exchangeInput(index + i * stride);
                             });
}

}  // namespace

// Two slot sharing groups, so that the sink has a slot, and with it a lane, of its own.
Outcome exchangeForwardJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  auto total = std::make_shared<Folded>();
  auto input = exchangeStream(env, load);
  input.setParallelism(1).slotSharingGroup("source");
  foldInto(input.forward(), total).setParallelism(1).slotSharingGroup("sink");
  env.execute("exchange-forward");
  return total->outcome(load.size);
}

// One source, and two receiving subtasks, one on each lane: every batch is hashed and split in two.
Outcome exchangeHashJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  auto total = std::make_shared<Folded>();
  auto input = exchangeStream(env, load);
  input.setParallelism(1).slotSharingGroup("source");
  const auto foldRow = [](const Rows<KeyValue>& rows, size_t i) { return fold(rows[i]); };
  DataStreamSink(
      input.keyBy(&KeyValue::key)
          .handle()
          .apply(sinkNode("fold", operatorFactory<FoldSink<KeyValue, decltype(foldRow)>>(foldRow, total))))
      .setParallelism(2)
      .slotSharingGroup("sink");
  env.execute("exchange-hash");
  return total->outcome(load.size);
}

}  // namespace flott::bench
