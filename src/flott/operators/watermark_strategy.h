// How a stream gets its event time: who assigns timestamps, who makes watermarks, when it counts as idle.
//
// A value that the user builds and hands to assignTimestampsAndWatermarks(…). Each step returns a new value
// of another type, so that the operator's loop inlines assigner and generator.
//
//   WatermarkStrategy<Click>::forBoundedOutOfOrderness(5s).withTimestampAssigner(&Click::at).withIdleness(1min)
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "flott/operators/watermark_generators.h"

namespace flott {

/// Records keep the timestamps they have.
struct KeepTimestamps {};
/// Records get the processing time at which they come in; it never goes back.
struct StampWithProcessingTime {};

template <typename F, typename T>
concept TimestampAssigner = requires(const F& f, const T& record) {
  requires(std::same_as<std::remove_cvref_t<decltype(f(record))>, Timestamp> ||
           (std::integral<std::remove_cvref_t<decltype(f(record))>> &&
            !std::same_as<std::remove_cvref_t<decltype(f(record))>, bool>));
};

/// A member that holds the timestamp.
template <typename T, typename M>
struct MemberTimestamp {
  M T::*member;
  const M& operator()(const T& record) const { return record.*member; }
};

template <typename G, typename T>
concept WatermarkGenerator = requires(G& g, const T& record, Timestamp at, WatermarkOutput& output) {
  g.onEvent(record, at, output);
  g.onPeriodicEmit(output);
};

/// Throws Error(kUser) unless longer than 0 ms.
void checkIdleness(Duration idleness);

template <typename T, typename Generator = NoWatermarks, typename Assigner = KeepTimestamps>
class WatermarkStrategy {
 public:
  using Record = T;

  /// Timestamps never go back, within a subtask.
  static WatermarkStrategy<T, BoundedOutOfOrderness> forMonotonousTimestamps() {
    return forBoundedOutOfOrderness(Duration());
  }
  /// Records come at most `delay` after later ones.
  static WatermarkStrategy<T, BoundedOutOfOrderness> forBoundedOutOfOrderness(Duration delay) {
    return {BoundedOutOfOrderness(delay), {}, {}};
  }
  /// A generator of your own, see watermark_generators.h.
  template <typename G>
  static WatermarkStrategy<T, G> forGenerator(G generator) {
    static_assert(WatermarkGenerator<G, T>,
                  "forGenerator: the class needs onEvent(const T& record, Timestamp, WatermarkOutput&) and "
                  "onPeriodicEmit(WatermarkOutput&)");
    return {std::move(generator), {}, {}};
  }
  static WatermarkStrategy<T> noWatermarks() { return {{}, {}, {}}; }
  /// Time is when a record comes in here.
  static WatermarkStrategy<T, BoundedOutOfOrderness, StampWithProcessingTime> ingestionTime() {
    return {BoundedOutOfOrderness(Duration()), {}, {}};
  }

  /// f(const T&) -> Timestamp, or milliseconds since 1970. Without one, records keep the timestamps they
  /// have.
  template <typename F>
  requires(!std::is_member_object_pointer_v<F>)
      WatermarkStrategy<T, Generator, F> withTimestampAssigner(F assigner)
  const {
    static_assert(TimestampAssigner<F, T>,
                  "withTimestampAssigner: the function must be callable as f(const T&) and return a "
                  "Timestamp, or milliseconds since 1970 as an integer");
    return {generator_, std::move(assigner), idleness_};
  }
  template <typename M>
  WatermarkStrategy<T, Generator, MemberTimestamp<T, M>> withTimestampAssigner(M T::*member) const {
    return withTimestampAssigner(MemberTimestamp<T, M>{member});
  }
  /// A subtask without a record for this long, while nothing holds it up, holds back nobody's watermark. It
  /// is noticed at the ticks of pipeline.auto-watermark-interval.
  WatermarkStrategy withIdleness(Duration idleness) const {
    checkIdleness(idleness);
    return {generator_, assigner_, idleness};
  }

  const Generator& generator() const { return generator_; }
  const Assigner& assigner() const { return assigner_; }
  std::optional<Duration> idleness() const { return idleness_; }

 private:
  template <typename, typename, typename>
  friend class WatermarkStrategy;

  WatermarkStrategy(Generator generator, Assigner assigner, std::optional<Duration> idleness)
      : generator_(std::move(generator)), assigner_(std::move(assigner)), idleness_(idleness) {}

  Generator generator_;
  Assigner assigner_;
  std::optional<Duration> idleness_;
};

}  // namespace flott
