#include "bench/loops/exchange.h"

#include <algorithm>
#include <thread>

#include "bench/loops/batch_ring.h"

namespace flott::bench {
namespace {

void produce(uint64_t records, BatchRing& ring) {
  for (uint64_t next = 0; next < records;) {
    BatchRing::Batch& batch = ring.claim();
    batch.size = static_cast<uint32_t>(std::min<uint64_t>(BatchRing::kRecords, records - next));
    for (uint32_t i = 0; i < batch.size; ++i) batch.records[i] = exchangeInput(next + i);
    next += batch.size;
    ring.publish();
  }
}

Outcome consume(uint64_t records, BatchRing& ring) {
  Outcome outcome{.records = records, .results = 0, .checksum = 0, .latency = {}};
  while (outcome.results < records) {
    const BatchRing::Batch& batch = ring.front();
    uint64_t sum = 0;
    for (uint32_t i = 0; i < batch.size; ++i) sum += fold(batch.records[i]);
    outcome.checksum += sum;
    outcome.results += batch.size;
    ring.release();
  }
  return outcome;
}

}  // namespace

Outcome exchangeLoop(const Load& load) {
  BatchRing ring;
  std::thread producer([&] { produce(load.size, ring); });
  const Outcome outcome = consume(load.size, ring);
  producer.join();
  return outcome;
}

}  // namespace flott::bench
