// What Flink's documents say of each assigner, trigger and evictor, on short streams. Each expectation names
// where it comes from: [windows] is the page "DataStream API / Operators / Windows", other names are the
// class's javadoc.
#include <gtest/gtest.h>

#include <chrono>

#include "flott/api/operator_harness.h"
#include "flott/api/windowed_stream.h"

namespace flott {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

struct Reading {
  int64_t sensor = 0;
  int64_t value = 0;
  int64_t gap = 1;
};
using Harness = OneInputHarness<Reading, std::string>;

/// Puts out the values that the window holds, and for windows of time where they end.
struct List {
  template <typename W>
  void process(const int64_t&, BasicWindowContext<W>& context, std::span<const Reading> readings,
               Collector<std::string>& out) {
    std::string text;
    for (const Reading& reading : readings) text += (text.empty() ? "" : " ") + std::to_string(reading.value);
    if constexpr (std::is_same_v<W, TimeWindow>) {
      text +=
          " in " + std::to_string(context.window().start.ms) + ".." + std::to_string(context.window().end.ms);
    }
    out.collect(text);
  }
};

/// run(harness) in all modes; `windows` makes windowed streams of keyed ones.
template <typename Windows, typename Run>
void check(Windows windows, Run run) {
  inAllModes([&](const HarnessOptions& options) {
    Harness harness(options, [&](const DataStream<Reading>& in) {
      return windows(in.keyBy(&Reading::sensor)).template process<std::string>(List());
    });
    run(harness);
  });
}

void push(Harness& harness, const std::vector<std::pair<int64_t, int64_t>>& valuesAt) {
  std::vector<std::pair<Reading, int64_t>> readings;
  for (const auto& [value, at] : valuesAt) readings.push_back({{1, value}, at});
  harness.pushStamped(readings);
}

// [windows] "Session Windows": a session window closes when it does not receive elements for a certain period
// of time; each record makes a window of its own, and windows are merged when they are closer to each other
// than the gap.
TEST(WindowSemantics, SessionWindows) {
  check([](auto keyed) { return keyed.window(EventTimeSessionWindows::withGap(10ms)); },
        [](Harness& harness) {
          push(harness, {{1, 0}, {2, 5}, {3, 30}, {4, 14}});
          harness.watermark(23);
          EXPECT_EQ(harness.takeEvents(), (Texts{"1 2 4 in 0..24 @ 23", "watermark 23"}));
          harness.endOfInput();
          EXPECT_EQ(harness.takeEvents(), (Texts{"3 in 30..40 @ 39", "watermark max", "end"}));
        });
}

// [windows] "Session Windows", dynamic gaps: a SessionWindowTimeGapExtractor says the gap for each element.
TEST(WindowSemantics, SessionWindowsWithDynamicGap) {
  check(
      [](auto keyed) {
        return keyed.window(EventTimeSessionWindows::withDynamicGap(
            [](const Reading& reading) { return Duration(reading.gap); }));
      },
      [](Harness& harness) {
        harness.pushStamped({{{1, 1, 50}, 0}, {{1, 2, 5}, 49}, {{1, 3, 5}, 60}});
        harness.watermark(100);
        EXPECT_EQ(harness.takeEvents(), (Texts{"1 2 in 0..54 @ 53", "3 in 60..65 @ 64", "watermark 100"}));
      });
}

// [windows] "Global Windows": this scheme is only useful with a custom trigger, otherwise no computation will
// be performed. "Allowed lateness": with GlobalWindows no data is ever considered late.
TEST(WindowSemantics, GlobalWindows) {
  check([](auto keyed) { return keyed.window(GlobalWindows::create()); },
        [](Harness& harness) {
          push(harness, {{1, 0}, {2, 5}});
          harness.watermark(1000);
          push(harness, {{3, 0}});
          harness.endOfInput();
          EXPECT_EQ(harness.takeEvents(), (Texts{"watermark 1000", "watermark max", "end"}));
          EXPECT_EQ(harness.counter("numLateRecordsDropped"), 0);
        });
}

// KeyedStream.countWindow(size): tumbling count windows; countWindow(size, slide): sliding ones, of which the
// first are smaller (GlobalWindows with CountEvictor(size) and CountTrigger(slide)).
TEST(WindowSemantics, CountWindows) {
  check([](auto keyed) { return keyed.countWindow(2); },
        [](Harness& harness) {
          push(harness, {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}});
          EXPECT_EQ(harness.takeEvents(), (Texts{"1 2 @ 0", "3 4 @ 0"}));
        });
  const auto sliding = [](Harness& harness) {
    push(harness, {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}});
    EXPECT_EQ(harness.takeEvents(), (Texts{"1 2 @ 0", "2 3 4 @ 0", "4 5 6 @ 0"}));
  };
  check([](auto keyed) { return keyed.countWindow(3, 2); }, sliding);
  check(
      [](auto keyed) {
        return keyed.window(GlobalWindows::create())
            .evictor(CountEvictor::of(3))
            .trigger(CountTrigger::of(2));
      },
      sliding);
}

