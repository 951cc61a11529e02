// What a job tells about itself: metrics, which can be read while it runs, and accumulators, which are merged
// over all subtasks for the program that started the job.
#include <cstdint>
#include <cstdio>
#include <string>

#include "flott/flott.h"

using namespace flott;

// A function with open(): metrics and accumulators are got there, once, and are plain objects afterwards.
class Measure {
 public:
  void open(RuntimeContext& ctx) {
    empty_ = &ctx.counter("empty");
    lengths_ = &ctx.histogram("lengths");
    bytes_ = &ctx.accumulator<LongCounter>("bytes");
  }
  int64_t operator()(const std::string& line) {
    const auto length = static_cast<int64_t>(line.size());
    if (length == 0) empty_->add();
    lengths_->update(length);
    bytes_->add(length);
    return length;
  }

 private:
  Counter* empty_ = nullptr;
  Histogram* lengths_ = nullptr;
  LongCounter* bytes_ = nullptr;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  env.fromElements<std::string>({"one", "", "three", "eleven"})
      .map(Measure())
      .name("measure")
      .addSink([](int64_t) {})
      .name("nowhere");

  const JobExecutionResult result = env.execute("Metrics");
  std::printf("bytes: %lld\n", static_cast<long long>(result.accumulator<LongCounter>("bytes").value()));
  std::printf("empty lines: %lld\n", static_cast<long long>(result.counter("measure", "empty")));
}
