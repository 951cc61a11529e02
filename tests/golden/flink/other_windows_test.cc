#include "tests/golden/flink/play.h"

namespace flott::golden {
namespace {

TEST(FlinkWindows, Sliding) {
  compareWithFlink("sliding", 15, [](Scenario& scenario) {
    Words words(scenario.get("window"));
    words.take("sliding");
    withSliding(words, [&]<typename Assigner>(const Assigner& assigner) {
      if constexpr (Assigner::kDomain == TimeDomain::kEventTime) {
        if (scenario.has("all")) return playWindows<With::kNothing>(scenario, assigner, kOfAll);
        playWindows<With::kAnything>(scenario, assigner, kByKey);
      } else {
        playWindows<With::kNothing>(scenario, assigner, kByKey);
      }
    });
  });
}

TEST(FlinkWindows, GlobalAndCount) {
  compareWithFlink("global", 22, [](Scenario& scenario) {
    Words words(scenario.get("window"));
    if (words.take("global")) return playWindows<With::kAnything>(scenario, GlobalWindows::create(), kByKey);
    words.take("count");
    const int64_t size = words.number();
    const CountWindows assigner = CountWindows::of(size, words.more() ? words.number() : size);
    if (scenario.has("all")) return playWindows<With::kNothing>(scenario, assigner, kOfAll);
    playWindows<With::kNothing>(scenario, assigner, kByKey);
  });
}

}  // namespace
}  // namespace flott::golden
