// A writer's side of the server that never blocks: rows are gathered into batches, which go to a PostgresLine
// on an off-load thread, one call at a time, in order.
//
// Used on the task's thread. Memory is bounded: ready() is false while too many batches wait. Errors that may
// pass are tried again after a pause that doubles, unless rows would be lost by that; then, and when it was
// tried often enough, the attempt fails.
//
//   outlet.row().add(…);
//   outlet.endRow();
//   if (outlet.flush()) prepared = outlet.takePrepared();
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/connectors/postgres/postgres_line.h"

namespace flott {

class Counter;

class PostgresOutlet {
 public:
  explicit PostgresOutlet(PostgresOptions options);
  ~PostgresOutlet();

  void open(OperatorContext& context);
  void begin(const SinkAttempt& attempt);
  PostgresRow row() { return gathered_->row(); }
  void endRow();
  bool ready() const { return waiting_.size() < static_cast<size_t>(options_.batching.queued); }
  void endBatch() { submit(); }
  void resume();
  /// Whether all that was written is in the table, or prepared.
  bool flush();
  /// Since the last call.
  std::vector<PostgresTransaction> takePrepared();
  void cut(CheckpointId checkpoint) { epoch_ = checkpoint; }
  void close() noexcept;

 private:
  using Rows = std::shared_ptr<PostgresRows>;
  struct Call;

  Rows freshRows() const;
  void checkKeys() const;
  void handOver();
  void submit();
  void done(Call& call);
  void retry(const Error& error);
  void arm();

  const PostgresOptions options_;
  const std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<size_t> keys_;  // among the columns
  OperatorContext* context_ = nullptr;
  SinkAttempt attempt_;
  std::shared_ptr<PostgresLine> line_;
  CheckpointId epoch_;
  uint64_t number_ = 0;
  Rows gathered_;
  int64_t dueNanos_;  // when what is gathered is to go
  std::deque<Rows> waiting_;
  std::vector<PostgresTransaction> prepared_;
  bool checked_ = false;  // the line may be written to
  bool busy_ = false;     // a call is under way
  bool flushing_ = false;
  bool unprepared_ = false;  // rows were handed over since the last transaction was prepared
  int tries_ = 0;
  int64_t notBeforeNanos_ = 0;
  Counter* records_ = nullptr;
  Counter* bytes_ = nullptr;
};

/// Commits what writers prepared, over a session of its own.
class PostgresCommitter final : public Committer<PostgresTransaction> {
 public:
  explicit PostgresCommitter(PostgresOptions options) : options_(std::move(options)) {}
  std::vector<CommitOutcome> commit(std::span<const PostgresTransaction> transactions) override;

 private:
  CommitOutcome commitOne(const PostgresTransaction& transaction);
  CommitOutcome isGone(const PostgresTransaction& transaction);

  const PostgresOptions options_;
  std::unique_ptr<PostgresSession> session_;
};

}  // namespace flott
