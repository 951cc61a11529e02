// One writer's side of the server that blocks: its session, the transaction in it, and what is done there.
//
// Used on off-load threads, by one call at a time; give up() comes from the task's thread. A lost session is
// made again by the next call. Rows of an open transaction go with it: then mayRetry() is false.
//
//   line.write(rows);                                          // throws PostgresError
//   PostgresTransaction prepared = line.prepare("flott-5f2c91d04a11-2-41-0");
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "flott/connectors/postgres/postgres_names.h"
#include "flott/connectors/postgres/postgres_rows.h"
#include "flott/connectors/postgres/postgres_table.h"

namespace flott {

/// A prepared transaction as it is committed.
struct PostgresTransaction {
  std::string name;
  int64_t id = 0;  // the server's, by which it still knows what became of it
};

class PostgresLine {
 public:
  PostgresLine(PostgresOptions options, SinkAttempt attempt, std::string mark);

  /// Ends the sessions that earlier attempts still have, and rolls back what they left prepared. Before
  /// anything else, where there was an earlier attempt.
  void clear();
  /// Whether the server can do what is asked of it.
  void check();
  /// All rows or none: in the transaction for the next prepare(), or for good. Throws Error(kUser) that shows
  /// the row when one is refused.
  void write(const PostgresRows& rows);
  /// All that was written since the last time.
  PostgresTransaction prepare(const std::string& name);
  /// Whether what failed may be tried again.
  bool mayRetry() const { return !holdsRows_ && !ended_; }
  std::string whyNotAgain() const;

  /// Every call fails from now on.
  void giveUp() { givenUp_.store(true); }
  /// Ends what the session is at, from outside. Blocks; any thread.
  static void interrupt(const PostgresOptions& options, const PostgresSessionName& name);
  PostgresSessionName sessionName() const;

 private:
  PostgresRowSet run(const std::string& sql, const std::vector<PostgresText>& parameters = {});
  void connect();
  void endOtherSessions();
  void rollBackLeftOvers();
  void insert(const PostgresRows& rows, const std::vector<size_t>& which);
  void insertAll(const PostgresRows& rows);
  [[noreturn]] void failed(const PostgresRows& rows, const PostgresError& error);
  void abandon(const PostgresError& error);

  const PostgresOptions options_;
  const SinkAttempt attempt_;
  const std::string mark_;
  std::atomic<bool> givenUp_{false};
  std::unique_ptr<PostgresSession> session_;
  PostgresTable table_;
  std::string statement_;
  bool begun_ = false;      // a transaction
  bool holdsRows_ = false;  // in it
  bool ended_ = false;      // by somebody: perhaps a later attempt, which must not be disturbed
};

/// What the server lets a job prepare, and needs for it. Throws Error(kUser) when that cannot be enough.
void checkPreparedTransactions(int64_t allowed, int parallelism, const std::string& where);

}  // namespace flott
