// Flink's window operator, told as simply as it can be: for each key and window a list of records, a map of
// what the trigger remembers, and two sets of timers. The tests compare the real operators with it.
//
// It follows the javadoc of WindowOperator, EvictingWindowOperator, MergingWindowSet and of each trigger and
// evictor, one step after the other, and shares no code with what it tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flott::window_model {

inline constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

enum class AssignerKind { kTumbling, kSliding, kSession, kDynamicSession, kGlobal };
enum class TriggerKind {
  kUsual,
  kEventTime,
  kProcessingTime,
  kNever,
  kCount,
  kPurgingCount,
  kDelta,
  kContinuousEventTime,
  kContinuousProcessingTime,
  kTimeout,
};
enum class EvictorKind { kNone, kCount, kTime, kDelta };

struct Settings {
  AssignerKind assigner = AssignerKind::kTumbling;
  bool eventTime = true;
  int64_t size = 10;   // or gap
  int64_t slide = 10;  // sliding
  int64_t offset = 0;
  int64_t lateness = 0;
  TriggerKind trigger = TriggerKind::kUsual;
  int64_t count = 3;     // CountTrigger
  int64_t interval = 7;  // continuous ones, the timeout, the threshold of DeltaTrigger
  bool resetTimer = false;
  bool clearOnTimeout = true;
  EvictorKind evictor = EvictorKind::kNone;
  int64_t keep = 3;  // of the evictor
  bool evictAfter = false;

  bool merging() const {
    return assigner == AssignerKind::kSession || assigner == AssignerKind::kDynamicSession;
  }
  bool global() const { return assigner == AssignerKind::kGlobal; }
};

struct Record {
  int64_t key = 0;
  int64_t value = 0;
  int64_t gap = 1;  // dynamic sessions
  int64_t at = 0;
};

using Span = std::pair<int64_t, int64_t>;  // start, end

class Model {
 public:
  explicit Model(const Settings& settings) : settings_(settings) {
    if (settings_.trigger == TriggerKind::kUsual) {
      settings_.trigger = settings_.global()    ? TriggerKind::kNever
                          : settings_.eventTime ? TriggerKind::kEventTime
                                                : TriggerKind::kProcessingTime;
    }
  }

  std::vector<std::string> results;
  std::vector<Record> late;

  void record(const Record& record) {
    bool skipped = true;
    for (const Span& span : assign(record)) {
      auto& windows = windows_[record.key];
      const Span actual = settings_.merging() ? join(record.key, span) : span;
      if (settings_.eventTime && !settings_.global() && cleanupOf(actual) <= watermark_) continue;
      skipped = false;
      Kept& kept = windows[actual];
      kept.records.push_back(record);
      apply(onElement(record, actual, kept), record.key, actual, kept, record.at);
      const int64_t cleanup = cleanupOf(actual);
      if (cleanup != kMax) (settings_.eventTime ? kept.eventTimers : kept.clockTimers).insert(cleanup);
    }
    if (skipped && settings_.eventTime && !settings_.global() && record.at + settings_.lateness <= watermark_)
      late.push_back(record);
  }

  void watermark(int64_t to) {
    if (to <= watermark_) return;
    watermark_ = to;
    fireTimers(true, to);
  }
  void clock(int64_t to) {
    now_ = to;
    fireTimers(false, to - 1);
  }
  /// Windows on processing time that are open fire, too; in Flink they do not.
  void endOfInput() {
    watermark(kMax);
    if (settings_.eventTime || settings_.global()) return;
    for (auto& [key, windows] : windows_) {
      for (auto& [span, kept] : windows) {
        if (!kept.records.empty()) apply(Result::kFire, key, span, kept, kMax);
        kept = {};
      }
    }
  }

 private:
  enum class Result { kContinue, kFire, kFireAndPurge };
  struct Kept {
    std::vector<Record> records;
    std::map<std::string, int64_t> memory;  // of the trigger
    std::set<int64_t> eventTimers;
    std::set<int64_t> clockTimers;
  };

  std::vector<Span> assign(const Record& record) const {
    const int64_t at = settings_.eventTime ? record.at : now_;
    switch (settings_.assigner) {
      case AssignerKind::kTumbling:
      case AssignerKind::kSliding: {
        const int64_t slide =
            settings_.assigner == AssignerKind::kTumbling ? settings_.size : settings_.slide;
        std::vector<Span> spans;
        for (int64_t start = settings_.offset - 1000 * slide; start <= at; start += slide) {
          if (start + settings_.size > at) spans.push_back({start, start + settings_.size});
        }
        return spans;
      }
      case AssignerKind::kSession:
        return {{at, at + settings_.size}};
      case AssignerKind::kDynamicSession:
        return {{at, at + record.gap}};
      case AssignerKind::kGlobal:
        return {{kMin, kMax}};
    }
    return {};
  }

