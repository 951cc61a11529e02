#include "tests/golden/flink/play.h"

namespace flott::golden {
namespace {

/// `bound: MS` is `WATERMARK FOR ts AS ts - MS` of SQL: each record that raises the watermark is followed by
/// it.
Scenario withWatermarks(const Scenario& scenario) {
  if (!scenario.has("bound")) return scenario;
  const int64_t bound = std::stoll(scenario.get("bound"));
  Scenario with = scenario;
  with.steps.clear();
  std::optional<int64_t> highest;
  for (const Step& step : scenario.steps) {
    with.steps.push_back(step);
    if (step.input == "end") continue;
    const int64_t at = Line(step.input).at.value();
    if (highest && at <= *highest) continue;
    highest = at;
    with.steps.push_back({"watermark " + std::to_string(at - bound), {}});
  }
  return with;
}

/// What came out at a watermark of withWatermarks belongs to the record before it.
void takeOutput(Scenario& scenario, const Scenario& with) {
  auto step = scenario.steps.begin();
  for (const Step& played : with.steps) {
    if (step != scenario.steps.end() && played.input == step->input) ++step;
    Texts& output = (step - 1)->output;
    output.insert(output.end(), played.output.begin(), played.output.end());
  }
  scenario.dropped = with.dropped;
}

TEST(FlinkWindows, Cumulating) {
  compareWithFlink("cumulating", 16, [](Scenario& scenario) {
    Words words(scenario.get("window"));
    if (!words.take("cumulating") || !words.take("event"))
      throw std::invalid_argument("window " + scenario.get("window"));
    const Duration size = ms(words.number());
    const Duration step = ms(words.number());
    const Duration offset = words.take("offset") ? ms(words.number()) : Duration();
    const auto assigner = CumulatingEventTimeWindows::of(size, step, offset);
    Scenario with = withWatermarks(scenario);
    const auto windows = [&](const DataStream<Record>& in) {
      return kByKey(in, assigner).aggregate<std::string>(Mean(), WithWindow{0});
    };
    playOne<std::string>(with, windows, [](const Line& line) { return line.record; });
    takeOutput(scenario, with);
  });
}

}  // namespace
}  // namespace flott::golden
