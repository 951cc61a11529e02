#include "bench/loops/keyed_sum.h"

#include "bench/engine/checkpointing.h"
#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"
#include "bench/engine/temporary_folder.h"
#include "bench/loops/keyed_sum_rocksdb.h"

namespace flott::bench {
namespace {

Outcome keyedSum(const Load& load, const Configuration& configuration) {
  StreamExecutionEnvironment env = benchEnvironment(load, configuration);
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(env, load.size,
                                   [](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                     KeyValue* at = rows.extend(count);
                                     for (uint64_t i = 0; i < count; ++i)
                                       at[i] = keyedSumInput(index + i * stride);
                                   });
  foldInto(input.keyBy(&KeyValue::key).sum(&KeyValue::value), total);
  const JobExecutionResult result = env.execute("keyed-sum");
  Outcome outcome = total->outcome(load.size);
  outcome.checkpointing = checkpointingOf(result.details().checkpoints);
  return outcome;
}

}  // namespace

Outcome keyedSumJob(const Load& load) { return keyedSum(load, {}); }

Outcome keyedSumCheckpointJob(const Load& load) {
  const TemporaryFolder folder;
  Configuration configuration;
  configuration.set(kCheckpointInterval, Duration::millis(1000));
  configuration.set(kCheckpointDir, folder.path());
  return keyedSum(load, configuration);
}

Outcome keyedSumRocksDbJob(const Load& load) {
  Configuration configuration;
  configuration.set(kStateBackend, "rocksdb");
  return keyedSum(load, configuration);
}

Outcome keyedSumRocksDbColdJob(const Load& load) {
  Configuration configuration;
  configuration.set(kStateBackend, "rocksdb");
  configuration.set(kRocksDbManagedMemory, false);
  configuration.set(kRocksDbCache, MemorySize(kColdMemory.bytes / 2));
  configuration.set(kRocksDbBlockCache, MemorySize(kColdMemory.bytes / 2));
  configuration.set(kRocksDbWriteBuffer, kColdWriteBuffer);
  return keyedSum(load, configuration);
}

}  // namespace flott::bench
