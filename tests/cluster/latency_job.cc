// How long records are under way from one worker to another: events at a fixed rate, each with the time at
// which it was due, over a keyed exchange. Its sink prints percentiles at the end, or when the job is
// stopped.
//
//   flott run -p 2 -D cluster.evenly-spread-out-slots=true latency_job --count 2000000 --rate 100000
#include <algorithm>
#include <cstdio>
#include <vector>

#include "flott/flott.h"

using namespace flott;

namespace {

struct Event {
  int64_t key;
  int64_t dueNanos;
};

constexpr int64_t kKeys = 1000;

class Measure final : public Operator {
 public:
  explicit Measure(int64_t skip) : skip_(skip) {}
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    const int64_t now = context_->env().clock.monotonicNanos();
    for (const Event& event : batch.rows<Event>()) {
      if (skip_-- <= 0) micros_.push_back((now - event.dueNanos) / 1000);
    }
    return Step::kDone;
  }
  void close() noexcept override {
    if (micros_.empty()) return;
    std::sort(micros_.begin(), micros_.end());
    const auto at = [this](double share) {
      return static_cast<long long>(
          micros_[static_cast<size_t>(share * static_cast<double>(micros_.size() - 1))]);
    };
    std::printf("%zu records: p50 %lld us, p99 %lld us, p99.9 %lld us, most %lld us\n", micros_.size(),
                at(0.5), at(0.99), at(0.999), at(1));
  }

 private:
  int64_t skip_;  // while processes warm up
  OperatorContext* context_ = nullptr;
  std::vector<int64_t> micros_;
};

}  // namespace

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const int64_t count = env.parameters().getInt("count", 1'000'000);
  const double rate = env.parameters().getDouble("rate", 100'000);
  env.setBufferTimeout(Duration::millis(0));
  env.fromGenerator<Event>(
         [](const DueRecord& due) {
           return Event{due.index % kKeys, due.dueNanos};
         },
         {.count = count, .recordsPerSecond = rate, .pacingNanos = 30'000})
      .keyBy(&Event::key)
      .maxBy(&Event::dueNanos)
      .transformToSink("measure", operatorFactory<Measure>(count / 20));
  env.execute("latency");
}
