// What a sink has prepared and not yet committed: kept in operator state from the barrier until the
// checkpoint is complete, then committed, one call at a time, on an off-load thread.
//
// Committables are bytes here; committing_sink.h is the typed shell. They are committed in the order in which
// they were prepared. One that is to be tried again later holds back those behind it, with a pause that
// doubles. Restored ones are committed at once: the checkpoint that held them is complete. Since the process
// may die between a commit and the next checkpoint, each may be committed again, which must change nothing.
// Used on the task's thread; the committer itself on an off-load thread.
//
//   Commits commits(std::move(committer), {});
//   commits.open(context);                       // in Operator::open()
//   commits.prepared(std::move(committables));   // before the barrier
//   commits.cut(checkpoint);                     // in snapshotState()
//   commits.completed(checkpoint);               // in onCheckpointEnded()
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/operators/forwarding_context.h"
#include "flott/state/operator_state.h"

namespace flott {

class Counter;
class Gauge;

enum class CommitStatus : uint8_t {
  kCommitted,
  kAlreadyCommitted,  // by this or an earlier attempt
  kRetryLater,        // not now: it is tried again after a pause
  kRejected,          // never, for a reason that is known: see CommitOptions::rejected
  kUnknown,           // perhaps: the job begins anew from its checkpoint and commits again
};

/// What became of one committable.
struct CommitOutcome {
  CommitStatus status = CommitStatus::kCommitted;
  std::string reason = {};  // of the last three

  static CommitOutcome committed() { return {}; }
  static CommitOutcome alreadyCommitted() { return {.status = CommitStatus::kAlreadyCommitted}; }
  static CommitOutcome retryLater(std::string why) {
    return {.status = CommitStatus::kRetryLater, .reason = std::move(why)};
  }
  static CommitOutcome rejected(std::string why) {
    return {.status = CommitStatus::kRejected, .reason = std::move(why)};
  }
  static CommitOutcome unknown(std::string why) {
    return {.status = CommitStatus::kUnknown, .reason = std::move(why)};
  }
};

/// What follows when a committable is rejected.
enum class RejectedCommits : uint8_t {
  kFail,   // the job fails: its records would be missing
  kCount,  // they are missing; the log has the reason, failedCommittables the number
};

struct CommitOptions {
  int retries = 10;  // after the first try, until the job begins anew
  Duration firstPause = Duration::millis(100);
  Duration longestPause = Duration::seconds(30);
  RejectedCommits rejected = RejectedCommits::kFail;
};

/// A Committer of encoded committables. Lives until its last call has returned.
class EncodedCommitter {
 public:
  virtual ~EncodedCommitter() = default;
  /// Before the first call, on the task's thread.
  virtual void open(OperatorContext&) {}
  /// On an off-load thread, one call at a time: an outcome for each. What it throws fails the attempt.
  virtual std::vector<CommitOutcome> commit(std::span<const std::string> committables) = 0;
};

/// The context as a sink's writer sees it: its own wake-up beside that of the commits.
class WriterContext final : public ForwardingContext {
 public:
  using ForwardingContext::ForwardingContext;
  void wakeAtNanos(int64_t nanos) override;
  void wakeForCommits(int64_t nanos);
  /// In Operator::resume(): wake-ups that are due are over.
  void resumed();

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  void arm();

  int64_t writer_ = kNever;
  int64_t commits_ = kNever;
};

class Commits {
 public:
  Commits(std::shared_ptr<EncodedCommitter> committer, CommitOptions options);

  /// Takes over what was restored, and commits it.
  void open(WriterContext& context);
  /// To be committed with the checkpoint that is cut next.
  void prepared(std::vector<std::string> committables);
  /// What was prepared belongs to this checkpoint; the state is what is not committed.
  void cut(CheckpointId checkpoint);
  /// What belongs to it and to those before it may be committed.
  void completed(CheckpointId checkpoint);
  /// Whatever the checkpoint: where there are none to wait for.
  void commitAll();
  /// In Operator::resume().
  void resume();
  /// Nothing that may be committed is uncommitted. When that turns true the operator is resumed.
  bool idle() const { return due_.empty() && underWay_.empty(); }

 private:
  struct Waiting {
    uint64_t checkpoint = 0;
    std::string committable;
    int tries = 0;
  };

  void start();
  void done(std::vector<CommitOutcome> outcomes);
  /// Whether it is to be tried again.
  bool settle(Waiting& one, const CommitOutcome& outcome);
  void pauseAfter(int tries);
  void count();

  const std::shared_ptr<EncodedCommitter> committer_;
  const CommitOptions options_;
  WriterContext* context_ = nullptr;
  OperatorListState<std::pair<uint64_t, std::string>>* state_ = nullptr;
  std::deque<Waiting> prepared_;   // until their checkpoint is complete; those not cut yet have none
  std::deque<Waiting> due_;        // may be committed
  std::vector<Waiting> underWay_;  // on an off-load thread
  int64_t notBefore_ = 0;          // monotonic; the pause before the next try
  Counter* total_ = nullptr;
  Counter* successful_ = nullptr;
  Counter* already_ = nullptr;
  Counter* failed_ = nullptr;
  Counter* retried_ = nullptr;
  Gauge* pending_ = nullptr;
};

}  // namespace flott