  static int64_t lastOf(const Span& span) { return span.second == kMax ? kMax : span.second - 1; }
  int64_t cleanupOf(const Span& span) const {
    if (span.second == kMax) return kMax;
    return lastOf(span) + (settings_.eventTime ? settings_.lateness : 0);
  }

  /// The window of the key that covers all windows which touch each other and this one.
  Span join(int64_t key, Span span) {
    auto& windows = windows_[key];
    std::vector<Span> parts;
    Span cover = span;
    for (bool grows = true; grows;) {
      grows = false;
      for (const auto& [other, kept] : windows) {
        if (std::find(parts.begin(), parts.end(), other) != parts.end()) continue;
        if (other.first > cover.second || other.second < cover.first) continue;
        parts.push_back(other);
        cover = {std::min(cover.first, other.first), std::max(cover.second, other.second)};
        grows = true;
      }
    }
    if (parts.empty() || (parts.size() == 1 && parts[0] == cover)) return cover;
    std::sort(parts.begin(), parts.end());
    Kept merged;
    for (const Span& part : parts) {
      const Kept& kept = windows[part];
      merged.records.insert(merged.records.end(), kept.records.begin(), kept.records.end());
      mergeMemory(kept, merged);
      windows.erase(part);
    }
    onMerge(cover, merged);
    windows[cover] = merged;
    return cover;
  }

  void mergeMemory(const Kept& from, Kept& into) const {
    for (const auto& [name, value] : from.memory) {
      const bool has = into.memory.contains(name);
      if (name == "count") {
        into.memory[name] += value;
      } else {
        into.memory[name] = has ? std::min(into.memory[name], value) : value;
      }
    }
  }

  void onMerge(const Span& span, Kept& kept) const {
    const bool eventTime = settings_.trigger == TriggerKind::kEventTime ||
                           settings_.trigger == TriggerKind::kContinuousEventTime;
    if (eventTime && lastOf(span) > watermark_) kept.eventTimers.insert(lastOf(span));
    if (settings_.trigger == TriggerKind::kProcessingTime && lastOf(span) > now_)
      kept.clockTimers.insert(lastOf(span));
    if (settings_.trigger == TriggerKind::kContinuousEventTime && kept.memory.contains("next"))
      kept.eventTimers.insert(kept.memory["next"]);
    if (settings_.trigger == TriggerKind::kContinuousProcessingTime && kept.memory.contains("next"))
      kept.clockTimers.insert(kept.memory["next"]);
    const int64_t cleanup = cleanupOf(span);
    if (cleanup != kMax) (settings_.eventTime ? kept.eventTimers : kept.clockTimers).insert(cleanup);
  }

  Result onElement(const Record& record, const Span& span, Kept& kept) {
    auto& memory = kept.memory;
    switch (settings_.trigger) {
      case TriggerKind::kEventTime:
        if (lastOf(span) <= watermark_) return Result::kFire;
        kept.eventTimers.insert(lastOf(span));
        return Result::kContinue;
      case TriggerKind::kProcessingTime:
        kept.clockTimers.insert(lastOf(span));
        return Result::kContinue;
      case TriggerKind::kCount:
      case TriggerKind::kPurgingCount:
        if (++memory["count"] < settings_.count) return Result::kContinue;
        memory.erase("count");
        return settings_.trigger == TriggerKind::kCount ? Result::kFire : Result::kFireAndPurge;
      case TriggerKind::kDelta:
        if (memory.contains("last") && record.value - memory["last"] <= settings_.interval)
          return Result::kContinue;
        if (!memory.contains("last")) {
          memory["last"] = record.value;
          return Result::kContinue;
        }
        memory["last"] = record.value;
        return Result::kFire;
      case TriggerKind::kContinuousEventTime:
        if (lastOf(span) <= watermark_) return Result::kFire;
        kept.eventTimers.insert(lastOf(span));
        if (!memory.contains("next")) {
          setNext(record.at - record.at % settings_.interval, span, kept, kept.eventTimers);
        }
        return Result::kContinue;
      case TriggerKind::kContinuousProcessingTime:
        if (!memory.contains("next")) setNext(now_ - now_ % settings_.interval, span, kept, kept.clockTimers);
        return Result::kContinue;
      case TriggerKind::kTimeout:
        if (++memory["count"] >= settings_.count) {
          clearTrigger(kept);
          return Result::kFire;
        }
        if (memory.contains("timeout") && settings_.resetTimer) {
          kept.clockTimers.erase(memory["timeout"]);
          memory.erase("timeout");
        }
        if (!memory.contains("timeout")) {
          memory["timeout"] = now_ + settings_.interval;
          kept.clockTimers.insert(memory["timeout"]);
        }
        return Result::kContinue;
      default:
        return Result::kContinue;
    }
  }

