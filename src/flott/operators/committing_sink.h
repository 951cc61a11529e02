// Sinks that write exactly once: a writer that prepares at each barrier, and a committer that makes public
// what was prepared once the checkpoint is complete (two-phase commit).
//
// A sink is any value with createWriter() and createCommitter(), which return std::unique_ptrs to classes
// derived from CommittingWriter<T, Committable> and Committer<Committable>. A committable is a plain struct
// that says what there is to commit: the name of a transaction, of a file. It is kept in operator state from
// the barrier until it is committed, so it survives failures and changes of the parallelism, and is committed
// again where nobody knows whether it was: commit() must not mind.
//
//   write … flush ─▶ prepareCommit ─▶ cut ─▶ barrier …   checkpoint complete ─▶ commit (off-loaded)
//
// What attempts before this one began and did not prepare is found by name; see SinkAttempt. A job that makes
// no checkpoints at intervals commits at the end of the input, and what it has written is published twice if
// it begins anew after that. One whose input never ends commits nothing then, which the log says at its
// start.
//
//   struct Prepared { std::string transaction; };
//   class LedgerWriter final : public CommittingWriter<Payment, Prepared> {
//     void begin(const SinkAttempt& attempt) override { … }   // abort what attempt.aborts()
//     void write(const Payment& payment, const SinkContext&) override { … }
//     std::vector<Prepared> prepareCommit() override { return {std::exchange(open_, {})}; }
//   };
//   class LedgerCommitter final : public Committer<Prepared> {
//     std::vector<CommitOutcome> commit(std::span<const Prepared> prepared) override { … }
//   };
//   struct LedgerSink {
//     std::unique_ptr<LedgerWriter> createWriter() const { … }
//     std::unique_ptr<LedgerCommitter> createCommitter() const { … }
//     DeliveryGuarantee deliveryGuarantee() const { return DeliveryGuarantee::kExactlyOnce; }  // may be left
//     out CommitOptions commitOptions() const { return {.retries = 3}; }                           // may be
//     left out
//   };
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/data/codec.h"
#include "flott/operators/commits.h"
#include "flott/operators/sink.h"
#include "flott/operators/sink_attempt.h"

namespace flott {

/// How often what a sink was given is there in the end.
enum class DeliveryGuarantee : uint8_t {
  kNone,         // committed when it is prepared, nothing waits for that: a failure loses or repeats records
  kAtLeastOnce,  // a barrier waits until all before it is committed: a failure repeats records
  kExactlyOnce,  // committed when the checkpoint is complete
};

std::string_view toString(DeliveryGuarantee guarantee);

template <typename T, typename Committable>
class CommittingWriter : public SinkWriter<T> {
 public:
  using CommittableType = Committable;
  /// After open(): who it is, and what of earlier attempts it has to abort. What blocks is off-loaded.
  virtual void begin(const SinkAttempt&) {}
  /// Right after flush() has returned true, before a barrier and at the end of the input: what was written
  /// since the last call. With a guarantee other than kExactlyOnce also after each batch: what is ready
  /// anyway.
  virtual std::vector<Committable> prepareCommit() = 0;
};

template <typename Committable>
class Committer {
 public:
  /// On whatever thread lets go of it last.
  virtual ~Committer() = default;
  /// Before the first commit, on the task's thread. The context outlives the committer's calls.
  virtual void open(OperatorContext&) {}
  /// On an off-load thread, one call at a time, so it may block: an outcome for each, in the order in which
  /// they were prepared. A committable may have been committed before. What it throws fails the attempt,
  /// after which all are committed again.
  virtual std::vector<CommitOutcome> commit(std::span<const Committable> committables) = 0;
};

template <typename S>
using CommitterOf = typename decltype(std::declval<const S&>().createCommitter())::element_type;

template <typename S, typename T>
concept CommittingSink = Sink<S, T> && requires {
  typename CommitterOf<S>;
  typename WriterOf<S>::CommittableType;
} && std::derived_from<WriterOf<S>, CommittingWriter<T, typename WriterOf<S>::CommittableType>> &&
    std::derived_from<CommitterOf<S>, Committer<typename WriterOf<S>::CommittableType>>;

template <typename Committable>
std::string encodeCommittable(const Committable& committable) {
  std::string bytes;
  ByteWriter out(bytes);
  Codec<Committable>::encode(committable, out);
  return bytes;
}

template <typename Committable>
class DecodingCommitter final : public EncodedCommitter {
 public:
  explicit DecodingCommitter(std::unique_ptr<Committer<Committable>> committer)
      : committer_(std::move(committer)) {}

  void open(OperatorContext& context) override { committer_->open(context); }
  std::vector<CommitOutcome> commit(std::span<const std::string> encoded) override {
    std::vector<Committable> committables(encoded.size());
    for (size_t i = 0; i < encoded.size(); ++i) {
      ByteReader in(encoded[i]);
      Codec<Committable>::decode(in, committables[i]);
    }
    return committer_->commit(committables);
  }

 private:
  const std::unique_ptr<Committer<Committable>> committer_;
};

/// What a committing sink's operator does besides writing: the same for all types.
class CommitProtocol {
 public:
  CommitProtocol(DeliveryGuarantee guarantee, std::shared_ptr<EncodedCommitter> committer,
                 CommitOptions options)
      : guarantee_(guarantee), commits_(std::move(committer), options) {}

