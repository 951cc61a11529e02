// Watermarks made inside a source: fromSource(source, strategy).
//
// A reader with a strategy is a reader around the source's own. It gives records their event time and has a
// generator for each split, so that one split that runs ahead of the others makes no record of theirs late:
// the reader's watermark is the least over its splits. A split that is idle is left out, one that is read to
// its end is forgotten. A reader that does not tell its splits counts as having one.
//
// With watermark alignment it tells the master how far it is, and pauses what is beyond the limit that comes
// back: single splits where the source can do that, else the whole reader once all of them are. Nothing is
// lost by a pause: what is paused is not read. Called as any reader, on its task's lane.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flott/operators/idleness_clock.h"
#include "flott/operators/source.h"
#include "flott/operators/stamping.h"
#include "flott/operators/typed_source.h"
#include "flott/operators/watermark_strategy.h"

namespace flott {

/// What does not depend on the record type.
class WatermarkedReader : public SourceReader, protected SourceReaderContext, protected Output {
 public:
  /// How its generators may be asked for a watermark.
  enum class Asking : uint8_t {
    kNever,     // there is none
    kAtTicks,   // a user's own: every pipeline.auto-watermark-interval
    kWhenever,  // costs nothing and changes nothing
  };
  WatermarkedReader(std::unique_ptr<SourceReader> inner, WatermarkSettings settings, Asking asking);
  ~WatermarkedReader() override;

  // SourceReader
  void open(SourceReaderContext& context) override;
  Poll poll(Output& output) override;
  void addSplits(std::vector<SourceSplit> splits) override;
  void onNoMoreSplits() override { inner_->onNoMoreSplits(); }
  void handleSourceEvent(const std::string& event) override { inner_->handleSourceEvent(event); }
  void onWatermarkLimit(Timestamp limit) override { limit_ = limit; }
  void watermarkOrigins(std::vector<WatermarkOrigin>& out) const override;
  std::vector<SourceSplit> snapshot() override { return inner_->snapshot(); }
  void onCheckpointEnded(CheckpointId checkpoint, bool completed) override {
    inner_->onCheckpointEnded(checkpoint, completed);
  }
  void close() noexcept override;

 protected:
  struct SplitTime {
    explicit SplitTime(std::optional<Duration> idleness) : clock(idleness) {}
    virtual ~SplitTime() = default;

    std::string id;
    WatermarkOutput output;  // where its generator says what it wants
    Watermark watermark;     // as far as it is in the reader's
    bool active = true;
    bool finished = false;
    bool paused = false;
    IdlenessClock clock;
    int64_t lastRecordNanos = 0;
  };

  virtual std::unique_ptr<SplitTime> makeSplit() = 0;
  virtual void onPeriodicEmit(SplitTime& split) = 0;

  SourceReaderContext& context() { return *context_; }
  /// The split that the batch at hand comes from, active now.
  SplitTime& splitOfBatch();
  void forward(Batch batch) { output_->emit(std::move(batch)); }
  void noteTimestamp(Timestamp at) { latest_ = at; }
  /// Whether the reader's watermark or status has to change because of what the split's generator said.
  bool moves(SplitTime& split);
  void emitMoved() { watermarks_.emitTo(*output_); }
  std::optional<Duration> idleness() const { return settings_.idleness; }

  // Output, for the source's own reader, whose own watermarks are not looked at.
  void emitSide(SideOutputIndex side, Batch batch) final { output_->emitSide(side, std::move(batch)); }
  bool reads(SideOutputIndex side) const final { return output_->reads(side); }
  void emitWatermark(Watermark) final {}
  void emitStatus(WatermarkStatus) final {}
  bool full() const final { return output_->full(); }

 private:
  // SourceReaderContext, for the source's own reader.
  const OperatorInfo& info() const final { return context_->info(); }
  const Configuration& configuration() const final { return context_->configuration(); }
  Env& env() final { return context_->env(); }
  BatchPools& pools() final { return context_->pools(); }
  MetricGroup& metrics() final { return context_->metrics(); }
  Accumulators& accumulators() final { return context_->accumulators(); }
  KeyedStateBackend& keyedState(const TypeOps& key) final { return context_->keyedState(key); }
  OperatorStateBackend& operatorState() final { return context_->operatorState(); }
  Timestamp processingTime() const final { return context_->processingTime(); }
  void setAlarm(Timestamp at) final { innerAlarm_ = at; }
  int64_t monotonicNanos() const final { return context_->monotonicNanos(); }
  int64_t availableNanos() const final { return context_->availableNanos(); }
  void askToResume() final { context_->askToResume(); }
  void wakeAtNanos(int64_t nanos) final { context_->wakeAtNanos(nanos); }
  MoveFunction<void()> resumeFromAnyThread() final { return context_->resumeFromAnyThread(); }
  void offload(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) final {
    context_->offload(std::move(what), std::move(work), std::move(done));
  }
  void warn(const std::string& text) final { context_->warn(text); }
  void requestSplit() final { context_->requestSplit(); }
  void sendEvent(std::string event) final { context_->sendEvent(std::move(event)); }
  void enterSplit(std::string_view id) final;
  void finishSplit(std::string_view id) final;
  void reportWatermark(Timestamp) final {}

  SplitTime* find(std::string_view id) const;
  SplitTime& add(std::string_view id);
  void dropFinished();
  void tick(Timestamp now);
  void take(SplitTime& split);
  void combine();
  bool isAhead(const SplitTime& split) const;
  void updatePauses();
  void report(Timestamp now);
  void updateMetrics(Timestamp now);

