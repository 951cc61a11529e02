// The operator behind assignTimestampsAndWatermarks(…): gives records their timestamps and makes the
// watermarks of a stream, in place of those that came from upstream (but for the last, the end of all time).
//
// Timestamps are assigned in one loop over the batch. Watermarks of a generator that looks at single records
// split the batch right behind the record they belong to, so that results do not depend on batch size;
// periodic ones come with ticks of processing time. On the task's thread, as every operator.
#pragma once

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "flott/base/options.h"
#include "flott/operators/event_time.h"
#include "flott/operators/function.h"
#include "flott/operators/watermark_strategy.h"

namespace flott {

/// Tells when a stream is idle: it had no record for a time during which nothing held it up.
class IdlenessClock {
 public:
  explicit IdlenessClock(std::optional<Duration> limit) : limit_(limit) {}

  bool enabled() const { return limit_.has_value(); }
  Duration limit() const { return *limit_; }
  bool idle() const { return idle_; }
  void start(Timestamp now) { quietSince_ = now; }
  /// A record has come.
  void onRecord() {
    seen_ = true;
    idle_ = false;
  }
  /// `blocked`: the output is full, so that records could not come.
  void onTick(Timestamp now, bool blocked) {
    if (seen_ || blocked) {
      seen_ = false;
      quietSince_ = now;
    } else if (limit_ && now - quietSince_ >= *limit_) {
      idle_ = true;
    }
  }

 private:
  std::optional<Duration> limit_;
  Timestamp quietSince_;
  bool seen_ = false;
  bool idle_ = false;
};

template <typename T, typename Generator, typename Assigner>
class TimestampsAndWatermarksOperator final : public Operator {
  static constexpr bool kStamps = !std::is_same_v<Assigner, KeepTimestamps>;
  static constexpr bool kIngestion = std::is_same_v<Assigner, StampWithProcessingTime>;
  static constexpr bool kWholeBatches = requires(Generator & g, Timestamp at) { g.onTimestamps(at); };

 public:
  explicit TimestampsAndWatermarksOperator(WatermarkStrategy<T, Generator, Assigner> strategy)
      : generator_(strategy.generator()), assigner_(strategy.assigner()), idleness_(strategy.idleness()) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    pool_ = &rowsPool<T>(context.pools());
    openFunction(assigner_, context);
    openFunction(generator_, context);
    idleness_.start(context.processingTime());
    interval_ = context.configuration().get(kAutoWatermarkInterval);
    setAlarm(context.processingTime());
  }
  void close() noexcept override {
    closeFunction(assigner_);
    closeFunction(generator_);
  }

  Step onBatch(int, Batch batch, Output& output) override {
    Rows<T>& rows = batch.rows<T>();
    rows.dropHashes();
    if constexpr (kStamps) assign(rows);
    if (idleness_.idle()) {
      watermarks_.markActive();
      watermarks_.emitTo(output);
    }
    idleness_.onRecord();
    if constexpr (kWholeBatches) {
      if (rows.hasTimestamps()) generator_.onTimestamps(Timestamp(rangeOf(rows).max));
      output.emit(std::move(batch));
      return Step::kDone;
    } else {
      batch_ = std::move(batch);
      next_ = 0;
      return resume(output);
    }
  }

  Step resume(Output& output) override {
    if constexpr (!kWholeBatches) {
      Rows<T>& rows = batch_.rows<T>();
      const int64_t* timestamps = rows.hasTimestamps() ? rows.timestamps() : nullptr;
      while (next_ < rows.size()) {
        const size_t first = next_;
        next_ = forEachRow(rows, first, [&](size_t i) {
          const Timestamp at = timestamps != nullptr ? Timestamp(timestamps[i]) : Timestamp::min();
          generator_.onEvent(std::as_const(rows[i]), at, watermarks_);
          return !watermarks_.changed();
        });
        if (next_ < rows.size()) {
          output.emit(take(rows, first, next_));
          watermarks_.emitTo(output);
          if (output.full()) return Step::kMore;
        } else {
          output.emit(first == 0 ? std::move(batch_) : take(rows, first, next_));
          watermarks_.emitTo(output);
          break;
        }
      }
      batch_.reset();
    }
    return Step::kDone;
  }

  /// Upstream's watermarks say nothing about the timestamps given here, only its end does.
  Step onWatermark(int, Watermark watermark, Output& output) override {
    if (watermark.time == Timestamp::max()) {
      watermarks_.emitWatermark(watermark);
      watermarks_.emitTo(output);
    }
    return Step::kDone;
  }
  Step onStatus(int, WatermarkStatus, Output&) override { return Step::kDone; }

  Step onProcessingTime(Timestamp now, Output& output) override {
    idleness_.onTick(now, output.full());
    if (idleness_.idle()) {
      watermarks_.markIdle();
    } else if (interval_ > Duration()) {
      if constexpr (kIngestion) generator_.onTimestamps(advance(now));
      generator_.onPeriodicEmit(watermarks_);
    }
    watermarks_.emitTo(output);
    if (watermarks_.emitted().time < Timestamp::max()) setAlarm(now);
    return Step::kDone;
  }

 private:
  static int64_t millis(Timestamp timestamp) { return timestamp.ms; }
  static int64_t millis(int64_t timestamp) { return timestamp; }

  void setAlarm(Timestamp now) {
    if constexpr (!std::is_same_v<Generator, NoWatermarks>) {
      if (interval_ > Duration()) return context_->setAlarm(now + interval_);
    }
    if (!idleness_.enabled()) return;
    context_->setAlarm(now + (interval_ > Duration() ? interval_ : idleness_.limit()));
  }

  void assign(Rows<T>& rows) {
    int64_t* timestamps = rows.enableTimestamps();
    if constexpr (kIngestion) {
      std::fill_n(timestamps, rows.size(), advance(context_->processingTime()).ms);
    } else {
      forEachRow(rows, 0, [&](size_t i) { timestamps[i] = millis(assigner_(std::as_const(rows[i]))); });
      checkEventTimes(rows, rangeOf(rows));
    }
  }
  static TimeRange rangeOf(const Rows<T>& rows) { return timeRangeOf({rows.timestamps(), rows.size()}); }

  /// Processing time as far as it has ever come.
  Timestamp advance(Timestamp now) { return ingestionTime_ = std::max(ingestionTime_, now); }

  /// A batch of its own for these rows.
  Batch take(Rows<T>& rows, size_t begin, size_t end) {
    Batch piece = pool_->acquire();
    Rows<T>& to = piece.rows<T>();
    to.reserve(end - begin);
    for (size_t i = begin; i < end; ++i) to.emplace(std::move(rows[i]));
    if (rows.hasTimestamps()) {
      std::copy(rows.timestamps() + begin, rows.timestamps() + end, to.enableTimestamps());
    }
    return piece;
  }

  Generator generator_;
  Assigner assigner_;
  IdlenessClock idleness_;
  Duration interval_;
  WatermarkOutput watermarks_;
  Timestamp ingestionTime_;
  OperatorContext* context_ = nullptr;
  BatchPool* pool_ = nullptr;
  Batch batch_;  // being split
  size_t next_ = 0;
};

}  // namespace flott
