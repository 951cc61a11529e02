// Evictors: which records of a window are dropped when it fires, before or after its function sees them.
//
// With an evictor the window keeps all records, so nothing is aggregated ahead. An evictor of a user is a
// class with
//
//   void evictBefore(std::vector<TimestampedValue<T>>& elements, const W& window, EvictorContext& context);
//   void evictAfter(std::vector<TimestampedValue<T>>& elements, const W& window, EvictorContext& context);
//
// which drop elements from the vector (std::erase_if); they are in the order of arrival. Called for each
// firing, on the task's thread. Values that the user hands to evictor(…).
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "flott/base/time.h"
#include "flott/operators/window/triggers.h"

namespace flott {

/// A record in a window with its timestamp, which is Timestamp::min() for one that has none.
template <typename T>
struct TimestampedValue {
  T value{};
  Timestamp timestamp{};
};

/// What an evictor may ask. Good during the call it is passed to.
class EvictorContext {
 public:
  EvictorContext(Timestamp watermark, Timestamp processingTime)
      : watermark_(watermark), processingTime_(processingTime) {}
  Timestamp currentWatermark() const { return watermark_; }
  Timestamp currentProcessingTime() const { return processingTime_; }

 private:
  Timestamp watermark_;
  Timestamp processingTime_;
};

/// All records stay: then a window need not keep them one by one.
struct NoEvictor {};

enum class Evict : uint8_t { kBefore, kAfter };  // the window function

template <typename Evictor, typename T, typename W>
concept EvictorFor = requires(Evictor& evictor, std::vector<TimestampedValue<T>>& elements, const W& window,
                              EvictorContext& context) {
  evictor.evictBefore(elements, window, context);
  evictor.evictAfter(elements, window, context);
};

/// What evicts at one of the two moments: evict(elements).
template <typename Rule>
class RuleEvictor {
 public:
  RuleEvictor(Rule rule, Evict when) : rule_(std::move(rule)), when_(when) {}

  template <typename T, typename W>
  void evictBefore(std::vector<TimestampedValue<T>>& elements, const W&, EvictorContext&) {
    if (when_ == Evict::kBefore) rule_.evict(elements);
  }
  template <typename T, typename W>
  void evictAfter(std::vector<TimestampedValue<T>>& elements, const W&, EvictorContext&) {
    if (when_ == Evict::kAfter) rule_.evict(elements);
  }

 private:
  Rule rule_;
  Evict when_;
};

struct KeepLast {
  int64_t count;
  template <typename T>
  void evict(std::vector<TimestampedValue<T>>& elements) const {
    const auto size = static_cast<int64_t>(elements.size());
    if (size > count) elements.erase(elements.begin(), elements.begin() + (size - count));
  }
};

struct KeepYoung {
  Duration span;
  template <typename T>
  void evict(std::vector<TimestampedValue<T>>& elements) const {
    if (elements.empty() || elements.front().timestamp == Timestamp::min()) return;
    Timestamp latest = Timestamp::min();
    for (const TimestampedValue<T>& element : elements) latest = std::max(latest, element.timestamp);
    std::erase_if(elements, [&](const TimestampedValue<T>& one) { return one.timestamp <= latest - span; });
  }
};

template <typename F>
struct KeepNear {
  double threshold;
  F delta;
  template <typename T>
  void evict(std::vector<TimestampedValue<T>>& elements) {
    if (elements.empty()) return;
    const T last = elements.back().value;
    std::erase_if(elements,
                  [&](const TimestampedValue<T>& one) { return delta(one.value, last) >= threshold; });
  }
};

/// Keeps the last `count` records.
struct CountEvictor {
  /// Throws Error(kUser) for a count that is not positive.
  static RuleEvictor<KeepLast> of(int64_t count, Evict when = Evict::kBefore) {
    return {KeepLast{checkedCount("CountEvictor", count)}, when};
  }
};
/// Keeps records that are less than `span` older than the latest; all when they have no timestamps.
struct TimeEvictor {
  static RuleEvictor<KeepYoung> of(Duration span, Evict when = Evict::kBefore) {
    return {KeepYoung{checkedInterval("TimeEvictor", span)}, when};
  }
};
/// Keeps records whose delta(const T& record, const T& last) to the last one is below the threshold.
struct DeltaEvictor {
  template <typename F>
  static RuleEvictor<KeepNear<F>> of(double threshold, F delta, Evict when = Evict::kBefore) {
    return {KeepNear<F>{threshold, std::move(delta)}, when};
  }
};

}  // namespace flott
