// Triggers, evictors and functions of scenarios. A trigger's type would make an operator each, so they are in
// a variant.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "flott/api/operator_harness.h"
#include "flott/api/window_join.h"
#include "flott/api/windowed_stream.h"
#include "tests/golden/flink/scenario.h"

namespace flott::golden {

struct Record {
  std::string key;
  int64_t value = 0;
  int64_t extra = 1;
};
inline std::string toString(const Record& record) {
  return record.key + ": " + std::to_string(record.value) + " (" + std::to_string(record.extra) + ")";
}

inline Duration ms(int64_t ms) { return Duration(ms); }
inline double delta(const Record& a, const Record& b) { return static_cast<double>(b.value - a.value); }
using Delta = double (*)(const Record&, const Record&);

/// Any of the triggers that the scenarios have. Its state is those of all.
class AnyTrigger {
  using DeltaOfRecords = DeltaTrigger<Record, Delta>;
  using CountOrTimeout = ProcessingTimeoutTrigger<CountTrigger>;
  using EndOrTimeout = ProcessingTimeoutTrigger<EventTimeTrigger>;

 public:
  struct State {
    NoTriggerState none{};
    CountTrigger::State count{};
    DeltaOfRecords::State delta{};
    NextFiring next{};
    CountOrTimeout::State countOrTimeout{};
    EndOrTimeout::State endOrTimeout{};
  };

  static AnyTrigger of(Words words) {
    if (words.take("purging")) {
      if (words.take("timeout")) return AnyTrigger(PurgingTrigger(timeout<CountTrigger>(words)));
      return inner(words, [](auto trigger) { return AnyTrigger(PurgingTrigger(trigger)); });
    }
    if (words.take("timeout")) {
      Words ahead = words;
      while (ahead.more()) {
        if (ahead.take("event")) return AnyTrigger(timeout<EventTimeTrigger>(words));
        ahead.next();
      }
      return AnyTrigger(timeout<CountTrigger>(words));
    }
    return inner(words, [](auto trigger) { return AnyTrigger(trigger); });
  }

  template <typename T, typename W>
  TriggerResult onElement(const T& record, Timestamp at, const W& window, TriggerContext<State>& context) {
    return call(context, [&](auto& trigger, auto& inside) {
      using Kind = std::remove_cvref_t<decltype(trigger)>;
      constexpr bool kDelta =
          std::is_same_v<Kind, DeltaOfRecords> || std::is_same_v<Kind, PurgingTrigger<DeltaOfRecords>>;
      if constexpr (!kDelta || std::is_same_v<T, Record>) {
        return trigger.onElement(record, at, window, inside);
      } else {
        return unsupported();
      }
    });
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    return call(context,
                [&](auto& trigger, auto& inside) { return trigger.onEventTime(time, window, inside); });
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    return call(context,
                [&](auto& trigger, auto& inside) { return trigger.onProcessingTime(time, window, inside); });
  }
  template <typename W>
  void onMerge(const W& window, TriggerContext<State>& context) {
    call(context, [&](auto& trigger, auto& inside) {
      if constexpr (requires { trigger.onMerge(window, inside); }) {
        trigger.onMerge(window, inside);
        return TriggerResult::kContinue;
      } else {
        return unsupported();
      }
    });
  }
  static void mergeState(State& into, const State& from) {
    CountTrigger::mergeState(into.count, from.count);
    ContinuousEventTimeTrigger::mergeState(into.next, from.next);
  }
  template <typename W>
  void clear(const W& window, TriggerContext<State>& context) {
    call(context, [&](auto& trigger, auto& inside) {
      trigger.clear(window, inside);
      return TriggerResult::kContinue;
    });
  }

 private:
  template <typename Trigger>
  explicit AnyTrigger(Trigger trigger) : trigger_(std::move(trigger)) {}

  [[noreturn]] static TriggerResult unsupported() {
    throw std::invalid_argument("this trigger is not for these windows");
  }

