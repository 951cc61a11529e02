// The job that clusters of tests/cluster run on their bad days: numbers at a pace, each into files once; or,
// with --keyed yes, for each number how many there were of its key so far, and their sum.
//
//   flott run paced_job --count 60000 --rate 10000 --keys 100 --keyed yes --out DIR
#include <cstdint>
#include <cstdio>
#include <string>

#include "flott/flott.h"

using namespace flott;

namespace {

struct Seen {
  int64_t key = 0;
  int64_t count = 0;
  int64_t sum = 0;
};

}  // namespace

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& arguments = env.parameters();
  const std::string folder = arguments.get("out", "numbers");
  const int64_t keys = arguments.getInt("keys", 100);
  auto numbers = env.fromGenerator<int64_t>(
      [](int64_t i) { return i; }, {.count = arguments.getInt("count", 1000),
                                    .recordsPerSecond = static_cast<double>(arguments.getInt("rate", 1000))});
  numbers.uid("numbers");
  if (arguments.get("keyed", "no") == "yes") {
    numbers.map([keys](int64_t i) {
             return Seen{i % keys, 1, i};
           })
        .keyBy(&Seen::key)
        .reduce([](const Seen& a, const Seen& b) {
          return Seen{a.key, a.count + b.count, a.sum + b.sum};
        })
        .uid("sums")
        .map([](const Seen& seen) {
          return std::to_string(seen.key) + " " + std::to_string(seen.count) + " " + std::to_string(seen.sum);
        })
        .sinkTo(FileSink<std::string>::forRowFormat(folder))
        .uid("files");
  } else {
    numbers.sinkTo(FileSink<int64_t>::forRowFormat(folder)).uid("files");
  }
  std::puts("the job begins");
  std::fflush(stdout);
  env.execute(arguments.get("job", "Paced"));
  std::puts("the job has ended");
  return 0;
}
