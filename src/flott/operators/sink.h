// How sinks are written: a writer for each subtask, called record by record, behind a batch-wise operator.
//
// A sink is any value with createWriter() that returns a std::unique_ptr to a class derived from
// SinkWriter<T>. Where that class is final, the loop over a batch calls write() without a virtual call. A
// writer belongs to one task, is called by one thread at a time and never blocks: blocking work goes through
// OperatorContext::offload(), and while a writer can take no more, ready() is false, which holds back
// everything before it. A sink that publishes exactly once has a committer as well: committing_sink.h.
//
//   class AlertWriter final : public SinkWriter<Alert> {
//     void open(OperatorContext& context) override { client_.emplace(context); }
//     void write(const Alert& alert, const SinkContext&) override { client_->queue(alert); }
//     bool ready() const override { return !client_->busy(); }   // askToResume() when that changes
//     bool flush() override { return client_->sendAll(); }
//   };
//   struct AlertSink { std::unique_ptr<AlertWriter> createWriter() const { … } };
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "flott/operators/context.h"
#include "flott/operators/function.h"

namespace flott {

/// What a writer may know about the record at hand.
struct SinkContext {
  Timestamp timestamp;         // of the record; min() when it has none
  Timestamp currentWatermark;  // of the sink's input
  Timestamp processingTime;
};

template <typename T>
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  /// First call, in every attempt. The context outlives the writer.
  virtual void open(OperatorContext&) {}
  virtual void write(const T& value, const SinkContext& context) = 0;
  /// Whether it takes another record. After it turned true again: OperatorContext::askToResume().
  virtual bool ready() const { return true; }
  /// In the step that askToResume() and its like have led to; perhaps without having been asked for.
  virtual void resume() {}
  /// After the records of one batch: the moment to hand on what write() gathered.
  virtual void endBatch() {}
  virtual void writeWatermark(Watermark) {}
  /// No record follows. Before the last flush().
  virtual void onEndOfInput() {}
  /// At the end of the input and before the barrier of a checkpoint. Returns whether all that was written has
  /// arrived; otherwise it is called again after askToResume().
  virtual bool flush() { return true; }
  /// The cut is now, after flush(): put into OperatorContext::operatorState() what the writer has to know
  /// when it is opened again.
  virtual void snapshotState(CheckpointId) {}
  /// Always the last call, also after a failure.
  virtual void close() noexcept {}
};

/// The class of the writers that a sink makes.
template <typename S>
using WriterOf = typename decltype(std::declval<const S&>().createWriter())::element_type;

template <typename S, typename T>
concept Sink = std::copy_constructible<S> && std::derived_from<WriterOf<S>, SinkWriter<T>>;

/// A writer and the batch that it is at: what the operators of all sinks share.
template <typename T, typename Writer>
class Writing {
 public:
  explicit Writing(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}

  Writer& writer() { return *writer_; }
  void open(OperatorContext& context) {
    context_ = &context;
    writer_->open(context);
  }
  void close() noexcept { writer_->close(); }

  void take(Batch batch) {
    batch_ = std::move(batch);
    next_ = 0;
  }
  Step onEventTime(Watermark watermark) {
    at_.currentWatermark = watermark.time;
    writer_->writeWatermark(watermark);
    return writer_->ready() ? Step::kDone : Step::kWait;
  }
  /// Whether all of the batch is written. False: the writer takes no more for now.
  bool goOn() {
    if (!writer_->ready()) return false;
    if (!batch_) return true;
    const Rows<T>& rows = batch_.rows<T>();
    const int64_t* timestamps = rows.hasTimestamps() ? rows.timestamps() : nullptr;
    at_.processingTime = context_->processingTime();
    at_.timestamp = Timestamp::min();
    next_ = forEachRow(rows, next_, [&](size_t i) {
      if (timestamps != nullptr) at_.timestamp = Timestamp(timestamps[i]);
      writer_->write(rows[i], at_);
      return writer_->ready();
    });
    if (next_ < rows.size()) return false;
    batch_.reset();
    writer_->endBatch();
    return true;
  }

 private:
  std::unique_ptr<Writer> writer_;
  OperatorContext* context_ = nullptr;
  SinkContext at_;
  Batch batch_;
  size_t next_ = 0;
};

template <typename T, typename Writer>
class SinkOperator final : public Operator {
 public:
  explicit SinkOperator(std::unique_ptr<Writer> writer) : writing_(std::move(writer)) {}

  void open(OperatorContext& context) override { writing_.open(context); }
  void close() noexcept override { writing_.close(); }

  Step onBatch(int, Batch batch, Output&) override {
    writing_.take(std::move(batch));
    return goOn();
  }
  Step onEventTime(Watermark watermark, Output&) override { return writing_.onEventTime(watermark); }
  Step onEndOfInput(int, Output&) override {
    writing_.writer().onEndOfInput();
    flushing_ = true;
    return goOn();
  }
  Step beforeBarrier(CheckpointId, Output&) override {
    flushing_ = true;
    return goOn();
  }
  void snapshotState(CheckpointId checkpoint) override { writing_.writer().snapshotState(checkpoint); }
  Step resume(Output&) override {
    writing_.writer().resume();
    return goOn();
  }

 private:
  Step goOn() {
    if (!writing_.goOn()) return Step::kWait;
    if (flushing_) {
      flushing_ = !writing_.writer().flush();
      return flushing_ ? Step::kWait : Step::kDone;
    }
    return writing_.writer().ready() ? Step::kDone : Step::kWait;
  }

  Writing<T, Writer> writing_;
  bool flushing_ = false;  // done once all that was written has arrived
};

template <typename T, Sink<T> S>
class SinkFactory final : public OperatorFactory {
 public:
  explicit SinkFactory(S sink) : sink_(std::move(sink)) {}
  std::unique_ptr<Operator> create() const override {
    return std::make_unique<SinkOperator<T, WriterOf<S>>>(sink_.createWriter());
  }

 private:
  const S sink_;
};

/// The operator of a sink, for DataStream::sinkTo().
template <typename T, Sink<T> S>
std::shared_ptr<const OperatorFactory> sinkOperator(S sink) {
  return std::make_shared<SinkFactory<T, S>>(std::move(sink));
}

}  // namespace flott
