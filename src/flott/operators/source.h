// The contract of sources: a split enumerator in the master, readers in the tasks.
//
// A split is a piece of input that one reader works on at a time: a byte range of a file, a partition of a
// log, a range of numbers. The enumerator finds splits and hands them to readers that ask; a reader turns
// splits into batches and knows, at any moment, how far it is in each. Splits travel as bytes, which only the
// source itself can read, so master and tasks may be different processes.
//
// Enumerators run in the master, readers in a task; each is called by one thread at a time and never blocks.
// Blocking work (listing folders, reading files, connecting) goes through the context's offload().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/operators/context.h"
#include "flott/operators/operator.h"
#include "flott/operators/watermark_alignment.h"

namespace flott {

/// Work for one reader: what to read and, once it has begun, from where to go on.
struct SourceSplit {
  std::string id;     // unique within the source; appears in messages
  std::string state;  // encoded by the source
};

enum class Boundedness : uint8_t { kBounded, kContinuousUnbounded };

/// What an enumerator may ask of the master.
class SplitEnumeratorContext {
 public:
  virtual ~SplitEnumeratorContext() = default;
  virtual Env& env() = 0;
  virtual int parallelism() const = 0;
  /// Gives a split to a registered reader.
  virtual void assign(SubtaskIndex reader, SourceSplit split) = 0;
  /// The reader will get no further split: it ends when it is through with what it has.
  virtual void signalNoMoreSplits(SubtaskIndex reader) = 0;
  virtual void sendEvent(SubtaskIndex reader, std::string event) = 0;
  /// Runs `work` where it may block, then `done` in the enumerator's own turn. An exception of `work` fails
  /// the job.
  virtual void callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) = 0;
  /// Calls `then` in the enumerator's own turn once `delay` has passed.
  virtual void callAfter(Duration delay, MoveFunction<void()> then) = 0;
  /// Whether the source works off old records, of which nobody waits for single ones: checkpoints may be
  /// rarer then (execution.checkpointing.interval-during-backlog). False at the start of each attempt.
  virtual void setIsProcessingBacklog(bool) {}
};

class SplitEnumerator {
 public:
  virtual ~SplitEnumerator() = default;
  /// First call; `context` outlives the enumerator.
  virtual void start(SplitEnumeratorContext& context) = 0;
  /// A reader has come up: once at the start, and again when it begins anew on its own after a failure.
  virtual void addReader(SubtaskIndex reader) = 0;
  /// A reader has nothing to read: assign a split, promise one by doing nothing, or signal that there are no
  /// more.
  virtual void handleSplitRequest(SubtaskIndex reader) = 0;
  /// A reader begins anew on its own: these of its splits, if any, are not in the state that it begins with,
  /// and what it had asked for or was told has died with it. Give them to whoever asks. (Where all readers
  /// begin anew, an enumerator of its own begins from snapshot().)
  virtual void addSplitsBack(std::vector<SourceSplit> splits, SubtaskIndex reader) = 0;
  virtual void handleSourceEvent(SubtaskIndex reader, const std::string& event);
  /// Everything not yet assigned, encoded by the source.
  virtual std::string snapshot() const = 0;
};

/// What a reader may ask of its task, beside what any operator may.
class SourceReaderContext : public OperatorContext {
 public:
  /// Tells the enumerator that this reader would take a split.
  virtual void requestSplit() = 0;
  virtual void sendEvent(std::string event) = 0;
  /// What poll() puts out from here on comes from this split, so that each has a watermark of its own. Costs
  /// nothing when it is the same as before. Of another split nothing may be left in an open batch.
  virtual void enterSplit(std::string_view split) = 0;
  /// Read to its end: once this call of poll() is over it holds back no watermark.
  virtual void finishSplit(std::string_view split) = 0;
  /// For watermark alignment: how far this reader is. Timestamp::max(): the others need not wait for it.
  virtual void reportWatermark(Timestamp time) = 0;
};

enum class Poll : uint8_t {
  kMore,  // poll again when the output has room
  kIdle,  // nothing now: poll again after new splits, an alarm, off-loaded work that is done, or
          // askToResume()
  kEnd,   // all splits read and no more will come
};

class SourceReader {
 public:
  virtual ~SourceReader() = default;
  virtual void open(SourceReaderContext& context) = 0;
  /// Emits at most about one batch, and never when output.full().
  virtual Poll poll(Output& output) = 0;
  virtual void addSplits(std::vector<SourceSplit> splits) = 0;
  virtual void onNoMoreSplits() = 0;
  virtual void handleSourceEvent(const std::string& event);
  /// From now on exactly these splits put out nothing, until the next call. Returns whether the reader can do
  /// that; one that reads several splits at a time should.
  virtual bool pauseSplits(const std::vector<std::string>& splits);
  /// It reads one split to its end before the next, so those that wait are not idle and cannot be paused.
  virtual bool oneSplitAtATime() const { return false; }
  /// Of its alignment group: until the next call, do not go beyond. For readers with a strategy.
  virtual void onWatermarkLimit(Timestamp limit);
  /// Appends where its watermarks come from, if it makes some.
  virtual void watermarkOrigins(std::vector<WatermarkOrigin>& out) const;
  /// All splits it has, with their positions after the last emitted record.
  virtual std::vector<SourceSplit> snapshot() = 0;
  virtual void onCheckpointEnded(CheckpointId checkpoint, bool completed);
  virtual void close() noexcept;
};

/// A source as part of the logical graph: makes enumerators and readers. Shared and unchanging.
class SourceFactory {
 public:
  virtual ~SourceFactory() = default;
  virtual Boundedness boundedness() const = 0;
  /// `restored` is what an earlier enumerator's snapshot() returned; empty at the first start.
  virtual std::unique_ptr<SplitEnumerator> createEnumerator(const std::string& restored) const = 0;
  virtual std::unique_ptr<SourceReader> createReader() const = 0;
  /// Of the source's watermark strategy.
  virtual std::optional<WatermarkAlignment> alignment() const { return std::nullopt; }
};

}  // namespace flott
