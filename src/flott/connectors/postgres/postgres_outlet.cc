#include "flott/connectors/postgres/postgres_outlet.h"

#include <algorithm>
#include <limits>

#include "flott/env/env.h"
#include "flott/operators/context.h"
#include "flott/operators/metrics.h"

namespace flott {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

int64_t after(int64_t nanos, Duration wait) {
  return wait.ms >= (kNever - nanos) / 1'000'000 ? kNever : nanos + wait.ms * 1'000'000;
}

}  // namespace

// What one off-loaded call does, and what came of it.
struct PostgresOutlet::Call {
  bool check = false;
  bool clear = false;
  std::vector<Rows> batches;
  std::string transaction;  // to prepare behind them; empty: none
  size_t written = 0;       // of the batches
  std::optional<PostgresTransaction> prepared;
  std::optional<Error> failure;  // that may pass

  void run(PostgresLine& line, const std::string& where) {
    try {
      if (check) line.check();
      if (clear) line.clear();
      check = false;
      for (; written < batches.size(); ++written) line.write(*batches[written]);
      if (!transaction.empty()) prepared = line.prepare(transaction);
    } catch (const PostgresError& error) {
      if (error.kind() != ErrorKind::kTransient) throw Error(error.kind(), where + ": " + error.message());
      if (!line.mayRetry())
        throw Error(error.kind(), where + ": " + error.message() + ". " + line.whyNotAgain());
      failure = error;
    }
  }
};

PostgresOutlet::PostgresOutlet(PostgresOptions options)
    : options_(std::move(options)),
      names_(std::make_shared<const std::vector<std::string>>(options_.columns)),
      gathered_(freshRows()),
      dueNanos_(kNever) {}

PostgresOutlet::~PostgresOutlet() = default;

PostgresOutlet::Rows PostgresOutlet::freshRows() const { return std::make_shared<PostgresRows>(names_); }

void PostgresOutlet::open(OperatorContext& context) {
  checkPostgresColumns(options_);
  for (const std::string& key : options_.keys) {
    keys_.push_back(static_cast<size_t>(std::find(names_->begin(), names_->end(), key) - names_->begin()));
  }
  context_ = &context;
  records_ = &context.metrics().counter("numRecordsSend");
  bytes_ = &context.metrics().counter("numBytesSend");
}

void PostgresOutlet::begin(const SinkAttempt& attempt) {
  attempt_ = attempt;
  epoch_ = attempt.restored;
  line_ = std::make_shared<PostgresLine>(options_, attempt, postgresMark(context_->info()));
  submit();
}

void PostgresOutlet::endRow() {
  gathered_->endRow();
  if (!keys_.empty()) checkKeys();
  if (gathered_->size() == 1) {
    dueNanos_ = after(context_->monotonicNanos(), options_.batching.interval);
    arm();
  }
  if (gathered_->size() >= options_.batching.rows || gathered_->bytes() >= options_.batching.size.bytes) {
    handOver();
  }
}

// A unique constraint takes NULLs for different.
void PostgresOutlet::checkKeys() const {
  const size_t row = gathered_->size() - 1;
  for (const size_t key : keys_) {
    if (gathered_->value(row, key)) continue;
    throw Error(ErrorKind::kUser,
                "the row " + gathered_->describe(row) + " for " + options_.where() +
                    " has no value for the key '" + (*names_)[key] +
                    "', so it would be there again after each failure: leave such records out, "
                    "or give them one");
  }
}

void PostgresOutlet::handOver() {
  dueNanos_ = kNever;
  if (gathered_->empty()) return;
  unprepared_ = options_.exactlyOnce();
  waiting_.push_back(std::exchange(gathered_, freshRows()));
}

void PostgresOutlet::arm() {
  const int64_t next = std::min(dueNanos_, busy_ || tries_ == 0 ? kNever : notBeforeNanos_);
  if (next != kNever) context_->wakeAtNanos(next);
}

void PostgresOutlet::resume() {
  if (dueNanos_ <= context_->monotonicNanos()) handOver();
  submit();
  arm();
}

bool PostgresOutlet::flush() {
  if (!flushing_) {
    flushing_ = true;
    handOver();
  }
  submit();
  if (busy_ || !checked_ || !waiting_.empty() || unprepared_) return false;
  flushing_ = false;
  return true;
}

std::vector<PostgresTransaction> PostgresOutlet::takePrepared() { return std::exchange(prepared_, {}); }