  const std::unique_ptr<SourceReader> inner_;
  const WatermarkSettings settings_;
  const Asking asking_;
  SourceReaderContext* context_ = nullptr;
  Output* output_ = nullptr;
  Duration interval_;  // between ticks; 0: none
  bool asksGenerators_ = false;
  bool allowUnaligned_ = false;
  Timestamp nextTick_ = Timestamp::max();
  Timestamp innerAlarm_ = Timestamp::max();

  std::vector<std::unique_ptr<SplitTime>> splits_;
  SplitTime* current_ = nullptr;
  bool tellsSplits_ = true;
  IdlenessClock withoutSplit_;
  WatermarkOutput watermarks_;
  Timestamp latest_;  // of the last batch

  Timestamp limit_ = Timestamp::max();
  bool paused_ = false;
  std::vector<std::string> pausedSplits_;
  Timestamp nextReport_;
  std::optional<Timestamp> reported_;

  Gauge* idleTime_ = nullptr;
  Gauge* emitLag_ = nullptr;
  Gauge* watermarkLag_ = nullptr;
  Gauge* drift_ = nullptr;
  int64_t lastRecordNanos_ = 0;
};

template <typename T, typename Generator, typename Assigner>
class WatermarkedReaderOf final : public WatermarkedReader {
 public:
  WatermarkedReaderOf(std::unique_ptr<SourceReader> inner,
                      const WatermarkStrategy<T, Generator, Assigner>& strategy)
      : WatermarkedReader(std::move(inner), strategy.settings(), kAsking),
        generator_(strategy.generator()),
        stamper_(strategy.assigner()) {}

  void open(SourceReaderContext& context) override {
    pool_ = &rowsPool<T>(context.pools());
    stamper_.open(context);
    WatermarkedReader::open(context);
  }
  void close() noexcept override {
    WatermarkedReader::close();
    stamper_.close();
  }

 private:
  static constexpr Asking kAsking = std::is_same_v<Generator, NoWatermarks> ? Asking::kNever
                                    : kWholeBatches<Generator>              ? Asking::kWhenever
                                                                            : Asking::kAtTicks;

  struct Split final : SplitTime {
    Split(std::optional<Duration> idleness, const Generator& pristine)
        : SplitTime(idleness), generator(pristine) {}
    ~Split() override { closeFunction(generator); }
    Generator generator;
  };

  std::unique_ptr<SplitTime> makeSplit() override {
    auto split = std::make_unique<Split>(idleness(), generator_);
    openFunction(split->generator, context());
    return split;
  }

  void onPeriodicEmit(SplitTime& split) override {
    Generator& generator = static_cast<Split&>(split).generator;
    if constexpr (Stamper<T, Assigner>::kIngestion) {
      generator.onTimestamps(stamper_.advance(context().processingTime()));
    }
    generator.onPeriodicEmit(split.output);
  }

  void emit(Batch batch) override {
    Rows<T>& rows = batch.rows<T>();
    if (rows.empty()) return;
    rows.dropHashes();
    stamper_.stamp(rows, context().processingTime());
    auto& split = static_cast<Split&>(splitOfBatch());
    if (rows.hasTimestamps()) noteTimestamp(Timestamp(rows.timestamps()[rows.size() - 1]));
    if constexpr (kWholeBatches<Generator>) {
      if (rows.hasTimestamps()) split.generator.onTimestamps(Timestamp(stamper_.rangeOf(rows).max));
      forward(std::move(batch));
    } else {
      emitSplitting(std::move(batch), split);
    }
  }

  /// Watermarks stand right behind the record they belong to.
  void emitSplitting(Batch batch, Split& split) {
    Rows<T>& rows = batch.rows<T>();
    const int64_t* timestamps = rows.hasTimestamps() ? rows.timestamps() : nullptr;
    for (size_t next = 0; next < rows.size();) {
      const size_t first = next;
      next = forEachRow(rows, first, [&](size_t i) {
        const Timestamp at = timestamps != nullptr ? Timestamp(timestamps[i]) : Timestamp::min();
        split.generator.onEvent(std::as_const(rows[i]), at, split.output);
        return !moves(split);
      });
      if (first == 0 && next == rows.size()) {
        forward(std::move(batch));
        return emitMoved();
      }
      forward(takeRows(*pool_, rows, first, next));
      emitMoved();
    }
  }

  const Generator generator_;  // pristine
  Stamper<T, Assigner> stamper_;
  BatchPool* pool_ = nullptr;
};

template <typename T, typename Generator, typename Assigner>
class WatermarkedSource final : public SourceFactory {
 public:
  WatermarkedSource(std::shared_ptr<const SourceFactory> inner,
                    WatermarkStrategy<T, Generator, Assigner> strategy)
      : inner_(std::move(inner)), strategy_(std::move(strategy)) {}

  Boundedness boundedness() const override { return inner_->boundedness(); }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string& restored) const override {
    return inner_->createEnumerator(restored);
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<WatermarkedReaderOf<T, Generator, Assigner>>(inner_->createReader(), strategy_);
  }
  std::optional<WatermarkAlignment> alignment() const override { return strategy_.settings().alignment; }

 private:
  const std::shared_ptr<const SourceFactory> inner_;
  const WatermarkStrategy<T, Generator, Assigner> strategy_;
};

/// The source with watermarks of its own.
template <typename T, typename Generator, typename Assigner>
SourceOf<T> withWatermarks(SourceOf<T> source, WatermarkStrategy<T, Generator, Assigner> strategy) {
  source.factory = std::make_shared<WatermarkedSource<T, Generator, Assigner>>(std::move(source.factory),
                                                                               std::move(strategy));
  return source;
}

}  // namespace flott
