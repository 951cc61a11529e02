// How users write sources: with their own types for records and splits, over the erased contract in source.h.
//
// A Source<T, Split> makes one enumerator, which lives in the master, and one reader for each subtask. Splits
// are plain structs with a splitId(); they travel and are saved through their derived codec, positions
// included. Each object is called by one thread at a time and never blocks: see source.h for who calls what,
// and for off-loading. sourceOf() turns a source into what env.fromSource() takes.
//
//   struct Range { int32_t id; int64_t next; int64_t end;
//                  std::string splitId() const { return std::to_string(id); } };
//
//   class RangeReader final : public SequentialReader<int64_t, Range> {
//     Poll read(Range& range, SourceOutput<int64_t>& out) override {
//       while (range.next < range.end && !out.full()) out.collect(range.next++);
//       return range.next < range.end ? Poll::kMore : Poll::kEnd;
//     }
//   };
//
//   class Ranges final : public Source<int64_t, Range> {
//     Boundedness boundedness() const override { return Boundedness::kBounded; }
//     std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
//       return std::make_unique<StaticEnumerator<Range>>(Handout::kOnRequest,
//                                                        restored.value_or(State{{0, 0, 100}}));
//     }
//     std::unique_ptr<Reader> createReader() const override { return std::make_unique<RangeReader>(); }
//   };
#pragma once

#include <concepts>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/data/codec.h"
#include "flott/data/rows.h"
#include "flott/operators/source.h"

namespace flott {

template <typename S>
concept Split = Encodable<S> && requires(const S& split) {
  { split.splitId() } -> std::convertible_to<std::string>;
};

/// A source with all that a stream needs to begin with it.
template <typename T>
struct SourceOf {
  std::shared_ptr<const SourceFactory> factory;
  std::string name;
  bool parallel = true;  // false: one reader only
};

/// Where a reader puts its records. Good only during the call of poll() that it is passed to, at the end of
/// which the open batch goes on.
template <typename T>
class SourceOutput {
 public:
  SourceOutput() = default;
  SourceOutput(const SourceOutput&) = delete;
  SourceOutput& operator=(const SourceOutput&) = delete;

  void collect(const T& value) { rowsFor(false).emplace(value), sendFull(); }
  void collect(T&& value) { rowsFor(false).emplace(std::move(value)), sendFull(); }
  /// With its event time.
  void collect(T value, Timestamp timestamp) {
    Rows<T>& rows = rowsFor(true);
    rows.emplace(std::move(value));
    rows.timestamps()[rows.size() - 1] = timestamp.ms;
    sendFull();
  }
  /// The open batch, to be filled in a tight loop: up to its capacity(), and with all timestamps or none.
  Rows<T>& rows() {
    if (rows_ == nullptr) [[unlikely]]
      begin();
    return *rows_;
  }
  /// A batch is complete: return from poll() at the next place where that is possible.
  bool full() const { return sent_ || (rows_ != nullptr && rows_->full()); }
  /// Sends the open batch: before records of another split follow.
  void flush() { send(); }
  /// Records in the open batch.
  size_t size() const { return rows_ == nullptr ? 0 : rows_->size(); }

  /// No record with a timestamp up to this one will follow.
  void emitWatermark(Timestamp time) {
    send();
    output_->emitWatermark({time});
  }
  /// An idle source holds back no watermark.
  void emitStatus(WatermarkStatus status) {
    send();
    output_->emitStatus(status);
  }

  // What follows is for those who call readers.

  void open(BatchPools& pools) { pool_ = &rowsPool<T>(pools); }
  void start(Output& output) {
    output_ = &output;
    sent_ = false;
  }
  void send() {
    if (size() > 0) {
      sent_ = true;
      output_->emit(std::move(batch_));
    }
    rows_ = nullptr;
    batch_.reset();
  }

 private:
  void begin() {
    batch_ = pool_->acquire();
    rows_ = &batch_.template rows<T>();
    rows_->reserve(Rows<T>::kRows);
  }
  // A batch has a timestamp for each of its records, or for none.
  Rows<T>& rowsFor(bool stamped) {
    if (rows().hasTimestamps() != stamped) [[unlikely]] {
      if (!rows_->empty()) send();
      stamped ? void(rows().enableTimestamps()) : rows().dropTimestamps();
    }
    return *rows_;
  }
  void sendFull() {
    if (rows_->full()) [[unlikely]]
      send();
  }