  Result onTimer(bool eventTime, int64_t at, const Span& span, Kept& kept) {
    switch (settings_.trigger) {
      case TriggerKind::kEventTime:
        return eventTime && at == lastOf(span) ? Result::kFire : Result::kContinue;
      case TriggerKind::kProcessingTime:
        return eventTime ? Result::kContinue : Result::kFire;
      case TriggerKind::kContinuousEventTime:
        if (!eventTime) return Result::kContinue;
        if (at == lastOf(span)) return Result::kFire;
        [[fallthrough]];
      case TriggerKind::kContinuousProcessingTime: {
        const bool own = eventTime == (settings_.trigger == TriggerKind::kContinuousEventTime);
        if (!own || !kept.memory.contains("next") || kept.memory["next"] != at) return Result::kContinue;
        setNext(at, span, kept, eventTime ? kept.eventTimers : kept.clockTimers);
        return Result::kFire;
      }
      case TriggerKind::kTimeout:
        // As in Flink: whatever timer it is, and whatever the trigger inside says.
        if (settings_.clearOnTimeout) clearTrigger(kept);
        return Result::kFire;
      default:
        return Result::kContinue;
    }
  }

  /// Not beyond the window, and not again and again at one moment.
  void setNext(int64_t from, const Span& span, Kept& kept, std::set<int64_t>& timers) {
    const bool end =
        settings_.trigger == TriggerKind::kContinuousEventTime && watermark_ == kMax && settings_.global();
    const int64_t next = end ? lastOf(span) : std::min(from + settings_.interval, lastOf(span));
    kept.memory["next"] = next;
    if (next > from) timers.insert(next);
  }

  void clearTrigger(Kept& kept) {
    if (kept.memory.contains("timeout")) kept.clockTimers.erase(kept.memory["timeout"]);
    kept.memory.clear();
  }

  void fireTimers(bool eventTime, int64_t upTo) {
    for (;;) {
      const auto timersOf = [&](Kept& kept) -> std::set<int64_t>& {
        return eventTime ? kept.eventTimers : kept.clockTimers;
      };
      int64_t first = kMax;
      bool any = false;
      std::pair<int64_t, Span> where;
      for (auto& [key, windows] : windows_) {
        for (auto& [span, kept] : windows) {
          const auto& timers = timersOf(kept);
          if (timers.empty() || *timers.begin() > upTo || (any && *timers.begin() >= first)) continue;
          any = true;
          first = *timers.begin();
          where = {key, span};
        }
      }
      if (!any) return;
      const auto& [key, span] = where;
      Kept& kept = windows_[key][span];
      timersOf(kept).erase(first);
      apply(onTimer(eventTime, first, span, kept), key, span, kept, eventTime ? first : kMin);
      if (eventTime == settings_.eventTime && !settings_.global() && first == cleanupOf(span))
        windows_[key].erase(span);
    }
  }

  void apply(Result result, int64_t key, const Span& span, Kept& kept, int64_t at) {
    if (result == Result::kContinue) return;
    if (!kept.records.empty()) {
      if (!settings_.evictAfter) evict(kept.records);
      emit(key, span, kept.records, at);
      if (settings_.evictAfter) evict(kept.records);
    }
    if (result == Result::kFireAndPurge) kept.records.clear();
  }

  void evict(std::vector<Record>& records) const {
    if (records.empty()) return;
    const Record last = records.back();
    int64_t latest = kMin;
    for (const Record& record : records) latest = std::max(latest, record.at);
    std::vector<Record> left;
    for (size_t i = 0; i < records.size(); ++i) {
      const bool stays =
          settings_.evictor == EvictorKind::kCount ? i + static_cast<size_t>(settings_.keep) >= records.size()
          : settings_.evictor == EvictorKind::kTime  ? records[i].at > latest - settings_.keep
          : settings_.evictor == EvictorKind::kDelta ? records[i].value - last.value < settings_.keep
                                                     : true;
      if (stays) left.push_back(records[i]);
    }
    records = left;
  }

  void emit(int64_t key, const Span& span, const std::vector<Record>& records, int64_t at) {
    std::string text = std::to_string(key);
    if (!settings_.global())
      text += " [" + std::to_string(span.first) + ", " + std::to_string(span.second) + ")";
    for (const Record& record : records) text += " " + std::to_string(record.value);
    const int64_t stamp = settings_.global() ? at : lastOf(span);
    if (stamp != kMin) text += " @ " + std::to_string(stamp);
    results.push_back(text);
  }

  Settings settings_;
  std::map<int64_t, std::map<Span, Kept>> windows_;
  int64_t watermark_ = kMin;
  int64_t now_ = 0;
};

}  // namespace flott::window_model