// [windows] "Allowed Lateness": elements behind the watermark but before the end of the window plus the
// lateness are still added, and may cause the window to fire again, as the EventTimeTrigger does. Records
// beyond are dropped, or go to the side output.
TEST(WindowSemantics, AllowedLateness) {
  check([](auto keyed) { return keyed.window(TumblingEventTimeWindows::of(10ms)).allowedLateness(20ms); },
        [](Harness& harness) {
          push(harness, {{1, 0}});
          harness.watermark(9);
          push(harness, {{2, 4}});
          harness.watermark(28);
          push(harness, {{3, 0}});
          harness.watermark(29);
          push(harness, {{4, 0}});
          EXPECT_EQ(harness.takeEvents(), (Texts{"1 in 0..10 @ 9", "watermark 9", "1 2 in 0..10 @ 9",
                                                 "watermark 28", "1 2 3 in 0..10 @ 9", "watermark 29"}));
          EXPECT_EQ(harness.counter("numLateRecordsDropped"), 1);
        });
  check([](auto keyed) { return keyed.window(EventTimeSessionWindows::withGap(10ms)).allowedLateness(20ms); },
        [](Harness& harness) {
          push(harness, {{1, 0}});
          harness.watermark(9);
          push(harness, {{2, 4}});
          harness.watermark(33);
          push(harness, {{3, 0}});
          EXPECT_EQ(harness.takeEvents(),
                    (Texts{"1 in 0..10 @ 9", "watermark 9", "1 2 in 0..14 @ 13", "watermark 33"}));
          EXPECT_EQ(harness.counter("numLateRecordsDropped"), 1);
        });
}

// [windows] "Late elements considerations": with session windows late firings can further bridge the gap
// between two pre-existing, unmerged windows.
TEST(WindowSemantics, ALateRecordMergesSessionsThatHaveFired) {
  check(
      [](auto keyed) { return keyed.window(EventTimeSessionWindows::withGap(10ms)).allowedLateness(100ms); },
      [](Harness& harness) {
        push(harness, {{1, 0}, {2, 15}});
        harness.watermark(50);
        push(harness, {{3, 8}});
        EXPECT_EQ(harness.takeEvents(),
                  (Texts{"1 in 0..10 @ 9", "2 in 15..25 @ 24", "watermark 50", "1 2 3 in 0..25 @ 24"}));
      });
}

// [windows] "Default Triggers of WindowAssigners": a CountTrigger on TumblingEventTimeWindows takes away the
// firings by time. "Fire and Purge": pre-implemented triggers FIRE without purging.
TEST(WindowSemantics, CountTriggerReplacesTheUsualOneAndKeepsTheContents) {
  check(
      [](auto keyed) {
        return keyed.window(TumblingEventTimeWindows::of(10ms)).trigger(CountTrigger::of(2));
      },
      [](Harness& harness) {
        push(harness, {{1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 4}});
        harness.endOfInput();
        EXPECT_EQ(harness.takeEvents(),
                  (Texts{"1 2 in 0..10 @ 9", "1 2 3 4 in 0..10 @ 9", "watermark max", "end"}));
      });
}

// PurgingTrigger: turns any Trigger into a purging Trigger; when the nested one fires, the contents go.
TEST(WindowSemantics, PurgingTrigger) {
  check(
      [](auto keyed) {
        return keyed.window(TumblingEventTimeWindows::of(10ms)).trigger(PurgingTrigger(CountTrigger::of(2)));
      },
      [](Harness& harness) {
        push(harness, {{1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 4}});
        harness.endOfInput();
        EXPECT_EQ(harness.takeEvents(),
                  (Texts{"1 2 in 0..10 @ 9", "3 4 in 0..10 @ 9", "watermark max", "end"}));
      });
}

// CountTrigger.onMerge merges the counts of the windows.
TEST(WindowSemantics, CountsOfMergedSessionsAdd) {
  check(
      [](auto keyed) {
        return keyed.window(EventTimeSessionWindows::withGap(10ms)).trigger(CountTrigger::of(3));
      },
      [](Harness& harness) {
        push(harness, {{1, 0}, {2, 15}});
        EXPECT_EQ(harness.takeEvents(), Texts{});
        push(harness, {{3, 8}});
        EXPECT_EQ(harness.takeEvents(), Texts{"1 2 3 in 0..25 @ 24"});
      });
}

// ContinuousEventTimeTrigger: fires continuously by a given interval of the watermark, and at the end.
TEST(WindowSemantics, ContinuousEventTimeTrigger) {
  check(
      [](auto keyed) {
        return keyed.window(TumblingEventTimeWindows::of(30ms)).trigger(ContinuousEventTimeTrigger::of(10ms));
      },
      [](Harness& harness) {
        push(harness, {{1, 3}});
        harness.watermark(9);
        push(harness, {{2, 12}});
        harness.watermark(10);
        harness.watermark(25);
        push(harness, {{3, 28}});
        harness.watermark(29);
        EXPECT_EQ(harness.takeEvents(),
                  (Texts{"watermark 9", "1 2 in 0..30 @ 29", "watermark 10", "1 2 in 0..30 @ 29",
                         "watermark 25", "1 2 3 in 0..30 @ 29", "watermark 29"}));
      });
}

