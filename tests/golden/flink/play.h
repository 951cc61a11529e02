// Plays scenarios on Flott's operators, under its operator harness.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/golden/flink/parts.h"

namespace flott::golden {

inline const OutputTag<Record>& lateTag() {
  static const OutputTag<Record> kTag("late");
  return kTag;
}

/// Where the harness's clock begins; it is also that of the transcripts.
inline constexpr int64_t kOrigin = 1'767'225'600'000;
inline int64_t originOf(const Scenario& scenario) {
  return scenario.get("window").find(" clock ") == std::string::npos ? 0 : kOrigin;
}

/// A line of input: [left|right] KEY VALUE [EXTRA] [@ TIME].
struct Line {
  bool right = false;
  Record record;
  std::optional<int64_t> at;

  explicit Line(const std::string& text) {
    Words words(text);
    right = words.take("right");
    words.take("left");
    record.key = words.next();
    record.value = words.number();
    if (words.more() && !words.take("@")) {
      record.extra = words.number();
      words.take("@");
    }
    if (words.more()) at = words.number();
  }
};

/// Records among the harness's events, with times relative to the origin.
inline Texts recordLines(const Scenario& scenario, const Texts& events) {
  Texts lines;
  for (const std::string& event : events) {
    if (event.starts_with("watermark ") || event == "end") continue;
    const size_t at = event.rfind(" @ ");
    std::string line = event;
    if (at != std::string::npos)
      line = event.substr(0, at + 3) + std::to_string(std::stoll(event.substr(at + 3)) - originOf(scenario));
    if (scenario.has("all")) line = "all" + line.substr(line.find(':'));
    lines.push_back(line);
  }
  return lines;
}

/// Harness is a harness of one or two inputs; record(line) and watermark(side, time) feed it.
template <typename Harness, typename OnRecord, typename OnWatermark>
void playSteps(Scenario& scenario, Harness& harness, const std::vector<OutputTag<Record>>& late,
               OnRecord onRecord, OnWatermark onWatermark) {
  for (Step& step : scenario.steps) {
    Words words(step.input);
    const std::string side = words.take("left") ? "left" : words.take("right") ? "right" : "";
    if (words.take("watermark")) {
      onWatermark(side, words.number());
    } else if (words.take("end")) {
      onWatermark(side, std::numeric_limits<int64_t>::max());
    } else if (words.take("clock")) {
      harness.advance(Duration(kOrigin + words.number() - harness.processingTime().ms));
    } else {
      onRecord(Line(step.input));
    }
    Texts lateLines;
    for (const OutputTag<Record>& tag : late) {
      for (const Record& record : harness.sideOutput(tag))
        lateLines.push_back(tag.name() + "> " + toString(record));
    }
    step.output = recordLines(scenario, harness.takeEvents());
    step.output.insert(step.output.end(), lateLines.begin(), lateLines.end());
  }
  scenario.dropped = harness.counter("numLateRecordsDropped");
}

/// In is Record, or what of(line) makes of one.
template <typename Out, typename In = Record, typename Build, typename Of>
void playOne(Scenario& scenario, Build build, Of of) {
  inAllModes([&](const HarnessOptions& options) {
    SCOPED_TRACE("mode " + std::to_string(static_cast<int>(options.mode)));
    OneInputHarness<In, Out> harness(options, build);
    std::vector<OutputTag<Record>> late;
    if (scenario.get("late") == "side output") {
      late.push_back(lateTag());
      harness.readSideOutput(lateTag());
    }
    const Scenario before = scenario;
    Scenario played = scenario;
    playSteps(
        played, harness, late,
        [&](const Line& line) {
          if (line.at) {
            harness.push(of(line), *line.at);
          } else {
            harness.push(of(line));
          }
        },
        [&](const std::string&, int64_t time) { harness.watermark(time); });
    if (options.mode == HarnessMode::kRowsTogether) {
      scenario = std::move(played);
    } else {
      for (size_t i = 0; i < scenario.steps.size(); ++i)
        EXPECT_EQ(played.steps[i].output, scenario.steps[i].output) << "in another mode";
    }
  });
}

/// `windows` makes a windowed stream of a DataStream<Record>; `function` adds what is made of its windows.
template <typename Windows>
void playFunction(Scenario& scenario, Windows windows) {
  const std::string function = scenario.get("function");
  const int64_t origin = originOf(scenario);
  const auto of = [](const Line& line) { return line.record; };
  const auto play = [&]<typename Out>(std::type_identity<Out>, auto add) {
    playOne<Out>(
        scenario, [&](const DataStream<Record>& in) { return add(windows(in)); }, of);
  };
  using Made = decltype(windows(std::declval<const DataStream<Record>&>()));
  constexpr bool kAll = std::is_same_v<typename Made::KeyType, NoKey>;
  if (kAll != scenario.has("all"))
    throw std::invalid_argument("windows of this kind are not played on a stream without a key");
  const std::type_identity<std::string> text;
  const std::type_identity<Record> record;
  if (function.empty()) {
    return play(text, [&](auto stream) {
      if constexpr (kAll) {
        return stream.template process<std::string>(ListAll{origin});
      } else {
        return stream.template process<std::string>(List{origin});
      }
    });
  }
  if (function == "sum") return play(record, [](auto stream) { return stream.sum(&Record::value); });
  if constexpr (!kAll) {
    if (function == "mean and window") {
      return play(text, [&](auto stream) {
        return stream.template aggregate<std::string>(Mean(), WithWindow{origin});
      });
    }
  }
  throw std::invalid_argument("function " + function + " is not played on windows of this kind");
}

/// What scenarios may add to windows of a kind: each possibility is an operator to compile.
enum class With { kNothing, kTrigger, kAnything };

/// Window assigner as it is, or with a trigger, evictor or lateness where `kWith` allows them.
template <With kWith, typename Assigner, typename KeyBy>
void playWindows(Scenario& scenario, Assigner assigner, KeyBy keyBy) {
  const auto late = [&scenario](auto stream) {
    constexpr bool kEventTime = Assigner::kDomain == TimeDomain::kEventTime;
    if constexpr (kEventTime) {
      auto with =
          stream.allowedLateness(ms(scenario.has("lateness") ? std::stoll(scenario.get("lateness")) : 0));
      return scenario.has("late") ? with.sideOutputLateData(lateTag()) : with;
    } else {
      return stream;
    }
  };
  const auto windows = [&](const DataStream<Record>& in) { return keyBy(in, assigner); };
  // Windows of time with an evictor get their usual trigger by its name: that is one operator less to
  // compile.
  constexpr bool kOfTime = std::is_same_v<WindowOf<Assigner>, TimeWindow>;
  const char* const usual = Assigner::kDomain == TimeDomain::kEventTime ? "event" : "clock";
  const auto triggered = [&](const DataStream<Record>& in) {
    const std::string trigger = scenario.has("trigger") ? scenario.get("trigger") : usual;
    return windows(in).trigger(AnyTrigger::of(Words(trigger)));
  };
  const auto evicting = [&](auto stream) {
    return stream.evictor(AnyEvictor::of(Words(scenario.get("evictor"))));
  };
  const bool hasTrigger = scenario.has("trigger"), hasEvictor = scenario.has("evictor");
  if (hasEvictor) {
    if constexpr (kWith == With::kAnything) {
      if (hasTrigger || kOfTime)
        return playFunction(scenario, [&](const auto& in) { return late(evicting(triggered(in))); });
    }
    throw std::invalid_argument("an evictor is not played on windows of this kind");
  }
  if (hasTrigger) {
    if constexpr (kWith != With::kNothing)
      return playFunction(scenario, [&](const auto& in) { return late(triggered(in)); });
    throw std::invalid_argument("a trigger is not played on windows of this kind");
  }
  playFunction(scenario, [&](const auto& in) { return late(windows(in)); });
}

/// play(assigner): of those that Assigners::of knows.
template <typename Play>
void withTumbling(Words words, Play play) {
  const bool event = words.take("event");
  if (!event) words.next();
  const Duration size = ms(words.number());
  const Duration offset = words.take("offset") ? ms(words.number()) : Duration();
  if (event) return play(TumblingEventTimeWindows::of(size, offset));
  play(TumblingProcessingTimeWindows::of(size, offset));
}
template <typename Play>
void withSliding(Words words, Play play) {
  const bool event = words.take("event");
  if (!event) words.next();
  const Duration size = ms(words.number());
  const Duration slide = ms(words.number());
  const Duration offset = words.take("offset") ? ms(words.number()) : Duration();
  if (event) return play(SlidingEventTimeWindows::of(size, slide, offset));
  play(SlidingProcessingTimeWindows::of(size, slide, offset));
}
template <typename Play>
void withSession(Words words, Play play) {
  const bool event = words.take("event");
  if (!event) words.next();
  if (words.take("dynamic")) {
    const auto gap = [](const Record& record) { return ms(record.extra); };
    if (event) return play(EventTimeSessionWindows::withDynamicGap(gap));
    return play(ProcessingTimeSessionWindows::withDynamicGap(gap));
  }
  const Duration gap = ms(words.number());
  if (event) return play(EventTimeSessionWindows::withGap(gap));
  play(ProcessingTimeSessionWindows::withGap(gap));
}

inline constexpr auto kByKey = [](const DataStream<Record>& in, const auto& assigner) {
  return in.keyBy(&Record::key).window(assigner);
};
inline constexpr auto kOfAll = [](const DataStream<Record>& in, const auto& assigner) {
  return in.windowAll(assigner);
};

}  // namespace flott::golden
