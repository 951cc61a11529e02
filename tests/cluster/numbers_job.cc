// The job of tests/cluster_test.sh: numbers into files, each once; or, with --keyed yes, for each number how
// many there were of its key so far, and their sum. The same program is the master and the workers.
//
//   numbers_job --role master --count 1000 --out DIR -D parallelism.default=4    prints the port that it
//   listens on numbers_job --role worker --name w1 --slots 2 --port PORT …                  with the same
//   arguments beside
#include <cstdint>
#include <cstdio>
#include <string>

#include "flott/cluster/processes.h"
#include "flott/flott.h"

using namespace flott;

namespace {

constexpr int64_t kKeys = 100;

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
  const DataStream<int64_t> numbers = env.fromGenerator<int64_t>(
      [](int64_t i) { return i; }, {.count = arguments.getInt("count", 1000),
                                    .recordsPerSecond = static_cast<double>(arguments.getInt("rate", 1000))});
  if (arguments.get("keyed", "no") == "yes") {
    numbers.map([](int64_t i) {
             return Seen{i % kKeys, 1, i};
           })
        .keyBy(&Seen::key)
        .reduce([](const Seen& a, const Seen& b) {
          return Seen{a.key, a.count + b.count, a.sum + b.sum};
        })
        .map([](const Seen& seen) {
          return std::to_string(seen.key) + " " + std::to_string(seen.count) + " " + std::to_string(seen.sum);
        })
        .sinkTo(FileSink<std::string>::forRowFormat(folder));
  } else {
    numbers.sinkTo(FileSink<int64_t>::forRowFormat(folder));
  }
  const JobGraph graph = compile(env.program()->takeGraph("numbers"));
  const Env world = env.host()->env();
  try {
    if (arguments.get("role", "") == "master") {
      const JobResult result =
          runMaster(graph, env.program()->configuration(), world, {.onListening = [](const MasterAnswer& at) {
                      std::printf("%d\n", at.port);
                      std::fflush(stdout);
                    }});
      std::printf("%s after %d restarts\n", std::string(toString(result.status)).c_str(), result.restarts);
      if (result.error) std::printf("%s\n", result.error->what());
      return result.status == JobStatus::kFinished ? 0 : 1;
    }
    runWorker(graph, world,
              {.name = arguments.get("name", "w"),
               .slots = static_cast<int>(arguments.getInt("slots", 1)),
               .port = static_cast<uint16_t>(arguments.getInt("port", 0))});
    return 0;
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