// ContinuousProcessingTimeTrigger: the same by the clock. A timer is called when its millisecond is over, as
// Flink's timer service does.
TEST(WindowSemantics, ContinuousProcessingTimeTrigger) {
  check(
      [](auto keyed) {
        return keyed.window(TumblingProcessingTimeWindows::of(30ms))
            .trigger(ContinuousProcessingTimeTrigger::of(10ms));
      },
      [](Harness& harness) {
        const int64_t start = harness.processingTime().ms / 30 * 30 + 30;
        const auto end = " in " + std::to_string(start) + ".." + std::to_string(start + 30) + " @ " +
                         std::to_string(start + 29);
        harness.advance(Duration(start - harness.processingTime().ms));
        push(harness, {{1, 0}});
        harness.advance(Duration(10 - (start % 10) + 1));
        EXPECT_EQ(harness.takeEvents(), Texts{"1" + end});
        push(harness, {{2, 0}});
        harness.advance(30ms);
        EXPECT_EQ(harness.takeEvents(), (Texts{"1 2" + end, "1 2" + end}));
      });
}

// DeltaTrigger: fires when the delta between the element that fired last and the one that arrived is larger
// than the threshold.
TEST(WindowSemantics, DeltaTrigger) {
  check(
      [](auto keyed) {
        return keyed.window(GlobalWindows::create())
            .trigger(deltaTrigger<Reading>(10, [](const Reading& last, const Reading& now) {
              return static_cast<double>(now.value - last.value);
            }));
      },
      [](Harness& harness) {
        push(harness, {{0, 1}, {10, 2}, {11, 3}, {20, 4}, {22, 5}});
        EXPECT_EQ(harness.takeEvents(), (Texts{"0 10 11 @ 3", "0 10 11 20 22 @ 5"}));
      });
}

// ProcessingTimeoutTrigger: on the first arriving element a timeout is set; it fires when the nested trigger
// has not fired before. With resetTimerOnNewRecord each element renews it.
TEST(WindowSemantics, ProcessingTimeoutTrigger) {
  const auto windows = [](bool reset) {
    return [reset](auto keyed) {
      return keyed.window(GlobalWindows::create())
          .trigger(PurgingTrigger(ProcessingTimeoutTrigger(CountTrigger::of(3), 10ms, reset)));
    };
  };
  check(windows(false), [](Harness& harness) {
    push(harness, {{1, 0}});
    harness.advance(6ms);
    push(harness, {{2, 0}});
    harness.advance(5ms);
    EXPECT_EQ(harness.takeEvents(), Texts{"1 2"});
    push(harness, {{3, 7}, {4, 8}, {5, 9}});
    EXPECT_EQ(harness.takeEvents(), Texts{"3 4 5 @ 9"});
    harness.advance(1s);
    EXPECT_EQ(harness.takeEvents(), Texts{});
  });
  check(windows(true), [](Harness& harness) {
    push(harness, {{1, 0}});
    harness.advance(6ms);
    push(harness, {{2, 0}});
    harness.advance(10ms);
    EXPECT_EQ(harness.takeEvents(), Texts{});
    harness.advance(1ms);
    EXPECT_EQ(harness.takeEvents(), Texts{"1 2"});
  });
}

// [windows] "Evictors": CountEvictor keeps the last elements and discards those from the beginning;
// DeltaEvictor removes those whose delta to the last is greater than or equal to the threshold; TimeEvictor
// those that are not younger than the latest timestamp less the interval. By default before the function;
// evicted elements do not come back.
TEST(WindowSemantics, Evictors) {
  const auto with = [](auto evictor) {
    return [evictor](auto keyed) {
      return keyed.window(TumblingEventTimeWindows::of(100ms)).trigger(CountTrigger::of(3)).evictor(evictor);
    };
  };
  check(with(CountEvictor::of(2)), [](Harness& harness) {
    push(harness, {{1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 4}, {6, 5}});
    EXPECT_EQ(harness.takeEvents(), (Texts{"2 3 in 0..100 @ 99", "5 6 in 0..100 @ 99"}));
  });
  check(with(CountEvictor::of(1, Evict::kAfter)), [](Harness& harness) {
    push(harness, {{1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 4}, {6, 5}});
    EXPECT_EQ(harness.takeEvents(), (Texts{"1 2 3 in 0..100 @ 99", "3 4 5 6 in 0..100 @ 99"}));
  });
  check(with(TimeEvictor::of(10ms)), [](Harness& harness) {
    push(harness, {{1, 20}, {2, 10}, {3, 11}});
    EXPECT_EQ(harness.takeEvents(), Texts{"1 3 in 0..100 @ 99"});
  });
  check(with(DeltaEvictor::of(5,
                              [](const Reading& one, const Reading& last) {
                                return static_cast<double>(one.value - last.value);
                              })),
        [](Harness& harness) {
          push(harness, {{9, 0}, {8, 1}, {4, 2}});
          EXPECT_EQ(harness.takeEvents(), Texts{"8 4 in 0..100 @ 99"});
        });
}

}  // namespace
}  // namespace flott
