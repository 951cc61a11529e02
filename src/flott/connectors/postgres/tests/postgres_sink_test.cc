// The sink on a task, against a server that fails where the test wants it to.
#include "flott/connectors/postgres/postgres_sink.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flott/base/tests/error_text.h"
#include "flott/connectors/postgres/tests/fake_postgres.h"
#include "flott/connectors/tests/sink_run.h"
#include "flott/env/simulated.h"

namespace flott::postgres_sink_test {
namespace {

using Names = std::vector<std::string>;

struct Item {
  int64_t id = 0;
  std::string name;
};

const PostgresProblem kLost{.state = "", .message = "the line is dead", .connectionLost = true};
const std::string kTable = "table 'items' in PostgreSQL (fake:5432/test)";

const std::string kRowsLost = kTable +
                              ": the line is dead. What was written since the last checkpoint went with the "
                              "transaction, and is written "
                              "again when the job begins anew";

using Attempt = SinkRun<Item>;

class PostgresSinkTest : public testing::Test {
 protected:
  PostgresSinkTest() { fake.tables["items"].columns = {{"id", "bigint"}, {"name", "text"}}; }

  PostgresSink<Item> inserts() { return PostgresSink<Item>::insert("", "items").withServer(fake.server()); }
  PostgresSink<Item> once() { return inserts().withDeliveryGuarantee(DeliveryGuarantee::kExactlyOnce); }
  PostgresSink<Item> upserts() {
    return PostgresSink<Item>::upsert("", "items", {"id"}).withServer(fake.server());
  }

  Names rows() {
    Names all;
    for (const auto& row : fake.tables["items"].rows) all.push_back(*row[0] + *row[1]);
    std::sort(all.begin(), all.end());
    return all;
  }
  size_t insertions() { return fake.statements("INSERT").size(); }