  template <typename Make>
  static AnyTrigger inner(Words words, Make make) {
    const std::string kind = words.next();
    if (kind == "event") return make(EventTimeTrigger());
    if (kind == "clock") return make(ProcessingTimeTrigger());
    if (kind == "never") return make(NeverTrigger());
    if (kind == "count") return make(CountTrigger::of(words.number()));
    if (kind == "delta") return make(DeltaOfRecords(static_cast<double>(words.number()), delta));
    if (kind == "continuous-event") return make(ContinuousEventTimeTrigger::of(ms(words.number())));
    if (kind == "continuous-clock") return make(ContinuousProcessingTimeTrigger::of(ms(words.number())));
    throw std::invalid_argument("trigger " + kind);
  }
  template <typename Inner>
  static ProcessingTimeoutTrigger<Inner> timeout(Words words) {
    const Duration after = ms(words.number());
    const bool reset = words.take("reset");
    const bool clear = !words.take("keep");
    if constexpr (std::is_same_v<Inner, CountTrigger>) {
      if (!words.take("count")) throw std::invalid_argument("timeout: of a count or an event trigger");
      return ProcessingTimeoutTrigger(CountTrigger::of(words.number()), after, reset, clear);
    } else {
      return ProcessingTimeoutTrigger(Inner(), after, reset, clear);
    }
  }

  static auto& part(State& state, std::type_identity<NoTriggerState>) { return state.none; }
  static auto& part(State& state, std::type_identity<CountTrigger::State>) { return state.count; }
  static auto& part(State& state, std::type_identity<DeltaOfRecords::State>) { return state.delta; }
  static auto& part(State& state, std::type_identity<NextFiring>) { return state.next; }
  static auto& part(State& state, std::type_identity<CountOrTimeout::State>) { return state.countOrTimeout; }
  static auto& part(State& state, std::type_identity<EndOrTimeout::State>) { return state.endOrTimeout; }

  template <typename F>
  TriggerResult call(TriggerContext<State>& context, F f) {
    return std::visit(
        [&](auto& trigger) {
          using Inner = TriggerStateOf<std::remove_cvref_t<decltype(trigger)>>;
          auto inside = context.with(part(context.state(), std::type_identity<Inner>()));
          return f(trigger, inside);
        },
        trigger_);
  }

  std::variant<EventTimeTrigger, ProcessingTimeTrigger, NeverTrigger, CountTrigger, DeltaOfRecords,
               ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, CountOrTimeout, EndOrTimeout,
               PurgingTrigger<EventTimeTrigger>, PurgingTrigger<ProcessingTimeTrigger>,
               PurgingTrigger<NeverTrigger>, PurgingTrigger<CountTrigger>, PurgingTrigger<DeltaOfRecords>,
               PurgingTrigger<ContinuousEventTimeTrigger>, PurgingTrigger<ContinuousProcessingTimeTrigger>,
               PurgingTrigger<CountOrTimeout>>
      trigger_;
};

class AnyEvictor {
 public:
  static AnyEvictor of(Words words) {
    const std::string kind = words.next();
    const int64_t bound = words.number();
    const Evict when = words.take("after") ? Evict::kAfter : Evict::kBefore;
    if (kind == "count") return AnyEvictor(CountEvictor::of(bound, when));
    if (kind == "time") return AnyEvictor(TimeEvictor::of(ms(bound), when));
    if (kind == "delta") return AnyEvictor(DeltaEvictor::of(static_cast<double>(bound), Delta(delta), when));
    throw std::invalid_argument("evictor " + kind);
  }

  template <typename T, typename W>
  void evictBefore(std::vector<TimestampedValue<T>>& elements, const W& window, EvictorContext& context) {
    call<T>([&](auto& evictor) { evictor.evictBefore(elements, window, context); });
  }
  template <typename T, typename W>
  void evictAfter(std::vector<TimestampedValue<T>>& elements, const W& window, EvictorContext& context) {
    call<T>([&](auto& evictor) { evictor.evictAfter(elements, window, context); });
  }

