#include <variant>

#include "flott/api/interval_join.h"
#include "tests/golden/flink/play.h"

namespace flott::golden {
namespace {

using Both = TaggedUnion<Record, Record>;

template <typename Windows>
void playJoin(Scenario& scenario, Windows windows) {
  const auto of = [](const Line& line) {
    return line.right ? Both(std::in_place_index<1>, line.record) : Both(std::in_place_index<0>, line.record);
  };
  playOne<std::string, Both>(scenario, windows, of);
}

/// With the scenario's lateness, and where windows of a kind may have them its trigger and evictor.
template <bool kTriggers, bool kEvictors, typename Joined, typename Apply>
void playVariant(Scenario& scenario, Joined joined, Apply apply) {
  if constexpr (kTriggers) {
    if (scenario.has("trigger")) {
      return playJoin(scenario, [&](const DataStream<Both>& in) {
        return apply(joined(in).trigger(AnyTrigger::of(Words(scenario.get("trigger")))));
      });
    }
  }
  if constexpr (kEvictors) {
    if (scenario.has("evictor")) {
      return playJoin(scenario, [&](const DataStream<Both>& in) {
        return apply(joined(in).evictor(AnyEvictor::of(Words(scenario.get("evictor")))));
      });
    }
  }
  if (scenario.has("trigger") || scenario.has("evictor"))
    throw std::invalid_argument("a trigger or an evictor is not played on joins of this kind");
  playJoin(scenario, [&](const DataStream<Both>& in) {
    const std::string lateness = scenario.has("lateness") ? scenario.get("lateness") : "0";
    return apply(joined(in).allowedLateness(ms(std::stoll(lateness))));
  });
}

template <typename Assigner>
void playWindowJoin(Scenario& scenario, const Assigner& assigner) {
  using Key = MemberSelector<Record, std::string>;
  using Selector = internal::TaggedSelector<Record, Record, Key, Key>;
  const auto windows = [&](const DataStream<Both>& in) {
    return KeyedStream<Both, Selector>(in.handle(), Selector{Key{&Record::key}, Key{&Record::key}})
        .window(assigner);
  };
  using Windowed = decltype(windows(std::declval<const DataStream<Both>&>()));
  constexpr bool kTumbling = std::is_same_v<Assigner, decltype(TumblingEventTimeWindows::of(ms(1)))>;
  if (scenario.get("join") == "pairs") {
    return playVariant<kTumbling, false>(
        scenario,
        [&](const DataStream<Both>& in) { return JoinWindows<Record, Record, Windowed>(windows(in)); },
        [](auto joined) {
          return joined.apply([](const Record& left, const Record& right) {
            return left.key + ": " + std::to_string(left.value) + "-" + std::to_string(right.value);
          });
        });
  }
  playVariant<kTumbling, kTumbling>(
      scenario,
      [&](const DataStream<Both>& in) { return CoGroupWindows<Record, Record, Windowed>(windows(in)); },
      [](auto grouped) {
        return grouped.apply([](const CoGroupRecords<Record>& left, const CoGroupRecords<Record>& right,
                                Collector<std::string>& out) {
          std::string text = (left.empty() ? right : left)[0].key + ":";
          for (const Record& record : left) text += " " + std::to_string(record.value);
          text += " |";
          for (const Record& record : right) text += " " + std::to_string(record.value);
          out.collect(text);
        });
      });
}

void playIntervalJoin(Scenario& scenario) {
  const OutputTag<Record> lateLeft("late left"), lateRight("late right");
  std::vector<OutputTag<Record>> late;
  Words words(scenario.get("join"));
  words.take("interval");
  const Duration lower = ms(words.number()), upper = ms(words.number());
  TwoInputHarness<Record, Record, std::string> harness(
      {}, [&](const DataStream<Record>& left, const DataStream<Record>& right) {
        auto joined = left.keyBy(&Record::key).intervalJoin(right.keyBy(&Record::key)).between(lower, upper);
        while (words.more()) {
          if (words.take("lower-exclusive")) {
            joined.lowerBoundExclusive();
          } else if (words.take("upper-exclusive")) {
            joined.upperBoundExclusive();
          } else if (words.take("late-left")) {
            joined.sideOutputLeftLateData(lateLeft);
            late.push_back(lateLeft);
          } else if (words.take("late-right")) {
            joined.sideOutputRightLateData(lateRight);
            late.push_back(lateRight);
          } else {
            throw std::invalid_argument(words.next());
          }
        }
        return joined.process([](const Record& one, const Record& other, Collector<std::string>& out) {
          out.collect(one.key + ": " + std::to_string(one.value) + "-" + std::to_string(other.value));
        });
      });
  for (const OutputTag<Record>& tag : late) harness.readSideOutput(tag);
  playSteps(
      scenario, harness, late,
      [&](const Line& line) {
        (line.right ? harness.second() : harness.first()).push(line.record, *line.at);
      },
      [&](const std::string& side, int64_t time) {
        if (side != "right") harness.first().watermark(time);
        if (side != "left") harness.second().watermark(time);
      });
}

TEST(FlinkWindows, Joins) {
  compareWithFlink("joins", 19, [](Scenario& scenario) {
    if (scenario.get("join").starts_with("interval")) return playIntervalJoin(scenario);
    Words words(scenario.get("window"));
    if (words.take("tumbling")) {
      words.take("event");
      return playWindowJoin(scenario, TumblingEventTimeWindows::of(ms(words.number())));
    }
    if (words.take("sliding")) {
      words.take("event");
      const Duration size = ms(words.number());
      return playWindowJoin(scenario, SlidingEventTimeWindows::of(size, ms(words.number())));
    }
    words.take("session");
    words.take("event");
    playWindowJoin(scenario, EventTimeSessionWindows::withGap(ms(words.number())));
  });
}

}  // namespace
}  // namespace flott::golden
