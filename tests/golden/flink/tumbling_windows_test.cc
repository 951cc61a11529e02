#include "tests/golden/flink/play.h"

namespace flott::golden {
namespace {

/// Functions that the other kinds of windows leave out.
bool playMoreFunctions(Scenario& scenario, const TumblingEventTimeWindows& assigner) {
  const std::string function = scenario.get("function");
  const auto of = [](const Line& line) { return line.record; };
  const auto play = [&]<typename Out>(std::type_identity<Out>, auto add) {
    playOne<Out>(
        scenario, [&](const DataStream<Record>& in) { return add(kByKey(in, assigner)); }, of);
    return true;
  };
  const std::type_identity<std::string> text;
  const std::type_identity<Record> record;
  if (function == "min") return play(record, [](auto s) { return s.min(&Record::value); });
  if (function == "max") return play(record, [](auto s) { return s.max(&Record::value); });
  if (function == "minBy") return play(record, [](auto s) { return s.minBy(&Record::value); });
  if (function == "maxBy") return play(record, [](auto s) { return s.maxBy(&Record::value, Tie::kLast); });
  if (function == "mean") return play(text, [](auto s) { return s.aggregate(Mean()); });
  if (function == "reduce") {
    return play(record, [](auto s) {
      return s.reduce([](const Record& a, const Record& b) {
        return Record{a.key, a.value * 10 + b.value, a.extra};
      });
    });
  }
  if (function == "state") {
    return play(text, [&](auto s) {
      return s.trigger(AnyTrigger::of(Words(scenario.get("trigger"))))
          .template process<std::string>(CountFirings<TimeWindow>(originOf(scenario)));
    });
  }
  return false;
}

TEST(FlinkWindows, Tumbling) {
  compareWithFlink("tumbling", 43, [](Scenario& scenario) {
    Words words(scenario.get("window"));
    words.take("tumbling");
    withTumbling(words, [&]<typename Assigner>(const Assigner& assigner) {
      if constexpr (Assigner::kDomain == TimeDomain::kEventTime) {
        if (scenario.has("all")) return playWindows<With::kNothing>(scenario, assigner, kOfAll);
        if (playMoreFunctions(scenario, assigner)) return;
        playWindows<With::kAnything>(scenario, assigner, kByKey);
      } else {
        playWindows<With::kTrigger>(scenario, assigner, kByKey);
      }
    });
  });
}

}  // namespace
}  // namespace flott::golden
