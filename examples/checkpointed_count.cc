// Counts that survive the end of the process: killed, it goes on from its last checkpoint, wherever that
// lies.
//
//   checkpointed_count -D execution.checkpointing.interval=1s -D execution.checkpointing.dir=/tmp/count
//   checkpointed_count … -D execution.state-recovery.path=/tmp/count/5f2c…/chk-41
#include <cstdint>

#include "flott/flott.h"

using namespace flott;

struct KeyCount {
  int64_t key;
  int64_t count;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  env.fromGenerator<KeyCount>(
         [](int64_t i) {
           return KeyCount{i % 10, 1};
         },
         {.count = env.parameters().getInt("count", 1000),
          .recordsPerSecond = static_cast<double>(env.parameters().getInt("rate", 1000))})
      .keyBy(&KeyCount::key)
      .sum(&KeyCount::count)
      .print();

  env.execute("Checkpointed count");
}
