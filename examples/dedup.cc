// Passes on the first click of each user: keyed state in a process function.
#include <cstdint>
#include <string>

#include "flott/flott.h"

using namespace flott;

struct Click {
  int64_t user;
  std::string page;
};

class Dedup : public KeyedProcessFunction<int64_t, Click, Click> {
 public:
  void open(RuntimeContext& ctx) override { seen_ = ctx.state(ValueStateDescriptor<bool>("seen")); }
  void processElement(const Click& click, Context&, Collector<Click>& out) override {
    if (seen_.get()) return;  // of the user at hand: state is looked up by the record's key
    seen_.set(true);
    out.collect(click);
  }

 private:
  ValueState<bool> seen_;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  env.fromElements<Click>({{7, "/"}, {8, "/"}, {7, "/cart"}, {9, "/help"}, {8, "/"}})
      .keyBy(&Click::user)
      .process(Dedup())
      .print();

  env.execute("First clicks");
}