 private:
  using DeltaOfRecords = RuleEvictor<KeepNear<Delta>>;

  template <typename Evictor>
  explicit AnyEvictor(Evictor evictor) : evictor_(std::move(evictor)) {}

  template <typename T, typename F>
  void call(F f) {
    std::visit(
        [&](auto& evictor) {
          constexpr bool kDelta = std::is_same_v<std::remove_cvref_t<decltype(evictor)>, DeltaOfRecords>;
          if constexpr (kDelta && !std::is_same_v<T, Record>) {
            throw std::invalid_argument("this evictor is not for these records");
          } else {
            f(evictor);
          }
        },
        evictor_);
  }

  std::variant<RuleEvictor<KeepLast>, RuleEvictor<KeepYoung>, DeltaOfRecords> evictor_;
};

/// " in 0..10", relative to the origin of the clock.
template <typename W>
std::string windowText(const W& window, int64_t origin) {
  if constexpr (std::is_same_v<W, TimeWindow>) {
    return " in " + std::to_string(window.start.ms - origin) + ".." + std::to_string(window.end.ms - origin);
  } else {
    return "";
  }
}

struct List {
  int64_t origin;
  template <typename W>
  void process(const std::string& key, BasicWindowContext<W>& context, std::span<const Record> records,
               Collector<std::string>& out) {
    put(key, context, records, out);
  }
  template <typename W>
  void put(const std::string& key, BasicWindowContext<W>& context, std::span<const Record> records,
           Collector<std::string>& out) {
    std::string text = key + ":";
    for (const Record& record : records) text += " " + std::to_string(record.value);
    out.collect(text + windowText(context.window(), origin));
  }
};
struct ListAll {
  int64_t origin;
  template <typename W>
  void process(BasicWindowContext<W>& context, std::span<const Record> records, Collector<std::string>& out) {
    List{origin}.put("all", context, records, out);
  }
};

template <typename W>
struct CountFirings : ProcessWindowFunction<Record, std::string, std::string, W> {
  explicit CountFirings(int64_t o) : origin(o) {}
  using Context = BasicWindowContext<W>;
  int64_t origin;
  void process(const std::string& key, Context& context, std::span<const Record>,
               Collector<std::string>& out) override {
    const ValueStateDescriptor<int64_t> firings("firings");
    auto ofWindow = context.windowState().state(firings);
    auto ofKey = context.globalState().state(firings);
    ofWindow.set(ofWindow.get() + 1);
    ofKey.set(ofKey.get() + 1);
    const int64_t cleared = context.globalState().state(ValueStateDescriptor<int64_t>("cleared")).get();
    out.collect(key + ": firing " + std::to_string(ofWindow.get()) + " of the window, " +
                std::to_string(ofKey.get()) + " of the key, " + std::to_string(cleared) + " cleared" +
                windowText(context.window(), origin));
  }
  void clear(Context& context) override {
    auto cleared = context.globalState().state(ValueStateDescriptor<int64_t>("cleared"));
    cleared.set(cleared.get() + 1);
  }
};

struct Mean {
  struct Acc {
    int64_t sum = 0;
    int64_t count = 0;
  };
  Acc createAccumulator() const { return {}; }
  void add(const Record& record, Acc& acc) const {
    acc.sum += record.value;
    ++acc.count;
  }
  void merge(Acc& acc, const Acc& other) const {
    acc.sum += other.sum;
    acc.count += other.count;
  }
  std::string getResult(const Acc& acc) const {
    return std::to_string(acc.sum) + "/" + std::to_string(acc.count);
  }
};

struct WithWindow {
  int64_t origin;
  template <typename W>
  void process(const std::string& key, BasicWindowContext<W>& context, std::span<const std::string> mean,
               Collector<std::string>& out) {
    out.collect(key + ": " + mean[0] + windowText(context.window(), origin));
  }
};

}  // namespace flott::golden