  SimulatedEnv world{1};
  FakePostgres fake;
};

TEST_F(PostgresSinkTest, RowsAreSentBySizeByTimeAndBeforeABarrier) {
  Attempt attempt(world, inserts().withBatching({.rows = 3, .interval = Duration::seconds(2)}));
  attempt.write({{1, "a"}, {2, "b"}});
  EXPECT_EQ(insertions(), 0u);
  attempt.write({{3, "c"}, {4, "d"}});
  EXPECT_EQ(rows(), (Names{"1a", "2b", "3c"})) << "three are enough";
  EXPECT_EQ(attempt.task.wakesIn(), 2'000'000'000);
  attempt.advance(1999);
  EXPECT_EQ(insertions(), 1u);
  attempt.advance(1);
  EXPECT_EQ(rows().size(), 4u) << "it waited for two seconds";
  attempt.write({{5, "e"}});
  attempt.checkpoint(1);
  EXPECT_EQ(rows().size(), 5u) << "before a barrier";
  attempt.write({{6, "f"}});
  attempt.end();
  EXPECT_EQ(rows().size(), 6u);
  EXPECT_EQ(insertions(), 4u);
  EXPECT_EQ(attempt.task.metrics().count("numRecordsSend"), 6);
  EXPECT_EQ(fake.statements("BEGIN"), Names()) << "each batch is a transaction by itself";
  EXPECT_FALSE(attempt.op->awaitsFinalCheckpoint());
}

TEST_F(PostgresSinkTest, ABatchIsFullByItsBytes) {
  Attempt attempt(world, inserts().withBatching({.size = MemorySize(100)}));
  attempt.write({{1, std::string(50, 'x')}});
  EXPECT_EQ(insertions(), 0u);
  attempt.write({{2, std::string(50, 'x')}});
  EXPECT_EQ(insertions(), 1u);
}

TEST_F(PostgresSinkTest, AnUpsertSendsTheLastRowOfEachKey) {
  Attempt attempt(world, upserts());
  attempt.write({{1, "a"}, {2, "b"}, {1, "c"}});
  attempt.checkpoint(1);
  attempt.write({{2, "d"}});
  attempt.checkpoint(2);
  EXPECT_EQ(rows(), (Names{"1c", "2d"}));
}

TEST_F(PostgresSinkTest, KeysThatOnlyTheServerTakesForEqualAreSentOneByOne) {
  const auto asText = [](const Item& item, PostgresRow& row) { row.add(item.name).add(item.id); };
  Attempt attempt(world, upserts().withColumns({"id", "name"}, asText));
  attempt.write({{1, "7"}, {2, "7.0"}, {3, "8"}});
  attempt.checkpoint(1);
  EXPECT_EQ(rows(), (Names{"7.02", "83"}));
}

TEST_F(PostgresSinkTest, ExactlyOnceRowsAreThereWhenTheirCheckpointIsComplete) {
  Attempt attempt(world, once().withBatching({.rows = 1}));
  attempt.write({{1, "a"}, {2, "b"}});
  EXPECT_EQ(insertions(), 2u);
  EXPECT_EQ(rows(), Names());
  attempt.checkpoint(1);
  EXPECT_EQ(fake.prepared.size(), 1u);
  attempt.checkpoint(2);
  EXPECT_EQ(fake.prepared.size(), 1u) << "nothing was written since";
  attempt.write({{3, "c"}});
  attempt.checkpoint(3);
  const std::string name = fake.prepared.begin()->first;
  EXPECT_EQ(name.substr(name.size() - 6), "-0-0-0") << "of subtask 0, begun before any checkpoint, the first";
  EXPECT_EQ(rows(), Names());
  attempt.complete(2);
  EXPECT_EQ(rows(), (Names{"1a", "2b"}));
  attempt.end();
  EXPECT_TRUE(attempt.op->awaitsFinalCheckpoint());
  attempt.complete(3);
  EXPECT_EQ(rows(), (Names{"1a", "2b", "3c"}));
  EXPECT_TRUE(fake.prepared.empty());
  EXPECT_EQ(attempt.task.metrics().count("successfulCommittables"), 2);
}

TEST_F(PostgresSinkTest, ARestoreCommitsWhatTheCheckpointHasAndRollsBackTheRest) {
  std::string state;
  {
    Attempt attempt(world, once());
    attempt.write({{1, "a"}});
    attempt.checkpoint(1);
    state = attempt.state();
    attempt.write({{2, "b"}});
    attempt.checkpoint(2);
    attempt.write({{3, "c"}});
  }
  EXPECT_EQ(fake.prepared.size(), 2u);
  fake.prepared["flott-0123456789ab-0-1-0"] = {};
  Attempt attempt(world, once(), state, 1);
  EXPECT_EQ(rows(), (Names{"1a"}));
  EXPECT_EQ(fake.prepared.size(), 1u) << "somebody else's";
  attempt.write({{2, "b"}});
  attempt.checkpoint(3);
  attempt.complete(3);
  EXPECT_EQ(rows(), (Names{"1a", "2b"}));
  Attempt again(world, once(), state, 2);
  EXPECT_EQ(again.task.metrics().count("alreadyCommittedCommittables"), 1);
  EXPECT_EQ(rows(), (Names{"1a", "2b"}));
}

TEST_F(PostgresSinkTest, WhatSomebodyRolledBackIsNotTakenForCommitted) {
  std::string state;
  std::string name;
  {
    Attempt attempt(world, once());
    attempt.write({{1, "a"}});
    attempt.checkpoint(1);
    state = attempt.state();
    name = fake.prepared.begin()->first;
    fake.server()->connect("", "a person")->run("ROLLBACK PREPARED '" + name + "'");
  }
  EXPECT_EQ(errorText([&] { Attempt attempt(world, once(), state, 1); }),
            "what was prepared for a checkpoint is refused for good: " + kTable +
                ": the prepared transaction '" + name +
                "' was rolled back by somebody. Its records would be missing; CommitOptions::rejected = "
                "RejectedCommits::kCount goes on without them");
}

TEST_F(PostgresSinkTest, LeftOversOfMoreSubtasksAreRolledBackUpToTheOldParallelism) {
  std::vector<std::string> states;
  for (int subtask = 0; subtask < 5; ++subtask) {
    Attempt attempt(world, once(), "", 0, subtask, 5);
    attempt.checkpoint(1);
    states.push_back(attempt.state());
    attempt.write({{subtask, "x"}});
    attempt.checkpoint(2);
  }
  EXPECT_EQ(fake.prepared.size(), 5u);
  Attempt second(world, once(), states[0], 1, 1, 2);
  EXPECT_EQ(fake.prepared.size(), 3u) << "those of 1 and 3";
  Attempt first(world, once(), states[0], 1, 0, 2);
  EXPECT_TRUE(fake.prepared.empty());
}

TEST_F(PostgresSinkTest, NoCheckpointPassesBeforeLeftOversAreGone) {
  std::string state;
  {
    Attempt attempt(world, once());
    attempt.checkpoint(1);
    state = attempt.state();
  }
  Attempt attempt(world, once(), state, 1, 0, 1, false);
  fake.failOnce("SELECT gid ", kLost);
  EXPECT_EQ(attempt.op->beforeBarrier(CheckpointId(2), attempt.task), Step::kWait);
  attempt.task.runOffloaded();
  EXPECT_TRUE(attempt.task.takeCall());
  EXPECT_EQ(attempt.op->resume(attempt.task), Step::kWait) << "it is looked for them again in a moment";
  attempt.task.advanceNanos(attempt.task.wakesIn().value());
  EXPECT_TRUE(attempt.task.takeCall());
  EXPECT_EQ(attempt.op->resume(attempt.task), Step::kWait);
  attempt.task.runOffloaded();
  EXPECT_TRUE(attempt.task.takeCall());
  EXPECT_EQ(attempt.op->resume(attempt.task), Step::kDone);
}

TEST_F(PostgresSinkTest, SessionsOfEarlierAttemptsAreEnded) {
  std::string state;
  std::string lineage;
  {
    Attempt attempt(world, upserts());
    lineage = fake.sessions.begin()->second.substr(6, 12);
    attempt.checkpoint(1);
    state = attempt.state();
  }
  ASSERT_TRUE(fake.sessions.empty());
  fake.sessions[100] = "flott-" + lineage + "-0-00000000";
  fake.sessions[101] = "flott-" + lineage + "-1-00000000";
  fake.sessions[102] = "flott-" + lineage + "-2-00000000";
  fake.sessions[103] = "flott-0123456789ab-0-00000000";
  Attempt attempt(world, upserts(), state, 1, 0, 2);
  EXPECT_FALSE(fake.sessions.contains(100));
  EXPECT_TRUE(fake.sessions.contains(101)) << "that is up to the other subtask";
  EXPECT_FALSE(fake.sessions.contains(102));
  EXPECT_TRUE(fake.sessions.contains(103));
  EXPECT_EQ(fake.sessions.size(), 3u);
}

TEST_F(PostgresSinkTest, ABatchIsSentAgainWhenTheConnectionIsLost) {
  Attempt attempt(world, upserts().withRetries({.retries = 2, .firstPause = Duration::millis(100)}));
  attempt.write({{1, "a"}});
  fake.failOnce("INSERT", kLost, true);
  fake.failOnce("INSERT", {.state = "40P01", .message = "deadlock detected"});
  attempt.checkpoint(1);
  EXPECT_EQ(rows(), (Names{"1a"}));
  EXPECT_EQ(attempt.task.warnings,
            (Names{kTable + ": deadlock detected (SQLSTATE 40P01); trying again in 100 ms",
                   kTable + ": the line is dead; trying again in 200 ms"}));
  attempt.write({{1, "b"}});
  for (int i = 0; i < 3; ++i) fake.failOnce("INSERT", kLost);
  EXPECT_EQ(errorText([&] { attempt.checkpoint(2); }, ErrorKind::kTransient),
            kTable + ": given up after 2 retries: the line is dead");
}

TEST_F(PostgresSinkTest, RowsOfATransactionThatIsLostFailTheAttempt) {
  {
    Attempt attempt(world, once().withBatching({.rows = 1}));
    fake.failOnce("BEGIN", kLost);
    attempt.write({{1, "a"}});
    attempt.advance(100);
    EXPECT_EQ(insertions(), 1u) << "nothing was in it yet";
    fake.failOnce("INSERT", kLost);
    EXPECT_EQ(errorText([&] { attempt.write({{2, "b"}}); }, ErrorKind::kTransient), kRowsLost);
  }
  Attempt attempt(world, once());
  attempt.write({{1, "a"}});
  fake.failOnce("PREPARE TRANSACTION", kLost, true);
  EXPECT_EQ(errorText([&] { attempt.checkpoint(1); }, ErrorKind::kTransient), kRowsLost);
}

TEST_F(PostgresSinkTest, OneThatWasToldToEndDoesNotComeBack) {
  Attempt attempt(world, upserts());
  attempt.write({{1, "a"}});
  fake.failOnce("INSERT", {.state = "57P01", .message = "terminating connection", .connectionLost = true});
  EXPECT_EQ(
      errorText([&] { attempt.checkpoint(1); }, ErrorKind::kTransient),
      kTable +
          ": terminating connection (SQLSTATE 57P01). Somebody ended the session, perhaps a later attempt "
          "of this job");
}

TEST_F(PostgresSinkTest, ARefusedRowIsNamed) {
  fake.tables["items"].check = [](const FakePostgres::Row& row) -> std::string {
    return *row[0] == "2" ? "no twos" : "";
  };
  const std::string refused = kTable +
                              " refuses the row id=\"2\", name=\"b\": no twos (SQLSTATE 23514). Correct such "
                              "records before they come to "
                              "the sink, or the table";
  {
    Attempt attempt(world, inserts());
    attempt.write({{1, "a"}, {2, "b"}, {3, "c"}});
    EXPECT_EQ(errorText([&] { attempt.checkpoint(1); }), refused);
    EXPECT_EQ(rows(), Names()) << "nothing of the batch";
  }
  Attempt attempt(world, once().withBatching({.rows = 1}));
  attempt.write({{1, "a"}});
  EXPECT_EQ(errorText([&] { attempt.write({{2, "b"}}); }), refused);
  EXPECT_EQ(rows(), Names());
}

TEST_F(PostgresSinkTest, ABatchThatOnlyFailsAsAWholeIsToldSo) {
  Attempt attempt(world, inserts());
  attempt.write({{1, "a"}, {2, "b"}});
  fake.failOnce("INSERT", {.state = "23505", .message = "twice"});
  EXPECT_EQ(errorText([&] { attempt.checkpoint(1); }),
            kTable +
                " refuses 2 rows, and each of them alone it would take: twice (SQLSTATE 23505). Correct such "
                "records before they come to the sink, or the table");
}

TEST_F(PostgresSinkTest, ATransactionThatCannotBePreparedForItsRows) {
  Attempt attempt(world, once());
  attempt.write({{1, "a"}});
  fake.failOnce("PREPARE TRANSACTION", {.state = "23503", .message = "no such parent"});
  EXPECT_EQ(errorText([&] { attempt.checkpoint(1); }),
            kTable +
                " refuses the rows since the last checkpoint: no such parent (SQLSTATE 23503). Correct such "
                "records before they come to the sink, or the table");
}

TEST_F(PostgresSinkTest, NullIsNoKey) {
  const auto noKey = [](const Item& item, PostgresRow& row) { row.addNull().add(item.name); };
  Attempt attempt(world, upserts().withColumns({"id", "name"}, noKey));
  EXPECT_EQ(
      errorText([&] {
        attempt.write({{1, "a"}});
      }),
      "the row id=NULL, name=\"a\" for " + kTable +
          " has no value for the key 'id', so it would be there again after each failure: leave such records "
          "out, or give them one");
}

TEST_F(PostgresSinkTest, TheTableIsLookedAtFirst) {
  using Sink = PostgresSink<Item>;
  const auto at = [&](const Sink& sink) { return errorText([&] { Attempt attempt(world, sink); }); };
  EXPECT_EQ(
      at(Sink::insert("", "nothing").withServer(fake.server())),
      "there is no table 'nothing' in PostgreSQL (fake:5432/test): create it, or write its schema before its "
      "name. Names with capitals need double quotes, as in SQL");
  EXPECT_EQ(at(inserts().withColumnName("name", "nmae")),
            kTable +
                " has no column 'nmae': did you mean 'name'? Add the column, or name another one: "
                "withColumnName(\"nmae\", …)");
  fake.tables["items"].columns[1].name = "title";
  EXPECT_EQ(at(inserts()),
            kTable +
                " has no column 'name'; it has id, title. Add the column, or name another one: "
                "withColumnName(\"name\", …)");
  fake.tables["items"].columns = {{"id", "bigint"}, {"name", "text[]"}};
  EXPECT_EQ(at(inserts()),
            kTable +
                ": column 'name' is of type text[], and the sink writes no arrays: leave it out, or "
                "write to a view that takes it as text");
  fake.tables["items"].columns = {{"id", "bigint"}, {"NAME", "text"}, {"name", "text"}};
  EXPECT_EQ(at(upserts().withColumnName("name", "NAME")), "nothing was thrown")
      << "a name with capitals as it is";
  EXPECT_NE(fake.log.back().find("\"NAME\" = EXCLUDED.\"NAME\""), std::string::npos);
  EXPECT_EQ(at(upserts().withColumnName("name", "Name")), "nothing was thrown") << "or as SQL reads it";
  EXPECT_NE(fake.log.back().find("\"name\" = EXCLUDED.\"name\""), std::string::npos);
  fake.failOnce("EXPLAIN", {.state = "42P10", .message = "there is no unique constraint"});
  EXPECT_EQ(at(upserts()),
            kTable +
                " cannot be written to: there is no unique constraint (SQLSTATE 42P10). Give the "
                "table a primary key or unique constraint on just the sink's keys");
}

TEST_F(PostgresSinkTest, PreparedTransactionsHaveToBeAllowed) {
  fake.maxPrepared = 1;
  EXPECT_EQ(
      errorText([&] { Attempt attempt(world, once(), "", 0, 0, 2); }),
      kTable +
          ": exactly once takes prepared transactions, and the server's setting max_prepared_transactions "
          "is 1, with 2 subtasks that prepare one for each checkpoint. Set it to 6 or more in "
          "postgresql.conf and start the server again, or choose the guarantee AT_LEAST_ONCE or an upsert");
  Attempt attempt(world, upserts(), "", 0, 0, 2);
}

TEST_F(PostgresSinkTest, CommitsAreTriedAgain) {
  Attempt attempt(world, once().withRetries({.retries = 2}));
  attempt.write({{1, "a"}});
  attempt.checkpoint(1);
  fake.failOnce("COMMIT PREPARED", kLost, true);
  fake.failOnce("COMMIT PREPARED", {.state = "55000", .message = "busy"});
  attempt.complete(1);
  EXPECT_EQ(rows(), Names()) << "somebody else is at it";
  attempt.advance(100);
  EXPECT_EQ(rows(), (Names{"1a"})) << "whether it was is not known";
  attempt.advance(200);
  EXPECT_EQ(attempt.task.metrics().count("alreadyCommittedCommittables"), 1);
  EXPECT_EQ(rows(), (Names{"1a"}));
  attempt.write({{2, "b"}});
  attempt.checkpoint(2);
  fake.failOnce("COMMIT PREPARED", {.state = "42501", .message = "permission denied"});
  EXPECT_NE(errorText([&] { attempt.complete(2); }).find(kTable + ": permission denied (SQLSTATE 42501)"),
            std::string::npos);
}

TEST_F(PostgresSinkTest, ASlowServerHoldsTheInputBack) {
  Attempt attempt(world, inserts().withBatching({.rows = 2, .queued = 3}));
  Step step = Step::kDone;
  int batches = 0;
  for (; step == Step::kDone && batches < 100; ++batches) {
    step = attempt.op->onBatch(0, attempt.task.batchOf<Item>({{1, "a"}, {2, "b"}}), attempt.task);
  }
  EXPECT_EQ(step, Step::kWait);
  EXPECT_EQ(batches, 3);
  while (attempt.task.runOffloaded()) {
    if (attempt.task.takeCall()) step = attempt.op->resume(attempt.task);
  }
  EXPECT_EQ(step, Step::kDone);
  attempt.checkpoint(1);
  EXPECT_EQ(rows().size(), static_cast<size_t>(batches) * 2);
}

TEST_F(PostgresSinkTest, WhatIsUnderWayIsInterruptedAtTheEnd) {
  {
    Attempt attempt(world, inserts().withBatching({.rows = 1}));
    attempt.op->onBatch(0, attempt.task.batchOf<Item>({{1, "a"}}), attempt.task);
    attempt.op->close();
    EXPECT_TRUE(world.offload().runOne());
    EXPECT_EQ(fake.statements("SELECT pg_terminate_backend(pid)").size(), 1u);
    EXPECT_EQ(fake.sessions.size(), 0u);
    EXPECT_EQ(errorText([&] { attempt.task.runOffloaded(); }, ErrorKind::kCancelled), "the sink is closed");
  }
  EXPECT_EQ(rows(), Names());
}

}  // namespace
}  // namespace flott::postgres_sink_test