  Rows<T>* rows_ = nullptr;
  bool sent_ = false;
  Batch batch_;
  BatchPool* pool_ = nullptr;
  Output* output_ = nullptr;
};

template <Split S>
SourceSplit encodeSplit(const S& split) {
  SourceSplit encoded{.id = split.splitId(), .state = {}};
  ByteWriter out(encoded.state);
  Codec<S>::encode(split, out);
  return encoded;
}

/// All of `bytes` as one value. Throws Error(kCorruption) that names `what`.
template <typename V>
V decodeWhole(const std::string& bytes, const std::string& what) {
  V value{};
  ByteReader in(bytes);
  try {
    Codec<V>::decode(in, value);
    if (!in.atEnd()) in.fail("has bytes left over");
  } catch (Error& error) {
    throw std::move(error).at(what);
  }
  return value;
}

template <Split S>
std::vector<S> decodeSplits(const std::vector<SourceSplit>& encoded) {
  std::vector<S> splits;
  for (const SourceSplit& split : encoded) {
    splits.push_back(decodeWhole<S>(split.state, "split '" + split.id + "'"));
  }
  return splits;
}

/// What an enumerator may ask of the master: as SplitEnumeratorContext.
template <Split S>
class EnumeratorContext {
 public:
  explicit EnumeratorContext(SplitEnumeratorContext& master) : master_(master) {}
  Env& env() { return master_.env(); }
  int parallelism() const { return master_.parallelism(); }
  void assign(SubtaskIndex reader, const S& split) { master_.assign(reader, encodeSplit(split)); }
  void signalNoMoreSplits(SubtaskIndex reader) { master_.signalNoMoreSplits(reader); }
  void sendEvent(SubtaskIndex reader, std::string event) { master_.sendEvent(reader, std::move(event)); }
  void callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) {
    master_.callAsync(std::move(what), std::move(work), std::move(done));
  }
  void callAfter(Duration delay, MoveFunction<void()> then) { master_.callAfter(delay, std::move(then)); }

 private:
  SplitEnumeratorContext& master_;
};

/// As SplitEnumerator in source.h, where each call is explained, with types.
template <Split S, Encodable State = std::vector<S>>
class TypedEnumerator {
 public:
  virtual ~TypedEnumerator() = default;
  virtual void start(EnumeratorContext<S>& context) = 0;
  virtual void addReader(SubtaskIndex reader) = 0;
  virtual void handleSplitRequest(SubtaskIndex reader) = 0;
  virtual void addSplitsBack(std::vector<S> splits, SubtaskIndex reader) = 0;
  /// Returns whether it knows the event; one that it does not know fails the job.
  virtual bool handleSourceEvent(SubtaskIndex, const std::string&) { return false; }
  virtual State snapshot() const = 0;
};

/// As SourceReader in source.h, with types.
template <typename T, Split S>
class TypedReader {
 public:
  virtual ~TypedReader() = default;
  virtual void open(SourceReaderContext& context) = 0;
  virtual Poll poll(SourceOutput<T>& output) = 0;
  virtual void addSplits(std::vector<S> splits) = 0;
  virtual void onNoMoreSplits() = 0;
  /// Returns whether it knows the event; one that it does not know fails the job.
  virtual bool handleSourceEvent(const std::string&) { return false; }
  virtual bool pauseSplits(const std::vector<std::string>&) { return false; }
  virtual bool oneSplitAtATime() const { return false; }
  virtual std::vector<S> snapshot() = 0;
  virtual void onCheckpointEnded(CheckpointId, bool) {}
  virtual void close() noexcept {}
};

/// A reader that works on one split at a time and asks for the next when it is through.
template <typename T, Split S>
class SequentialReader : public TypedReader<T, S> {
 public:
  void open(SourceReaderContext& context) override { context_ = &context; }
  Poll poll(SourceOutput<T>& output) final {
    if (splits_.empty()) {
      if (noMore_) return Poll::kEnd;
      if (!std::exchange(asked_, true)) context_->requestSplit();
      return Poll::kIdle;
    }
    if (!std::exchange(entered_, true)) context_->enterSplit(splits_.front().splitId());
    const Poll result = read(splits_.front(), output);
    if (result != Poll::kEnd) return result;
    entered_ = false;
    context_->finishSplit(splits_.front().splitId());
    splits_.pop_front();
    return Poll::kMore;
  }
  void addSplits(std::vector<S> splits) final {
    asked_ = false;
    splits_.insert(splits_.end(), std::make_move_iterator(splits.begin()),
                   std::make_move_iterator(splits.end()));
  }
  void onNoMoreSplits() final { noMore_ = true; }
  bool oneSplitAtATime() const final { return true; }
  std::vector<S> snapshot() final { return {splits_.begin(), splits_.end()}; }

 protected:
  SourceReaderContext& context() { return *context_; }

 private:
  /// Puts out records of the split until output.full(), and moves its position along with them. kEnd: the
  /// split is read.
  virtual Poll read(S& split, SourceOutput<T>& output) = 0;

