#include "flott/connectors/postgres/postgres_line.h"

#include <charconv>

namespace flott {
namespace {

constexpr std::string_view kNoSuchObject = "42704";
constexpr std::string_view kInUse = "55000";
constexpr std::string_view kRowTwice = "21000";
constexpr std::string_view kEndedByOperator = "57P01";
// Looks a twentieth of a second apart.
constexpr int kMostLooks = 600;

int64_t numberOf(const PostgresRowSet& rows) {
  int64_t number = 0;
  if (rows.empty() || rows[0].empty() || !rows[0][0]) return number;
  const std::string& text = *rows[0][0];
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

PostgresLine::PostgresLine(PostgresOptions options, SinkAttempt attempt, std::string mark)
    : options_(std::move(options)), attempt_(std::move(attempt)), mark_(std::move(mark)) {}

PostgresSessionName PostgresLine::sessionName() const {
  return {.lineage = attempt_.lineage, .subtask = attempt_.subtask.value, .mark = mark_};
}

PostgresRowSet PostgresLine::run(const std::string& sql, const std::vector<PostgresText>& parameters) {
  if (givenUp_.load()) throw Error(ErrorKind::kCancelled, "the sink is closed");
  return session_->run(sql, parameters);
}

void PostgresLine::connect() {
  if (session_ != nullptr) return;
  try {
    session_ = options_.server->connect(options_.connection, sessionName().text());
    if (options_.exactlyOnce()) run("SET idle_in_transaction_session_timeout = 0");
    if (givenUp_.load()) throw Error(ErrorKind::kCancelled, "the sink is closed");
    table_ = findPostgresTable(*session_, options_);
    statement_ = table_.insertStatement();
  } catch (...) {
    session_.reset();
    throw;
  }
}

// Rows in the transaction are gone with it, which holdsRows_ goes on saying.
void PostgresLine::abandon(const PostgresError& error) {
  session_.reset();
  begun_ = false;
  ended_ = ended_ || error.is(kEndedByOperator);
}

std::string PostgresLine::whyNotAgain() const {
  return holdsRows_
             ? "What was written since the last checkpoint went with the transaction, and is written again "
               "when the job begins anew"
             : "Somebody ended the session, perhaps a later attempt of this job";
}

void PostgresLine::check() {
  connect();
  if (!options_.exactlyOnce()) return;
  const int64_t allowed = numberOf(run("SHOW max_prepared_transactions"));
  checkPreparedTransactions(allowed, attempt_.parallelism, options_.where());
}

void PostgresLine::clear() {
  try {
    connect();
    endOtherSessions();
    if (options_.exactlyOnce()) rollBackLeftOvers();
  } catch (const PostgresError& error) {
    abandon(error);
    throw;
  }
}

// A process that was killed leaves statements that the server is still at. What they write must not come
// after what this attempt writes, and what they prepare must be there when left-overs are looked for.
void PostgresLine::endOtherSessions() {
  for (int look = 0; look < kMostLooks; ++look) {
    bool others = false;
    for (const auto& row : run("SELECT pid, application_name FROM pg_stat_activity "
                               "WHERE datname = current_database() AND application_name LIKE $1",
                               {postgresNamesLike(attempt_.lineage)})) {
      const auto name = PostgresSessionName::parse(row[1].value_or(""), attempt_.lineage);
      if (!name || name->mark == mark_ || name->subtask % attempt_.parallelism != attempt_.subtask.value)
        continue;
      others = true;
      run("SELECT pg_terminate_backend($1::int)", {row[0]});
    }
    if (!others) return;
    run("SELECT pg_sleep(0.05)");
  }
  throw Error(ErrorKind::kTransient,
              options_.where() +
                  ": a session of an earlier attempt of the job does not end, although it was "
                  "told to. Its application_name in pg_stat_activity begins with flott-" +
                  attempt_.lineage + "; end it there");
}

void PostgresLine::rollBackLeftOvers() {
  for (int look = 0; look < kMostLooks; ++look) {
    bool inUse = false;
    for (const auto& row :
         run("SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE $1",
             {postgresNamesLike(attempt_.lineage)})) {
      const auto name = PostgresTransactionName::parse(row[0].value_or(""), attempt_.lineage);
      if (!name || !attempt_.aborts(name->subtask, name->epoch)) continue;
      try {
        run("ROLLBACK PREPARED " + quotedText(*row[0]));
      } catch (const PostgresError& error) {
        if (!error.is(kNoSuchObject) && !error.is(kInUse)) throw;
        inUse = inUse || error.is(kInUse);
      }
    }
    if (!inUse) return;
    run("SELECT pg_sleep(0.05)");
  }
  throw Error(ErrorKind::kTransient,
              options_.where() +
                  ": a transaction that an earlier attempt of the job prepared cannot be rolled "
                  "back, since somebody else is at it. Its name in pg_prepared_xacts begins with "
                  "flott-" +
                  attempt_.lineage);
}

void PostgresLine::write(const PostgresRows& rows) {
  try {
    connect();
    if (options_.exactlyOnce() && !begun_) {
      run("BEGIN");
      begun_ = true;
    }
    insertAll(rows);
    holdsRows_ = options_.exactlyOnce();
  } catch (const PostgresError& error) {
    failed(rows, error);
  }
}

void PostgresLine::insert(const PostgresRows& rows, const std::vector<size_t>& which) {
  std::vector<PostgresText> arrays;
  for (size_t column = 0; column < table_.columns.size(); ++column)
    arrays.push_back(rows.array(column, which));
  run(statement_, arrays);
}

// Keys of different texts may be equal to the server, such as 1 and 1.0 in a numeric column.
void PostgresLine::insertAll(const PostgresRows& rows) {
  if (!options_.upserts()) return insert(rows, rows.allRows());
  try {
    return insert(rows, rows.lastOfEach(table_.keys));
  } catch (const PostgresError& error) {
    if (!error.is(kRowTwice)) throw;
  }
  run("BEGIN");
  for (size_t row = 0; row < rows.size(); ++row) insert(rows, {row});
  run("COMMIT");
}

void PostgresLine::failed(const PostgresRows& rows, const PostgresError& error) {
  if (error.kind() == ErrorKind::kTransient || session_ == nullptr) {
    abandon(error);
    throw error;
  }
  const std::string advice = ". Correct such records before they come to the sink, or the table";
  std::optional<size_t> bad;
  std::string reason = error.message();
  size_t row = 0;
  try {
    run("ROLLBACK");  // a warning where there is nothing to roll back
    begun_ = false;
    run("BEGIN");
    for (; row < rows.size(); ++row) insert(rows, {row});
  } catch (const PostgresError& single) {
    if (single.kind() == ErrorKind::kUser) {
      bad = row;
      reason = single.message();
    }
  }
  session_.reset();
  if (!bad) {
    throw Error(ErrorKind::kUser, options_.where() + " refuses " + std::to_string(rows.size()) +
                                      " rows, and each of them alone it would take: " + reason + advice);
  }
  throw Error(ErrorKind::kUser,
              options_.where() + " refuses the row " + rows.describe(*bad) + ": " + reason + advice);
}

PostgresTransaction PostgresLine::prepare(const std::string& name) {
  try {
    const int64_t id = numberOf(run("SELECT txid_current()"));
    run("PREPARE TRANSACTION " + quotedText(name));
    begun_ = false;
    holdsRows_ = false;
    return {.name = name, .id = id};
  } catch (const PostgresError& error) {
    abandon(error);
    if (error.kind() == ErrorKind::kTransient) throw;
    throw Error(ErrorKind::kUser, options_.where() +
                                      " refuses the rows since the last checkpoint: " + error.message() +
                                      ". Correct such records before they come to the sink, "
                                      "or the table");
  }
}

void PostgresLine::interrupt(const PostgresOptions& options, const PostgresSessionName& name) {
  try {
    options.server->connect(options.connection, "flott")
        ->run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
              {name.text()});
  } catch (const PostgresError&) {
    // Where no new session can be had, the old one will not last either.
  }
}

void checkPreparedTransactions(int64_t allowed, int parallelism, const std::string& where) {
  if (allowed >= parallelism) return;
  throw Error(ErrorKind::kUser, where +
                                    ": exactly once takes prepared transactions, and the server's setting "
                                    "max_prepared_transactions is " +
                                    std::to_string(allowed) + ", with " + std::to_string(parallelism) +
                                    " subtasks that prepare one for each checkpoint. Set it to " +
                                    std::to_string(3 * parallelism) +
                                    " or more in postgresql.conf and start the server again, or choose the "
                                    "guarantee AT_LEAST_ONCE or an "
                                    "upsert");
}

}  // namespace flott
