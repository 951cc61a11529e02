// Random streams through every operator for windows, against the model of Flink's (window_model.h): random
// assigners, triggers, evictors, lateness, disorder, batches. A case that fails is made small before it is
// shown.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>

#include "flott/operators/tests/operator_driver.h"
#include "flott/operators/tests/window_model.h"
#include "flott/operators/window/count_window_operator.h"
#include "flott/operators/window/session_window_operator.h"
#include "flott/operators/window/slice_window_operator.h"
#include "flott/operators/window/triggers.h"
#include "flott/operators/window/window_operator.h"

namespace flott {
namespace {

using namespace window_model;
using Texts = std::vector<std::string>;
using ByKey = MemberSelector<Record, int64_t>;
constexpr ByKey kByKey{&Record::key};
const OutputTag<Record> kLate("late");

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 2 + 1) {}
  int64_t below(int64_t end) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(end));
  }
  bool oneIn(int64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// One type for all assigners of a kind, all triggers, all evictors, so that the operator is compiled a few
// times only.

template <TimeDomain domain>
struct AnyAssigner {
  using Window = TimeWindow;
  static constexpr TimeDomain kDomain = domain;
  static constexpr const char* kName = "AnyAssigner";
  Settings settings;

  std::vector<TimeWindow> assignWindows(const Record& record, Timestamp at, AssignerContext&) const {
    if (settings.assigner == AssignerKind::kSession) return {{at, at + Duration(settings.size)}};
    if (settings.assigner == AssignerKind::kDynamicSession) return {{at, at + Duration(record.gap)}};
    const int64_t slide = settings.assigner == AssignerKind::kTumbling ? settings.size : settings.slide;
    int64_t past = (at.ms - settings.offset) % slide;
    if (past < 0) past += slide;
    std::vector<TimeWindow> windows;
    for (int64_t start = at.ms - past; start > at.ms - settings.size; start -= slide)
      windows.push_back({Timestamp(start), Timestamp(start + settings.size)});
    return windows;
  }
};
template <TimeDomain domain>
struct AnyMergingAssigner : AnyAssigner<domain> {
  void mergeWindows(std::span<const TimeWindow> windows, MergeCallback<TimeWindow>& merges) const {
    mergeTimeWindows(windows, merges);
  }
};

constexpr auto kDelta = [](const Record& a, const Record& b) {
  return static_cast<double>(b.value - a.value);
};
constexpr auto kDeltaToLast = [](const Record& a, const Record& last) {
  return static_cast<double>(a.value - last.value);
};

struct AnyTrigger {
  using Delta = DeltaTrigger<Record, std::remove_const_t<decltype(kDelta)>>;
  using Timeout = ProcessingTimeoutTrigger<CountTrigger>;
  struct State {
    CountTrigger::State count{};
    Delta::State delta{};
    NextFiring next{};
    Timeout::State timeout{};
    bool operator==(const State& other) const {
      return count == other.count && !delta.last && !other.delta.last && next == other.next &&
             timeout == other.timeout;
    }
  };

  explicit AnyTrigger(const Settings& settings)
      : kind(settings.trigger),
        count(CountTrigger::of(settings.count)),
        delta(deltaTrigger<Record>(static_cast<double>(settings.interval), kDelta)),
        continuousEvent(ContinuousEventTimeTrigger::of(Duration(settings.interval))),
        continuousClock(ContinuousProcessingTimeTrigger::of(Duration(settings.interval))),
        timeout(CountTrigger::of(settings.count), Duration(settings.interval), settings.resetTimer,
                settings.clearOnTimeout) {}

  template <typename F>
  auto visit(TriggerContext<State>& context, F&& f) {
    NoTriggerState none;
    auto without = context.with(none);
    auto counting = context.with(context.state().count);
    auto comparing = context.with(context.state().delta);
    auto waiting = context.with(context.state().next);
    auto timing = context.with(context.state().timeout);
    switch (kind) {
      case TriggerKind::kEventTime:
        return f(eventTime, without);
      case TriggerKind::kProcessingTime:
        return f(processingTime, without);
      case TriggerKind::kCount:
        return f(count, counting);
      case TriggerKind::kPurgingCount: {
        PurgingTrigger purging(count);
        return f(purging, counting);
      }
      case TriggerKind::kDelta:
        return f(delta, comparing);
      case TriggerKind::kContinuousEventTime:
        return f(continuousEvent, waiting);
      case TriggerKind::kContinuousProcessingTime:
        return f(continuousClock, waiting);
      case TriggerKind::kTimeout:
        return f(timeout, timing);
      default:
        return f(never, without);
    }
  }
  template <typename W>
  TriggerResult onElement(const Record& record, Timestamp at, const W& window,
                          TriggerContext<State>& context) {
    return visit(context,
                 [&](auto& trigger, auto& own) { return trigger.onElement(record, at, window, own); });
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    return visit(context, [&](auto& trigger, auto& own) { return trigger.onEventTime(time, window, own); });
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    return visit(context,
                 [&](auto& trigger, auto& own) { return trigger.onProcessingTime(time, window, own); });
  }
  template <typename W>
  void clear(const W& window, TriggerContext<State>& context) {
    visit(context, [&](auto& trigger, auto& own) { trigger.clear(window, own); });
  }
  template <typename W>
  void onMerge(const W& window, TriggerContext<State>& context) {
    visit(context, [&](auto& trigger, auto& own) {
      if constexpr (MergingTrigger<std::remove_reference_t<decltype(trigger)>, W>)
        trigger.onMerge(window, own);
    });
  }
  static void mergeState(State& into, const State& from) {
    CountTrigger::mergeState(into.count, from.count);
    ContinuousEventTimeTrigger::mergeState(into.next, from.next);
  }

  TriggerKind kind;
  EventTimeTrigger eventTime;
  ProcessingTimeTrigger processingTime;
  NeverTrigger never;
  CountTrigger count;
  Delta delta;
  ContinuousEventTimeTrigger continuousEvent;
  ContinuousProcessingTimeTrigger continuousClock;
  Timeout timeout;
};

struct AnyEvictor {
  Settings settings;

  template <typename W>
  void evictBefore(std::vector<TimestampedValue<Record>>& elements, const W& window,
                   EvictorContext& context) {
    visit([&](auto evictor) { evictor.evictBefore(elements, window, context); });
  }
  template <typename W>
  void evictAfter(std::vector<TimestampedValue<Record>>& elements, const W& window, EvictorContext& context) {
    visit([&](auto evictor) { evictor.evictAfter(elements, window, context); });
  }
  template <typename F>
  void visit(F&& f) const {
    const Evict when = settings.evictAfter ? Evict::kAfter : Evict::kBefore;
    if (settings.evictor == EvictorKind::kCount) f(CountEvictor::of(settings.keep, when));
    if (settings.evictor == EvictorKind::kTime) f(TimeEvictor::of(Duration(settings.keep), when));
    if (settings.evictor == EvictorKind::kDelta)
      f(DeltaEvictor::of(static_cast<double>(settings.keep), kDeltaToLast, when));
  }
};

struct TellAll {
  template <typename W>
  void process(const int64_t& key, BasicWindowContext<W>& context, std::span<const Record> records,
               Collector<std::string>& out) {
    std::string text = std::to_string(key);
    if constexpr (std::is_same_v<W, TimeWindow>) {
      text += " [" + std::to_string(context.window().start.ms) + ", " +
              std::to_string(context.window().end.ms) + ")";
    }
    for (const Record& record : records) text += " " + std::to_string(record.value);
    out.collect(text);
  }
};
using Emission = EmitByFunction<std::string, TellAll>;
using All = ElementsAccumulation<Record>;

// A stream.

struct Event {
  enum Kind { kRecord, kWatermark, kClock, kFlush } kind = kRecord;
  Record record{};
  int64_t time = 0;
};
std::string print(const Event& event) {
  switch (event.kind) {
    case Event::kRecord:
      return "record " + toText(event.record);
    case Event::kWatermark:
      return "watermark " + std::to_string(event.time);
    case Event::kClock:
      return "clock " + std::to_string(event.time);
    default:
      return "batch ends";
  }
}

struct Outcome {
  std::vector<Texts> steps;  // sorted: the order of keys is the operator's own
  Texts late;
  bool operator==(const Outcome&) const = default;
};

Outcome expectedOf(const Settings& settings, const std::vector<Event>& events) {
  Model model(settings);
  Outcome outcome;
  const auto take = [&] {
    std::sort(model.results.begin(), model.results.end());
    outcome.steps.push_back(std::exchange(model.results, {}));
  };
  for (const Event& event : events) {
    if (event.kind == Event::kRecord) model.record(event.record);
    if (event.kind == Event::kRecord) continue;
    take();
    if (event.kind == Event::kWatermark) model.watermark(event.time);
    if (event.kind == Event::kClock) model.clock(event.time);
    take();
  }
  take();
  model.endOfInput();
  take();
  for (const Record& record : model.late)
    outcome.late.push_back(toText(record) + " @ " + std::to_string(record.at));
  return outcome;
}

template <typename Driver>
Outcome outcomeOf(Driver& driver, const std::vector<Event>& events) {
  driver.read(kLate.index());
  driver.open();
  Outcome outcome;
  std::vector<std::pair<Record, int64_t>> batch;
  const auto take = [&] {
    driver.push(0, batch, kByKey);
    batch.clear();
    Texts texts = driver.takeRecords();
    std::erase_if(texts, [](const std::string& text) { return text.starts_with("W "); });
    std::sort(texts.begin(), texts.end());
    outcome.steps.push_back(texts);
  };
  for (const Event& event : events) {
    if (event.kind == Event::kRecord) batch.push_back({event.record, event.record.at});
    if (event.kind == Event::kRecord) continue;
    take();
    if (event.kind == Event::kWatermark) driver.watermark(0, event.time);
    if (event.kind == Event::kClock) driver.clock(event.time);
    take();
  }
  take();
  driver.watermark(0, kMax);
  driver.endOfInput(0);
  take();
  for (const std::string& text : driver.records(kLate.index())) {
    if (!text.starts_with("W ")) outcome.late.push_back(text);
  }
  EXPECT_EQ(driver.batchesInUse(), 0u);
  return outcome;
}

LatePolicy<Record> lateOf(const Settings& settings) { return {Duration(settings.lateness), kLate}; }

template <typename Assigner, typename Evictor>
Outcome general(const Settings& settings, const std::vector<Event>& events, DriverOptions options,
                Assigner assigner, Evictor evictor) {
  using Parts = WindowParts<Record, ByKey, Assigner, AnyTrigger, Evictor, All, Emission>;
  OperatorDriver<WindowOperator<Parts>> driver(
      options, Parts{kByKey, assigner, AnyTrigger(settings), evictor, All(), Emission{}, lateOf(settings)});
  return outcomeOf(driver, events);
}
template <typename Assigner>
Outcome general(const Settings& settings, const std::vector<Event>& events, DriverOptions options,
                Assigner assigner) {
  if (settings.evictor == EvictorKind::kNone)
    return general(settings, events, options, assigner, NoEvictor());
  return general(settings, events, options, assigner, AnyEvictor{settings});
}
Outcome byGeneralOperator(const Settings& settings, const std::vector<Event>& events, DriverOptions options) {
  constexpr TimeDomain kEvent = TimeDomain::kEventTime;
  constexpr TimeDomain kClock = TimeDomain::kProcessingTime;
  if (settings.global()) return general(settings, events, options, GlobalWindows());
  if (settings.merging()) {
    return settings.eventTime ? general(settings, events, options, AnyMergingAssigner<kEvent>{{settings}})
                              : general(settings, events, options, AnyMergingAssigner<kClock>{{settings}});
  }
  return settings.eventTime ? general(settings, events, options, AnyAssigner<kEvent>{settings})
                            : general(settings, events, options, AnyAssigner<kClock>{settings});
}

template <TimeDomain domain>
Outcome bySessionOperator(const Settings& settings, const std::vector<Event>& events, DriverOptions options) {
  const auto with = [&](auto assigner) {
    using Op = SessionWindowOperator<Record, ByKey, decltype(assigner), All, Emission>;
    OperatorDriver<Op> driver(options, kByKey, assigner, All(), Emission{}, lateOf(settings));
    return outcomeOf(driver, events);
  };
  if (settings.assigner == AssignerKind::kSession)
    return with(SessionWindowsMaker<domain>::withGap(Duration(settings.size)));
  return with(
      SessionWindowsMaker<domain>::withDynamicGap([](const Record& record) { return Duration(record.gap); }));
}

Outcome byCountOperator(const Settings& settings, const std::vector<Event>& events, DriverOptions options) {
  if (settings.trigger == TriggerKind::kPurgingCount) {
    OperatorDriver<CountWindowOperator<Record, ByKey, All, Emission>> driver(options, kByKey, settings.count,
                                                                             All(), Emission{});
    return outcomeOf(driver, events);
  }
  OperatorDriver<SlidingCountWindowOperator<Record, ByKey, All, Emission>> driver(
      options, kByKey, CountWindows::of(settings.keep, settings.count), All(), Emission{});
  return outcomeOf(driver, events);
}

template <typename Assigner>
Outcome bySlicesOf(Assigner assigner, const Settings& settings, const std::vector<Event>& events,
                   DriverOptions options) {
  using Op = SliceWindowOperator<Record, ByKey, Assigner, All, Emission>;
  OperatorDriver<Op> driver(options, kByKey, assigner, All(), Emission{}, lateOf(settings));
  return outcomeOf(driver, events);
}
template <TimeDomain domain>
Outcome bySliceOperator(const Settings& settings, const std::vector<Event>& events, DriverOptions options) {
  const Duration size(settings.size), offset(settings.offset);
  if (settings.assigner == AssignerKind::kTumbling)
    return bySlicesOf(TumblingWindows<domain>::of(size, offset), settings, events, options);
  return bySlicesOf(SlidingWindows<domain>::of(size, Duration(settings.slide), offset), settings, events,
                    options);
}

/// Of windows that share slices the values come slice by slice: "key [start, end) values… @ time".
void sortValues(Outcome& outcome) {
  for (Texts& step : outcome.steps) {
    for (std::string& text : step) {
      const size_t begin = text.find(')') + 1, end = std::min(text.find(" @"), text.size());
      std::istringstream in(text.substr(begin, end - begin));
      std::vector<int64_t> values{std::istream_iterator<int64_t>(in), {}};
      std::sort(values.begin(), values.end());
      std::string sorted;
      for (const int64_t value : values) sorted += " " + std::to_string(value);
      text.replace(begin, end - begin, sorted);
    }
    std::sort(step.begin(), step.end());
  }
}

// Random cases.

struct Case {
  Settings settings;
  std::vector<Event> events;
  DriverOptions options;
  bool anyOrder = false;  // of the values of a result
};

std::vector<Event> randomEvents(Dice& dice) {
  const int64_t keys = 1 + dice.below(dice.oneIn(3) ? 60 : 3);
  const int64_t disorder = 1 + dice.below(60);
  const int64_t pace = 1 + dice.below(6);
  std::vector<Event> events;
  int64_t now = dice.oneIn(2) ? -100 : 0;
  int64_t clock = 0;
  for (int64_t n = dice.below(dice.oneIn(4) ? 300 : 40); n > 0; --n) {
    const int64_t what = dice.below(12);
    if (what < 8) {
      const int64_t at = now + dice.below(disorder) - dice.below(disorder);
      events.push_back({Event::kRecord, {dice.below(keys), dice.below(30), 1 + dice.below(15), at}, 0});
      if (dice.oneIn(8)) events.push_back(events.back());
      now += dice.below(pace);
    } else if (what < 10) {
      events.push_back({Event::kWatermark, {}, now - dice.below(disorder)});
    } else if (what == 10) {
      clock += dice.below(dice.oneIn(5) ? 100 : 8);
      events.push_back({Event::kClock, {}, clock});
    } else {
      events.push_back({Event::kFlush, {}, 0});
    }
  }
  return events;
}

Settings randomSettings(Dice& dice) {
  Settings settings;
  settings.assigner = static_cast<AssignerKind>(dice.below(5));
  settings.eventTime = settings.global() ? false : !dice.oneIn(3);
  settings.size = 1 + dice.below(30);
  settings.slide = 1 + dice.below(settings.size + 5);
  const int64_t every = settings.assigner == AssignerKind::kSliding ? settings.slide : settings.size;
  settings.offset = dice.below(2 * every - 1) - (every - 1);
  settings.lateness = settings.eventTime && dice.oneIn(2) ? dice.below(40) : 0;
  settings.count = 1 + dice.below(5);
  settings.interval = 1 + dice.below(20);
  settings.resetTimer = dice.oneIn(2);
  settings.clearOnTimeout = dice.oneIn(2);
  settings.keep = 1 + dice.below(6);
  settings.evictAfter = dice.oneIn(2);
  if (dice.oneIn(2)) settings.evictor = static_cast<EvictorKind>(dice.below(4));
  do {
    settings.trigger = static_cast<TriggerKind>(1 + dice.below(9));
  } while (settings.merging() &&
           (settings.trigger == TriggerKind::kDelta || settings.trigger == TriggerKind::kTimeout));
  return settings;
}

using Engine = Outcome (*)(const Settings&, const std::vector<Event>&, DriverOptions);

struct Outcomes {
  Outcome got, expected;
};
Outcomes outcomesOf(const Case& one, Engine engine) {
  Outcomes outcomes{engine(one.settings, one.events, one.options), expectedOf(one.settings, one.events)};
  if (one.anyOrder) {
    sortValues(outcomes.got);
    sortValues(outcomes.expected);
  }
  return outcomes;
}

bool agrees(const Case& one, Engine engine) {
  const Outcomes outcomes = outcomesOf(one, engine);
  return outcomes.got == outcomes.expected;
}

/// Leaves out what is not needed to make it fail.
Case shrunk(Case failing, Engine engine) {
  for (size_t some = failing.events.size() / 2 + 1; some > 0; some /= 2) {
    for (size_t from = 0; from < failing.events.size();) {
      Case smaller = failing;
      const auto begin = smaller.events.begin() + static_cast<ptrdiff_t>(from);
      smaller.events.erase(begin, smaller.events.begin() +
                                      static_cast<ptrdiff_t>(std::min(from + some, smaller.events.size())));
      if (agrees(smaller, engine)) {
        from += some;
      } else {
        failing = smaller;
      }
    }
  }
  return failing;
}

void check(uint64_t seed, const Case& one, Engine engine) {
  if (agrees(one, engine)) return;
  const Case small = shrunk(one, engine);
  std::string text = "seed " + std::to_string(seed) + ", settings " + toText(small.settings) + ", " +
                     testName(small.options) + ":\n";
  for (const Event& event : small.events) text += "  " + print(event) + "\n";
  const auto [got, expected] = outcomesOf(small, engine);
  EXPECT_EQ(got.steps, expected.steps) << text;
  EXPECT_EQ(got.late, expected.late) << text;
  ADD_FAILURE() << text;
}

DriverOptions randomOptions(Dice& dice) { return {dice.oneIn(2), dice.oneIn(2)}; }

TEST(WindowOperators, TheGeneralOneDoesWhatFlinksDoes) {
  for (uint64_t seed = 1; seed <= 6000 && !HasFailure(); ++seed) {
    Dice dice(seed);
    const Settings settings = randomSettings(dice);
    check(seed, {settings, randomEvents(dice), randomOptions(dice)}, byGeneralOperator);
  }
}

TEST(WindowOperators, TheOneForSessionsDoesWhatFlinksDoes) {
  for (uint64_t seed = 1; seed <= 6000 && !HasFailure(); ++seed) {
    Dice dice(seed);
    Settings settings = randomSettings(dice);
    settings.assigner = dice.oneIn(2) ? AssignerKind::kSession : AssignerKind::kDynamicSession;
    settings.eventTime = !dice.oneIn(4);
    settings.lateness = settings.eventTime && dice.oneIn(2) ? dice.below(40) : 0;
    settings.trigger = TriggerKind::kUsual;
    settings.evictor = EvictorKind::kNone;
    const Engine engine = settings.eventTime ? bySessionOperator<TimeDomain::kEventTime>
                                             : bySessionOperator<TimeDomain::kProcessingTime>;
    check(seed, {settings, randomEvents(dice), randomOptions(dice)}, engine);
  }
}

TEST(WindowOperators, TheOneForSlicesDoesWhatFlinksDoes) {
  for (uint64_t seed = 1; seed <= 6000 && !HasFailure(); ++seed) {
    Dice dice(seed);
    Settings settings = randomSettings(dice);
    settings.assigner = dice.oneIn(2) ? AssignerKind::kTumbling : AssignerKind::kSliding;
    settings.offset %= settings.assigner == AssignerKind::kSliding ? settings.slide : settings.size;
    settings.eventTime = !dice.oneIn(4);
    settings.lateness = settings.eventTime && dice.oneIn(2) ? dice.below(60) : 0;
    settings.trigger = TriggerKind::kUsual;
    settings.evictor = EvictorKind::kNone;
    const Engine engine = settings.eventTime ? bySliceOperator<TimeDomain::kEventTime>
                                             : bySliceOperator<TimeDomain::kProcessingTime>;
    const bool shared = settings.assigner == AssignerKind::kSliding;
    check(seed, {settings, randomEvents(dice), randomOptions(dice), shared}, engine);
  }
}

TEST(WindowOperators, TheOnesForCountsDoWhatFlinksDoes) {
  for (uint64_t seed = 1; seed <= 4000 && !HasFailure(); ++seed) {
    Dice dice(seed);
    Settings settings = randomSettings(dice);
    settings.assigner = AssignerKind::kGlobal;
    settings.eventTime = false;
    settings.lateness = 0;
    settings.evictAfter = false;
    const bool overlap = dice.oneIn(2);
    settings.trigger = overlap ? TriggerKind::kCount : TriggerKind::kPurgingCount;
    settings.evictor = overlap ? EvictorKind::kCount : EvictorKind::kNone;
    check(seed, {settings, randomEvents(dice), randomOptions(dice)}, byCountOperator);
  }
}

}  // namespace
}  // namespace flott