void PostgresOutlet::submit() {
  const bool prepares = flushing_ && unprepared_;
  if (busy_ || (checked_ && waiting_.empty() && !prepares)) return;
  if (tries_ > 0 && context_->monotonicNanos() < notBeforeNanos_) return;
  busy_ = true;
  auto call = std::make_shared<Call>();
  call->check = !checked_;
  call->clear = !checked_ && (attempt_.restored.value > 0 || context_->info().attempt > 0);
  call->batches.assign(waiting_.begin(), waiting_.end());
  if (prepares) {
    call->transaction =
        PostgresTransactionName{attempt_.lineage, attempt_.subtask.value, epoch_, number_++}.text();
  }
  context_->offload(
      "write to " + options_.where(),
      [call, line = line_, where = options_.where()] { call->run(*line, where); },
      [this, call] { done(*call); });
}

void PostgresOutlet::done(Call& call) {
  busy_ = false;
  checked_ = checked_ || !call.check;
  for (size_t i = 0; i < call.written; ++i) {
    records_->add(static_cast<int64_t>(waiting_.front()->size()));
    bytes_->add(static_cast<int64_t>(waiting_.front()->bytes()));
    waiting_.pop_front();
  }
  if (call.prepared) {
    prepared_.push_back(*std::move(call.prepared));
    unprepared_ = false;
  }
  if (call.failure) {
    retry(*call.failure);
  } else {
    tries_ = 0;
  }
  submit();
  arm();
  context_->askToResume();
}

void PostgresOutlet::retry(const Error& error) {
  if (tries_ >= options_.retries.retries) {
    throw Error(ErrorKind::kTransient, options_.where() + ": given up after " + std::to_string(tries_) +
                                           (tries_ == 1 ? " retry: " : " retries: ") + error.message());
  }
  Duration pause = options_.retries.firstPause;
  for (int i = 0; i < tries_ && pause < options_.retries.longestPause; ++i) pause = pause * 2;
  pause = std::min(pause, options_.retries.longestPause);
  ++tries_;
  notBeforeNanos_ = after(context_->monotonicNanos(), pause);
  context_->warn(options_.where() + ": " + error.message() + "; trying again in " + toString(pause));
}

// Else the task would wait for a statement that waits for a lock.
void PostgresOutlet::close() noexcept {
  if (line_ == nullptr || !busy_) return;
  line_->giveUp();
  try {
    MoveFunction<void()> interrupt = [options = options_, name = line_->sessionName()] {
      PostgresLine::interrupt(options, name);
    };
    if (!context_->env().offload.submit("interrupt " + options_.where(), std::move(interrupt))) return;
  } catch (...) {
    // Then the server ends the statement in its own time.
  }
}

std::vector<CommitOutcome> PostgresCommitter::commit(std::span<const PostgresTransaction> transactions) {
  std::vector<CommitOutcome> outcomes;
  std::string down;
  for (const PostgresTransaction& transaction : transactions) {
    if (!down.empty()) {
      outcomes.push_back(CommitOutcome::retryLater(down));
      continue;
    }
    try {
      if (session_ == nullptr) session_ = options_.server->connect(options_.connection, "flott commits");
      outcomes.push_back(commitOne(transaction));
    } catch (const PostgresError& error) {
      session_.reset();
      const std::string reason = options_.where() + ": " + error.message();
      if (error.kind() == ErrorKind::kTransient) {
        down = reason;
        outcomes.push_back(CommitOutcome::retryLater(reason));
      } else {
        outcomes.push_back(CommitOutcome::rejected(reason));
      }
    }
  }
  return outcomes;
}

CommitOutcome PostgresCommitter::commitOne(const PostgresTransaction& transaction) {
  try {
    session_->run("COMMIT PREPARED " + quotedText(transaction.name));
    return CommitOutcome::committed();
  } catch (const PostgresError& error) {
    if (error.is("42704")) return isGone(transaction);
    if (!error.is("55000")) throw;
    return CommitOutcome::retryLater(options_.where() + ": " + error.message());  // somebody else is at it
  }
}

// Committed before, as a rule. The server remembers for a long time what became of a transaction.
CommitOutcome PostgresCommitter::isGone(const PostgresTransaction& transaction) {
  const PostgresRowSet rows =
      session_->run("SELECT txid_status($1::bigint)", {std::to_string(transaction.id)});
  const std::string status = rows.empty() || rows[0].empty() ? "" : rows[0][0].value_or("");
  if (status.empty() || status == "committed") return CommitOutcome::alreadyCommitted();
  if (status == "aborted") {
    return CommitOutcome::rejected(options_.where() + ": the prepared transaction '" + transaction.name +
                                   "' was rolled back by somebody");
  }
  return CommitOutcome::retryLater(options_.where() + ": the transaction '" + transaction.name + "' is " +
                                   status);
}

}  // namespace flott
