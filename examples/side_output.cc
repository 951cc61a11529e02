// Splits a stream: numbers go on, and what is no number goes to a side output with its reason.
#include <charconv>
#include <cstdint>
#include <string>

#include "flott/flott.h"

using namespace flott;

struct Rejected {
  std::string text;
  std::string reason;
};

const OutputTag<Rejected> kRejected("rejected");

void parseNumber(const std::string& text, ProcessContext& ctx, Collector<int64_t>& out) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) {
    ctx.output(kRejected, {text, "does not fit into 64 bits"});
  } else if (error != std::errc() || end != text.data() + text.size()) {
    ctx.output(kRejected, {text, "is not a number"});
  } else {
    out.collect(number);
  }
}

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  auto numbers =
      env.fromElements<std::string>({"12", "twelve", "99999999999999999999", "-7"}).process(parseNumber);
  numbers.print("number");
  numbers.getSideOutput(kRejected).print("rejected");

  env.execute("Numbers");
}