  SourceReaderContext* context_ = nullptr;
  std::deque<S> splits_;
  bool entered_ = false;  // the first of splits_ is the one it is at
  bool asked_ = false;
  bool noMore_ = false;
};

/// Shared by master and tasks, so it never changes once it is part of a job.
template <typename T, Split S, Encodable EnumeratorState = std::vector<S>>
class Source {
 public:
  using Record = T;
  using OwnSplit = S;
  using State = EnumeratorState;
  using Enumerator = TypedEnumerator<S, State>;
  using Reader = TypedReader<T, S>;

  virtual ~Source() = default;
  virtual Boundedness boundedness() const = 0;
  /// `restored` is what an earlier enumerator's snapshot() returned; empty at the first start.
  virtual std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const = 0;
  virtual std::unique_ptr<Reader> createReader() const = 0;
};

namespace internal {

template <Split S, typename State>
class ErasedEnumerator final : public SplitEnumerator {
 public:
  explicit ErasedEnumerator(std::unique_ptr<TypedEnumerator<S, State>> typed) : typed_(std::move(typed)) {}
  void start(SplitEnumeratorContext& context) override { typed_->start(context_.emplace(context)); }
  void addReader(SubtaskIndex reader) override { typed_->addReader(reader); }
  void handleSplitRequest(SubtaskIndex reader) override { typed_->handleSplitRequest(reader); }
  void addSplitsBack(std::vector<SourceSplit> splits, SubtaskIndex reader) override {
    typed_->addSplitsBack(decodeSplits<S>(splits), reader);
  }
  void handleSourceEvent(SubtaskIndex reader, const std::string& event) override {
    if (!typed_->handleSourceEvent(reader, event)) SplitEnumerator::handleSourceEvent(reader, event);
  }
  std::string snapshot() const override {
    std::string bytes;
    ByteWriter out(bytes);
    Codec<State>::encode(typed_->snapshot(), out);
    return bytes;
  }

 private:
  std::unique_ptr<TypedEnumerator<S, State>> typed_;
  std::optional<EnumeratorContext<S>> context_;
};

template <typename T, Split S>
class ErasedReader final : public SourceReader {
 public:
  explicit ErasedReader(std::unique_ptr<TypedReader<T, S>> typed) : typed_(std::move(typed)) {}
  void open(SourceReaderContext& context) override {
    output_.open(context.pools());
    typed_->open(context);
  }
  Poll poll(Output& output) override {
    output_.start(output);
    const Poll result = typed_->poll(output_);
    output_.send();
    return result;
  }
  void addSplits(std::vector<SourceSplit> splits) override { typed_->addSplits(decodeSplits<S>(splits)); }
  void onNoMoreSplits() override { typed_->onNoMoreSplits(); }
  void handleSourceEvent(const std::string& event) override {
    if (!typed_->handleSourceEvent(event)) SourceReader::handleSourceEvent(event);
  }
  bool pauseSplits(const std::vector<std::string>& splits) override { return typed_->pauseSplits(splits); }
  bool oneSplitAtATime() const override { return typed_->oneSplitAtATime(); }
  std::vector<SourceSplit> snapshot() override {
    std::vector<SourceSplit> encoded;
    for (const S& split : typed_->snapshot()) encoded.push_back(encodeSplit(split));
    return encoded;
  }
  void onCheckpointEnded(CheckpointId checkpoint, bool completed) override {
    typed_->onCheckpointEnded(checkpoint, completed);
  }
  void close() noexcept override { typed_->close(); }

 private:
  std::unique_ptr<TypedReader<T, S>> typed_;
  SourceOutput<T> output_;
};

template <typename T, Split S, typename State>
class ErasedSource final : public SourceFactory {
 public:
  explicit ErasedSource(std::unique_ptr<const Source<T, S, State>> typed) : typed_(std::move(typed)) {}
  Boundedness boundedness() const override { return typed_->boundedness(); }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string& restored) const override {
    std::optional<State> state;
    if (!restored.empty()) state = decodeWhole<State>(restored, "state of the split enumerator");
    return std::make_unique<ErasedEnumerator<S, State>>(typed_->createEnumerator(std::move(state)));
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<ErasedReader<T, S>>(typed_->createReader());
  }

 private:
  std::unique_ptr<const Source<T, S, State>> typed_;
};

}  // namespace internal

/// A source of the user, of a class derived from Source, as the beginning of a stream.
template <typename UserSource>
SourceOf<typename UserSource::Record> sourceOf(UserSource source, std::string name) {
  using Erased = internal::ErasedSource<typename UserSource::Record, typename UserSource::OwnSplit,
                                        typename UserSource::State>;
  return {.factory = std::make_shared<Erased>(std::make_unique<const UserSource>(std::move(source))),
          .name = std::move(name)};
}

}  // namespace flott
