// The operator behind assignTimestampsAndWatermarks(…): gives records their timestamps and makes the
// watermarks of a stream, in place of those that came from upstream (but for the last, the end of all time).
//
// Timestamps are assigned in one loop over the batch. Watermarks of a generator that looks at single records
// split the batch right behind the record they belong to, so that results do not depend on batch size;
// periodic ones come with ticks of processing time. On the task's thread, as every operator.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "flott/base/options.h"
#include "flott/operators/idleness_clock.h"
#include "flott/operators/stamping.h"
#include "flott/operators/watermark_strategy.h"

namespace flott {

template <typename T, typename Generator, typename Assigner>
class TimestampsAndWatermarksOperator final : public Operator {
 public:
  explicit TimestampsAndWatermarksOperator(WatermarkStrategy<T, Generator, Assigner> strategy)
      : generator_(strategy.generator()),
        stamper_(strategy.assigner()),
        idleness_(strategy.settings().idleness) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    pool_ = &rowsPool<T>(context.pools());
    stamper_.open(context);
    openFunction(generator_, context);
    idleness_.start(context.availableNanos());
    interval_ = context.configuration().get(kAutoWatermarkInterval);
    setAlarm(context.processingTime());
  }
  void close() noexcept override {
    stamper_.close();
    closeFunction(generator_);
  }

  Step onBatch(int, Batch batch, Output& output) override {
    Rows<T>& rows = batch.rows<T>();
    rows.dropHashes();
    stamper_.stamp(rows, context_->processingTime());
    if (idleness_.idle()) {
      watermarks_.markActive();
      watermarks_.emitTo(output);
    }
    idleness_.onRecord();
    lastRecordNanos_ = context_->monotonicNanos();
    if constexpr (kWholeBatches<Generator>) {
      if (rows.hasTimestamps()) generator_.onTimestamps(Timestamp(stamper_.rangeOf(rows).max));
      output.emit(std::move(batch));
      return Step::kDone;
    } else {
      batch_ = std::move(batch);
      next_ = 0;
      return resume(output);
    }
  }

  Step resume(Output& output) override {
    if constexpr (!kWholeBatches<Generator>) {
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
          output.emit(takeRows(*pool_, rows, first, next_));
          watermarks_.emitTo(output);
          if (output.full()) return Step::kMore;
        } else {
          output.emit(first == 0 ? std::move(batch_) : takeRows(*pool_, rows, first, next_));
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
    idleness_.onTick(context_->availableNanos());
    if (idleness_.idle()) {
      watermarks_.markIdle();
    } else if (interval_ > Duration()) {
      if constexpr (Stamper<T, Assigner>::kIngestion) generator_.onTimestamps(stamper_.advance(now));
      generator_.onPeriodicEmit(watermarks_);
    }
    watermarks_.emitTo(output);
    if (watermarks_.emitted().time < Timestamp::max()) setAlarm(now);
    return Step::kDone;
  }

  void watermarkOrigins(std::vector<WatermarkOrigin>& out) const override {
    using State = WatermarkOrigin::State;
    out.push_back({.split = {},
                   .watermark = watermarks_.emitted().time,
                   .state = watermarks_.active() ? State::kActive : State::kIdle,
                   .lastRecordNanos = lastRecordNanos_});
  }

 private:
  void setAlarm(Timestamp now) {
    if constexpr (!std::is_same_v<Generator, NoWatermarks>) {
      if (interval_ > Duration()) return context_->setAlarm(now + interval_);
    }
    if (!idleness_.enabled()) return;
    context_->setAlarm(now + (interval_ > Duration() ? interval_ : idleness_.limit()));
  }

  Generator generator_;
  Stamper<T, Assigner> stamper_;
  IdlenessClock idleness_;
  Duration interval_;
  WatermarkOutput watermarks_;
  int64_t lastRecordNanos_ = 0;
  OperatorContext* context_ = nullptr;
  BatchPool* pool_ = nullptr;
  Batch batch_;  // being split
  size_t next_ = 0;
};

}  // namespace flott