  /// The context for the writer, and who it is.
  OperatorContext& open(OperatorContext& context);
  const SinkAttempt& attempt() const { return attempt_; }
  /// Whether prepareCommit() is to be called after each batch, too.
  bool commitsAtOnce() const { return guarantee_ != DeliveryGuarantee::kExactlyOnce; }
  /// Whether a barrier passes without anything being prepared.
  bool ignoresBarriers() const { return guarantee_ == DeliveryGuarantee::kNone; }
  void prepared(std::vector<std::string> committables, bool atEnd);
  /// Whether a barrier may pass, as far as commits go.
  bool barrierMayPass() const { return guarantee_ != DeliveryGuarantee::kAtLeastOnce || commits_.idle(); }
  void cut(CheckpointId checkpoint);
  void completed(CheckpointId checkpoint) { commits_.completed(checkpoint); }
  bool awaitsFinalCheckpoint() const { return awaits_; }
  bool lingers() const { return !commits_.idle(); }
  void resume();

 private:
  const DeliveryGuarantee guarantee_;
  std::optional<WriterContext> context_;
  SinkLineage lineage_;
  SinkAttempt attempt_;
  Commits commits_;
  bool awaits_ = false;
};

template <typename T, typename Writer>
class CommittingSinkOperator final : public Operator {
 public:
  CommittingSinkOperator(std::unique_ptr<Writer> writer, DeliveryGuarantee guarantee,
                         std::shared_ptr<EncodedCommitter> committer, CommitOptions options)
      : writing_(std::move(writer)), protocol_(guarantee, std::move(committer), options) {}

  void open(OperatorContext& context) override {
    writing_.open(protocol_.open(context));
    writing_.writer().begin(protocol_.attempt());
  }
  void close() noexcept override { writing_.close(); }

  Step onBatch(int, Batch batch, Output&) override {
    writing_.take(std::move(batch));
    return goOn();
  }
  Step onEventTime(Watermark watermark, Output&) override { return writing_.onEventTime(watermark); }
  Step onEndOfInput(int, Output&) override {
    writing_.writer().onEndOfInput();
    wanted_ = Wanted::kEnd;
    return goOn();
  }
  Step beforeBarrier(CheckpointId, Output&) override {
    if (!protocol_.ignoresBarriers()) wanted_ = Wanted::kBarrier;
    return goOn();
  }
  void snapshotState(CheckpointId checkpoint) override {
    protocol_.cut(checkpoint);
    writing_.writer().snapshotState(checkpoint);
  }
  void onCheckpointEnded(CheckpointId checkpoint, bool completed) override {
    if (completed) protocol_.completed(checkpoint);
  }
  bool awaitsFinalCheckpoint() const override { return protocol_.awaitsFinalCheckpoint(); }
  bool lingers() const override { return protocol_.lingers(); }

  Step resume(Output&) override {
    protocol_.resume();
    if (ended_) return Step::kDone;
    writing_.writer().resume();
    return goOn();
  }

 private:
  enum class Wanted : uint8_t {
    kNothing,
    kBarrier,  // everything flushed and prepared, for a barrier
    kEnd,      // the same, for the end of the input
    kPass,     // prepared: a barrier that waits for commits
  };

  Step goOn() {
    if (!writing_.goOn()) return Step::kWait;
    if (wanted_ == Wanted::kBarrier || wanted_ == Wanted::kEnd) {
      if (!writing_.writer().flush()) return Step::kWait;
      ended_ = wanted_ == Wanted::kEnd;
      wanted_ = ended_ ? Wanted::kNothing : Wanted::kPass;
      prepare();
    } else if (protocol_.commitsAtOnce()) {
      prepare();
    }
    if (ended_) return Step::kDone;
    if (wanted_ == Wanted::kPass) {
      if (!protocol_.barrierMayPass()) return Step::kWait;
      wanted_ = Wanted::kNothing;
    }
    return writing_.writer().ready() ? Step::kDone : Step::kWait;
  }

  void prepare() {
    std::vector<std::string> encoded;
    for (const auto& one : writing_.writer().prepareCommit()) encoded.push_back(encodeCommittable(one));
    protocol_.prepared(std::move(encoded), ended_);
  }

  Writing<T, Writer> writing_;
  CommitProtocol protocol_;
  Wanted wanted_ = Wanted::kNothing;
  bool ended_ = false;
};

template <typename T, CommittingSink<T> S>
class CommittingSinkFactory final : public OperatorFactory {
 public:
  explicit CommittingSinkFactory(S sink) : sink_(std::move(sink)) {}
  std::unique_ptr<Operator> create() const override {
    using Committable = typename WriterOf<S>::CommittableType;
    DeliveryGuarantee guarantee = DeliveryGuarantee::kExactlyOnce;
    if constexpr (requires { sink_.deliveryGuarantee(); }) guarantee = sink_.deliveryGuarantee();
    CommitOptions options;
    if constexpr (requires { sink_.commitOptions(); }) options = sink_.commitOptions();
    return std::make_unique<CommittingSinkOperator<T, WriterOf<S>>>(
        sink_.createWriter(), guarantee,
        std::make_shared<DecodingCommitter<Committable>>(sink_.createCommitter()), options);
  }

 private:
  const S sink_;
};

/// The operator of a committing sink, for DataStream::sinkTo().
template <typename T, CommittingSink<T> S>
std::shared_ptr<const OperatorFactory> committingSinkOperator(S sink) {
  return std::make_shared<CommittingSinkFactory<T, S>>(std::move(sink));
}

}  // namespace flott
