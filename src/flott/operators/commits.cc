#include "flott/operators/commits.h"

#include <algorithm>
#include <iterator>

#include "flott/base/error.h"
#include "flott/operators/metrics.h"

namespace flott {
namespace {

// Of no checkpoint so far.
constexpr uint64_t kNotCut = std::numeric_limits<uint64_t>::max();
// Committed in one call.
constexpr size_t kAtOnce = 1000;
// No name that a writer would choose for a state of its own.
constexpr const char* kState = ":committables";

}  // namespace

void WriterContext::wakeAtNanos(int64_t nanos) {
  writer_ = nanos;
  arm();
}

void WriterContext::wakeForCommits(int64_t nanos) {
  commits_ = nanos;
  arm();
}

void WriterContext::resumed() {
  if (writer_ <= monotonicNanos()) writer_ = kNever;
  if (commits_ <= monotonicNanos()) commits_ = kNever;
  arm();
}

void WriterContext::arm() {
  const int64_t next = std::min(writer_, commits_);
  if (next != kNever) inner().wakeAtNanos(next);
}

Commits::Commits(std::shared_ptr<EncodedCommitter> committer, CommitOptions options)
    : committer_(std::move(committer)), options_(options) {}

void Commits::open(WriterContext& context) {
  context_ = &context;
  MetricGroup& metrics = context.metrics();
  total_ = &metrics.counter("totalCommittables");
  successful_ = &metrics.counter("successfulCommittables");
  already_ = &metrics.counter("alreadyCommittedCommittables");
  failed_ = &metrics.counter("failedCommittables");
  retried_ = &metrics.counter("retriedCommittables");
  pending_ = &metrics.gauge("pendingCommittables");
  state_ = &context.operatorState().list<std::pair<uint64_t, std::string>>(kState);
  for (const auto& [checkpoint, committable] : state_->get()) {
    due_.push_back({.checkpoint = checkpoint, .committable = committable});
  }
  total_->add(static_cast<int64_t>(due_.size()));
  committer_->open(context);
  start();
}

void Commits::prepared(std::vector<std::string> committables) {
  total_->add(static_cast<int64_t>(committables.size()));
  for (std::string& one : committables) {
    prepared_.push_back({.checkpoint = kNotCut, .committable = std::move(one)});
  }
  count();
}

void Commits::cut(CheckpointId checkpoint) {
  for (Waiting& one : prepared_) {
    if (one.checkpoint == kNotCut) one.checkpoint = checkpoint.value;
  }
  std::vector<std::pair<uint64_t, std::string>> uncommitted;
  const auto keep = [&](const auto& some) {
    for (const Waiting& one : some) {
      // Without a checkpoint of its own it is due in any case: it belongs to this one.
      const bool cut = one.checkpoint != kNotCut;
      uncommitted.emplace_back(cut ? one.checkpoint : checkpoint.value, one.committable);
    }
  };
  keep(underWay_);
  keep(due_);
  keep(prepared_);
  state_->set(std::move(uncommitted));
}

void Commits::completed(CheckpointId checkpoint) {
  while (!prepared_.empty() && prepared_.front().checkpoint <= checkpoint.value) {
    due_.push_back(std::move(prepared_.front()));
    prepared_.pop_front();
  }
  start();
}

void Commits::commitAll() {
  std::move(prepared_.begin(), prepared_.end(), std::back_inserter(due_));
  prepared_.clear();
  start();
}

void Commits::resume() { start(); }

void Commits::start() {
  count();
  if (due_.empty() || !underWay_.empty() || context_->monotonicNanos() < notBefore_) return;
  struct Call {
    std::vector<std::string> committables;
    std::vector<CommitOutcome> outcomes;
  };
  auto call = std::make_shared<Call>();
  for (; !due_.empty() && underWay_.size() < kAtOnce; due_.pop_front()) {
    underWay_.push_back(std::move(due_.front()));
    call->committables.push_back(underWay_.back().committable);
  }
  context_->offload(
      "commit " + std::to_string(underWay_.size()) + " of '" + context_->info().name + "'",
      [call, committer = committer_] { call->outcomes = committer->commit(call->committables); },
      [this, call] { done(std::move(call->outcomes)); });
}

void Commits::done(std::vector<CommitOutcome> outcomes) {
  std::vector<Waiting> tried = std::exchange(underWay_, {});
  if (outcomes.size() != tried.size()) {
    throw Error(ErrorKind::kBug, "the committer gave " + std::to_string(outcomes.size()) + " outcomes for " +
                                     std::to_string(tried.size()) + " committables");
  }
  std::vector<Waiting> again;
  int tries = 0;
  for (size_t i = 0; i < tried.size(); ++i) {
    if (!settle(tried[i], outcomes[i])) continue;
    tries = std::max(tries, tried[i].tries);
    again.push_back(std::move(tried[i]));
  }
  due_.insert(due_.begin(), std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
  if (tries > 0) pauseAfter(tries);
  start();
  context_->askToResume();
}

bool Commits::settle(Waiting& one, const CommitOutcome& outcome) {
  switch (outcome.status) {
    case CommitStatus::kCommitted:
      successful_->add();
      return false;
    case CommitStatus::kAlreadyCommitted:
      already_->add();
      return false;
    case CommitStatus::kRetryLater:
      retried_->add();
      if (++one.tries <= options_.retries) return true;
      throw Error(ErrorKind::kTransient,
                  "what was prepared for a checkpoint could not be committed in " +
                      std::to_string(one.tries) + " tries: " + outcome.reason +
                      ". It is in the checkpoint, and tried again when the job "
                      "begins anew; CommitOptions::retries says how often it is tried before that");
    case CommitStatus::kRejected:
      failed_->add();
      if (options_.rejected == RejectedCommits::kFail) {
        throw Error(
            ErrorKind::kUser,
            "what was prepared for a checkpoint is refused for good: " + outcome.reason +
                ". Its records would be missing; CommitOptions::rejected = RejectedCommits::kCount goes on "
                "without them");
      }
      context_->warn("records are missing, since what was prepared for a checkpoint is refused for good: " +
                     outcome.reason);
      return false;
    case CommitStatus::kUnknown:
      throw Error(ErrorKind::kTransient,
                  "whether what was prepared for a checkpoint is committed is not known: " + outcome.reason +
                      ". It is in the checkpoint, and committed again when the job begins anew");
  }
  return false;
}

void Commits::pauseAfter(int tries) {
  int64_t pause = options_.firstPause.ms;
  for (int i = 1; i < tries && pause < options_.longestPause.ms; ++i) pause *= 2;
  notBefore_ = context_->monotonicNanos() + std::min(pause, options_.longestPause.ms) * 1'000'000;
  context_->wakeForCommits(notBefore_);
}

void Commits::count() {
  pending_->set(static_cast<double>(prepared_.size() + due_.size() + underWay_.size()));
}

}  // namespace flott
