// The job of tests/rest_test.sh: endless numbers, counted by key, with accumulators, watermarks and one
// failure, after which it goes on. `--linger yes`: the program ends with its standard input, so that it can
// be asked about a job that has ended.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "flott/flott.h"

using namespace flott;

namespace {

struct Seen {
  int64_t key = 0;
  int64_t count = 0;
};

std::atomic<bool> hasFailed{false};  // functions begin anew with each attempt

class Count {
 public:
  void open(RuntimeContext& context) { numbers_ = &context.accumulator<LongCounter>("numbers"); }
  Seen operator()(int64_t number) {
    numbers_->add(1);
    return {number % 10, 1};
  }

 private:
  LongCounter* numbers_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const bool lingers = env.parameters().get("linger", "no") == "yes";
  env.fromGenerator<int64_t>([](int64_t i) { return i; }, {.recordsPerSecond = 200})
      .name("numbers")
      .map(Count())
      .name("count")
      .keyBy(&Seen::key)
      .reduce([](const Seen& a, const Seen& b) {
        if (a.key == 3 && a.count == 5 && !hasFailed.exchange(true))
          throw std::runtime_error("five is enough");
        return Seen{a.key, a.count + b.count};
      })
      .name("sum <&> \"quoted\"")
      .addSink([](const Seen&) {});
  env.execute("Rest");
  while (lingers && std::getchar() != EOF) {
  }
  return 0;
}
