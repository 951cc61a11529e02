// Files that hold each record once, whatever happens: killed at any moment, the program goes on from its last
// checkpoint, and the finished files have every number once.
//
//   exactly_once_files --out /tmp/numbers -D execution.checkpointing.interval=1s
//     -D execution.checkpointing.dir=/tmp/numbers-checkpoints
//   exactly_once_files … -D execution.state-recovery.path=/tmp/numbers-checkpoints/5f2c…/chk-41
#include <chrono>
#include <cstdint>

#include "flott/flott.h"

using namespace flott;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  env.fromGenerator<int64_t>([](int64_t i) { return i; },
                             {.count = env.parameters().getInt("count", 1000),
                              .recordsPerSecond = static_cast<double>(env.parameters().getInt("rate", 1000))})
      .sinkTo(FileSink<int64_t>::forRowFormat(env.parameters().get("out", "numbers"))
                  .withRollingPolicy({.maxSize = MemorySize::mb(1), .interval = 10s})
                  .withOutputFileConfig("numbers", ".txt"));

  env.execute("Exactly once");
}
