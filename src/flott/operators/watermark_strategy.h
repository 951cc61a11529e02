// How a stream gets its event time: who assigns timestamps, who makes watermarks, when it counts as idle.
//
// A value that the user builds and hands to fromSource(source, strategy), which follows each split of the
// source by itself, or to assignTimestampsAndWatermarks(…), which sees the stream as a whole. Each step
// returns a new value of another type, so that the operator's loop inlines assigner and generator.
//
//   WatermarkStrategy<Click>::forBoundedOutOfOrderness(5s).withTimestampAssigner(&Click::at).withIdleness(1min)
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/operators/watermark_alignment.h"
#include "flott/operators/watermark_generators.h"

namespace flott {

/// Records keep the timestamps they have.
struct KeepTimestamps {};
/// Records get the processing time at which they come in; it never goes back.
struct StampWithProcessingTime {};

template <typename R>
concept EventTime = std::same_as<std::remove_cvref_t<R>, Timestamp> ||
    (std::integral<std::remove_cvref_t<R>> && !std::same_as<std::remove_cvref_t<R>, bool>);
template <typename F, typename T>
concept AssignerOfRecords = requires(const F& f, const T& record) {
  requires EventTime<decltype(f(record))>;
};
/// Looks at the timestamp that the record has already, too: Timestamp::min() when it has none.
template <typename F, typename T>
concept AssignerOfStampedRecords = requires(const F& f, const T& record, Timestamp before) {
  requires EventTime<decltype(f(record, before))>;
};
template <typename F, typename T>
concept TimestampAssigner = AssignerOfRecords<F, T> || AssignerOfStampedRecords<F, T>;

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

/// What a strategy says beside assigner and generator.
struct WatermarkSettings {
  std::optional<Duration> idleness;
  std::optional<WatermarkAlignment> alignment;
};

/// Throws Error(kUser) unless longer than 0 ms.
void checkIdleness(Duration idleness);
/// Throws Error(kUser) for a group without a name, a negative drift, or an interval of 0 ms or less.
void checkAlignment(const WatermarkAlignment& alignment);

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

  /// f(const T&) -> Timestamp, or milliseconds since 1970; or f(const T&, Timestamp before), which gets the
  /// timestamp that the record has already, Timestamp::min() when it has none. Without an assigner, records
  /// keep the timestamps they have.
  template <typename F>
  requires(!std::is_member_object_pointer_v<F>)
      WatermarkStrategy<T, Generator, F> withTimestampAssigner(F assigner)
  const {
    static_assert(TimestampAssigner<F, T>,
                  "withTimestampAssigner: the function must be callable as f(const T&) or f(const T&, "
                  "Timestamp before) and return a Timestamp, or milliseconds since 1970 as an integer");
    return {generator_, std::move(assigner), settings_};
  }
  template <typename M, typename C>
  requires std::is_base_of_v<C, T> WatermarkStrategy<T, Generator, MemberTimestamp<T, M>>
  withTimestampAssigner(M C::*member)
  const { return withTimestampAssigner(MemberTimestamp<T, M>{member}); }
  /// A subtask (in a source: a split) without a record for this long, while nothing holds it up, holds back
  /// nobody's watermark. It is noticed at the ticks of pipeline.auto-watermark-interval.
  WatermarkStrategy withIdleness(Duration idleness) const {
    checkIdleness(idleness);
    WatermarkSettings settings = settings_;
    settings.idleness = idleness;
    return {generator_, assigner_, std::move(settings)};
  }
  /// For strategies of sources: readers and splits pause while they are more than `maxDrift` ahead of the
  /// slowest of all sources of the group.
  WatermarkStrategy withWatermarkAlignment(std::string group, Duration maxDrift,
                                           Duration updateInterval = Duration::seconds(1)) const {
    WatermarkSettings settings = settings_;
    settings.alignment = WatermarkAlignment{std::move(group), maxDrift, updateInterval};
    checkAlignment(*settings.alignment);
    return {generator_, assigner_, std::move(settings)};
  }

  const Generator& generator() const { return generator_; }
  const Assigner& assigner() const { return assigner_; }
  const WatermarkSettings& settings() const { return settings_; }

 private:
  template <typename, typename, typename>
  friend class WatermarkStrategy;

  WatermarkStrategy(Generator generator, Assigner assigner, WatermarkSettings settings)
      : generator_(std::move(generator)), assigner_(std::move(assigner)), settings_(std::move(settings)) {}

  Generator generator_;
  Assigner assigner_;
  WatermarkSettings settings_;
};

}  // namespace flott
