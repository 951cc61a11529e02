#include "tests/golden/flink/play.h"

namespace flott::golden {
namespace {

TEST(FlinkWindows, Sessions) {
  compareWithFlink("session", 27, [](Scenario& scenario) {
    Words words(scenario.get("window"));
    words.take("session");
    withSession(words, [&]<typename Assigner>(const Assigner& assigner) {
      constexpr bool kUsual = std::is_same_v<Assigner, decltype(EventTimeSessionWindows::withGap(ms(1)))>;
      if constexpr (kUsual) {
        if (scenario.has("all")) return playWindows<With::kNothing>(scenario, assigner, kOfAll);
      }
      playWindows<kUsual ? With::kAnything : With::kTrigger>(scenario, assigner, kByKey);
    });
  });
}

}  // namespace
}  // namespace flott::golden
