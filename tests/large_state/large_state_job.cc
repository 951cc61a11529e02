// The job of tests/large_state_test.sh: a text of each key is set, replaced and read, and all that is found
// is what has to be there. Fails at the first that is not.
//
//   large_state_job --keys 100000 --bytes 1000 -D state.backend.type=rocksdb
#include <cstdint>
#include <stdexcept>
#include <string>

#include "flott/flott.h"

using namespace flott;

struct Visit {
  int64_t key = 0;
  int64_t round = 0;
};

// Hard to compress, so that the state is as large on disk as it is in memory.
std::string textOf(int64_t key, int64_t round, int64_t bytes) {
  std::string text(static_cast<size_t>(bytes), '\0');
  uint64_t word = static_cast<uint64_t>(key) * 3 + static_cast<uint64_t>(round) + 1;
  for (char& letter : text) {
    word = word * 6364136223846793005U + 1442695040888963407U;
    letter = static_cast<char>(word >> 56);
  }
  return text;
}

// Rounds 0 and 1 set the text of a key, round 2 only looks.
class KeepText : public KeyedProcessFunction<int64_t, Visit, int64_t> {
 public:
  explicit KeepText(int64_t bytes) : bytes_(bytes) {}
  void open(RuntimeContext& context) override {
    text_ = context.state(ValueStateDescriptor<std::string>("text"));
  }
  void processElement(const Visit& visit, Context&, Collector<int64_t>& out) override {
    const std::string expected =
        visit.round == 0 ? std::string() : textOf(visit.key, visit.round - 1, bytes_);
    if (text_.get() != expected) {
      throw std::runtime_error("key " + std::to_string(visit.key) + " does not have the text of round " +
                               std::to_string(visit.round - 1));
    }
    if (visit.round < 2) {
      text_.set(textOf(visit.key, visit.round, bytes_));
    } else {
      out.collect(visit.key);
    }
  }

 private:
  int64_t bytes_;
  ValueState<std::string> text_;
};

class CountTo : public KeyedProcessFunction<bool, int64_t, std::string> {
 public:
  explicit CountTo(int64_t count) : wanted_(count) {}
  void open(RuntimeContext& context) override {
    seen_ = context.state(ValueStateDescriptor<int64_t>("seen"));
  }
  void processElement(const int64_t&, Context&, Collector<std::string>& out) override {
    const int64_t seen = seen_.get() + 1;
    seen_.set(seen);
    if (seen == wanted_) out.collect("all " + std::to_string(seen) + " keys have their text");
  }

 private:
  int64_t wanted_;
  ValueState<int64_t> seen_;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const int64_t keys = env.parameters().getInt("keys", 100'000);
  const int64_t bytes = env.parameters().getInt("bytes", 1000);
  env.fromGenerator<Visit>(
         [keys](int64_t i) {
           return Visit{i % keys, i / keys};
         },
         {.count = 3 * keys})
      .keyBy(&Visit::key)
      .process(KeepText(bytes))
      .keyBy([](const int64_t&) { return true; })
      .process(CountTo(keys))
      .print();
  env.execute("State larger than memory");
}
