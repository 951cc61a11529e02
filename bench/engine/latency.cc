#include <mutex>

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"
#include "bench/loops/hand_off.h"

namespace flott::bench {
namespace {

struct Event {
  int64_t key;
  int64_t dueNanos;
};

struct Latencies {
  std::mutex mutex;
  std::vector<int64_t> nanos;
  uint64_t checksum = 0;
};

class LatencySink final : public Operator {
 public:
  explicit LatencySink(std::shared_ptr<Latencies> all) : all_(std::move(all)) {}
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    const int64_t now = context_->env().clock.monotonicNanos();
    for (const Event& event : batch.rows<Event>()) {
      nanos_.push_back(now - event.dueNanos);
      checksum_ += static_cast<uint64_t>(event.key);
    }
    return Step::kDone;
  }
  void close() noexcept override {
    const std::lock_guard lock(all_->mutex);
    all_->nanos.insert(all_->nanos.end(), nanos_.begin(), nanos_.end());
    all_->checksum += checksum_;
  }

 private:
  std::shared_ptr<Latencies> all_;
  OperatorContext* context_ = nullptr;
  std::vector<int64_t> nanos_;
  uint64_t checksum_ = 0;
};

}  // namespace

// The source on one lane, the keyed operator on the other.
Outcome latencyJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  env.setBufferTimeout(Duration::millis(0));
  auto all = std::make_shared<Latencies>();
  auto events = env.fromGenerator<Event>(
      [](const DueRecord& due) {
        return Event{latencyKey(static_cast<uint64_t>(due.index)), due.dueNanos};
      },
      {.count = static_cast<int64_t>(load.size),
       .recordsPerSecond = 1e9 / kLatencyPeriodNs,
       .pacingNanos = 30'000});
  events.setParallelism(1).slotSharingGroup("source");
  events.keyBy(&Event::key)
      .maxBy(&Event::dueNanos)
      .setParallelism(1)
      .slotSharingGroup("keyed")
      .transformToSink("measure", operatorFactory<LatencySink>(all))
      .setParallelism(1);  // chained: one exchange is what is measured
  env.execute("latency");
  const uint64_t results = all->nanos.size();
  return {.records = load.size,
          .results = results,
          .checksum = all->checksum,
          .latency = percentilesOf(all->nanos)};
}

}  // namespace flott::bench
