// The job of tests/cluster_test.sh: numbers into files, each once. The same program is the master and the
// workers.
//
//   numbers_job --role master --count 1000 --out DIR -D parallelism.default=4    prints the port that it
//   listens on numbers_job --role worker --name w1 --slots 2 --port PORT …                  with the same
//   arguments beside
#include <cstdint>
#include <cstdio>

#include "flott/cluster/processes.h"
#include "flott/flott.h"

using namespace flott;

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& arguments = env.parameters();
  env.fromGenerator<int64_t>([](int64_t i) { return i; },
                             {.count = arguments.getInt("count", 1000),
                              .recordsPerSecond = static_cast<double>(arguments.getInt("rate", 1000))})
      .sinkTo(FileSink<int64_t>::forRowFormat(arguments.get("out", "numbers")));
  const JobGraph graph = compile(env.program()->takeGraph("numbers"));
  const Env world = env.host()->env();
  try {
    if (arguments.get("role", "") == "master") {
      const JobResult result =
          runMaster(graph, env.program()->configuration(), world, {.onListening = [](uint16_t port) {
                      std::printf("%d\n", port);
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
