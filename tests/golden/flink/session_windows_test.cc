#include "tests/golden/flink/play.h"

namespace flott::golden {
namespace {

TEST(FlinkWindows, Sessions) {
  compareWithFlink("session", 27, [](Scenario& scenario) {
    Words words(scenario.get("window"));
    words.take("session");
    withSession(words, [&](const auto& assigner) {
      if (scenario.has("all")) return playWindows(scenario, assigner, kOfAll);
      playWindows(scenario, assigner, kByKey);
    });
  });
}

}  // namespace
}  // namespace flott::golden
