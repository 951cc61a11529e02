// Stands in for a PostgreSQL server in tests: knows the statements of the sink, keeps tables, transactions
// and sessions in memory, and fails when it is told to. One thread.
//
//   FakePostgres fake;
//   fake.tables["orders"].columns = {{"id", "bigint"}, {"item", "text"}};
//   fake.failOnce("PREPARE", {.state = "", .message = "the line is dead", .connectionLost = true});
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/function.h"
#include "flott/connectors/postgres/postgres_table.h"

namespace flott {

class FakePostgres {
 public:
  using Row = std::vector<PostgresText>;
  struct Table {
    std::vector<PostgresColumn> columns;
    std::vector<Row> rows;
    /// What is wrong with a row; empty: nothing.
    std::string (*check)(const Row&) = nullptr;
  };
  struct Transaction {
    int64_t id = 0;
    std::vector<std::pair<std::string, Row>> rows;
    std::set<std::string> upserted = {};  // tables
  };
  struct Failure {
    std::string statement;  // begins so
    PostgresProblem problem;
    bool afterwards = false;  // when it has had its effect
  };

  std::map<std::string, Table> tables;
  std::map<std::string, Transaction> prepared;
  std::map<int64_t, std::string> sessions;  // application names
  std::vector<std::string> log;             // statements
  std::vector<Failure> failures;
  int maxPrepared = 100;
  bool down = false;
  /// Asked before and after each statement: whether the connection breaks there.
  std::shared_ptr<MoveFunction<bool()>> breaks = nullptr;

  void failOnce(std::string statement, PostgresProblem problem, bool afterwards = false) {
    failures.push_back({std::move(statement), std::move(problem), afterwards});
  }
  /// For PostgresSink::withServer(); this outlives it.
  std::shared_ptr<const PostgresServer> server() { return std::make_shared<Server>(*this); }
  std::vector<std::string> statements(const std::string& begin) const {
    std::vector<std::string> found;
    for (const std::string& one : log) {
      if (one.starts_with(begin)) found.push_back(one);
    }
    return found;
  }

 private:
  class Session final : public PostgresSession {
   public:
    Session(FakePostgres& fake, int64_t pid) : fake_(fake), pid_(pid) {}
    ~Session() override { fake_.sessions.erase(pid_); }
    PostgresRowSet run(const std::string& sql, const std::vector<PostgresText>& parameters) override {
      fake_.log.push_back(sql);
      if (fake_.down || !fake_.sessions.contains(pid_)) throw lost("server closed the connection");
      if (fake_.breaksNow()) throw dead("the line broke before");
      fail(sql, false);
      PostgresRowSet rows = answer(sql, parameters);
      fail(sql, true);
      if (fake_.breaksNow()) throw dead("the line broke after");
      return rows;
    }

   private:
    static PostgresError lost(const std::string& why) {
      return PostgresError({.state = "", .message = why, .connectionLost = true});
    }
    PostgresError dead(const std::string& why) {
      fake_.sessions.erase(pid_);
      return lost(why);
    }
    [[noreturn]] void refuse(const char* state, std::string message) {
      aborted_ = open_;
      throw PostgresError({.state = state, .message = std::move(message)});
    }
    void fail(const std::string& sql, bool afterwards) {
      for (size_t i = 0; i < fake_.failures.size(); ++i) {
        if (!sql.starts_with(fake_.failures[i].statement) || fake_.failures[i].afterwards != afterwards)
          continue;
        const PostgresProblem problem = fake_.failures[i].problem;
        fake_.failures.erase(fake_.failures.begin() + static_cast<ptrdiff_t>(i));
        if (problem.connectionLost) fake_.sessions.erase(pid_);
        aborted_ = open_;
        throw PostgresError(problem);
      }
    }

    PostgresRowSet answer(const std::string& sql, const std::vector<PostgresText>& given) {
      const auto is = [&sql](const char* begin) { return sql.starts_with(begin); };
      if (aborted_ && !is("ROLLBACK")) refuse("25P02", "current transaction is aborted");
      if (is("SET ") || is("EXPLAIN ") || is("SELECT pg_sleep")) return {};
      if (is("SELECT a.attname")) return columns(*given[0]);
      if (is("INSERT INTO ")) return insert(sql, given);
      if (is("SELECT txid_current()")) return {{std::to_string(transaction_.id)}};
      if (is("SHOW max_prepared_transactions")) return {{std::to_string(fake_.maxPrepared)}};
      if (is("SELECT gid ")) return names(fake_.prepared);
      if (is("SELECT pid, ")) return sessionRows();
      if (is("SELECT pg_terminate_backend($1")) return terminate(std::stoll(*given[0]));
      if (is("SELECT pg_terminate_backend(pid)")) return terminate(*given[0]);
      if (is("SELECT txid_status")) return {{statusOf(std::stoll(*given[0]))}};
      if (is("PREPARE TRANSACTION")) return prepare(quotedIn(sql));
      if (is("COMMIT PREPARED")) return finish(quotedIn(sql), true);
      if (is("ROLLBACK PREPARED")) return finish(quotedIn(sql), false);
      if (is("BEGIN")) return begin();
      if (is("COMMIT")) return commit();
      if (is("ROLLBACK")) return end();
      ADD_FAILURE() << "the fake server does not know: " << sql;
      return {};
    }

    static std::string quotedIn(const std::string& sql) {
      const size_t at = sql.find('\'');
      return sql.substr(at + 1, sql.rfind('\'') - at - 1);
    }
    PostgresRowSet begin() {
      EXPECT_FALSE(open_) << "a transaction in a transaction";
      open_ = true;
      transaction_ = {.id = ++fake_.lastId_, .rows = {}};
      return {};
    }
    PostgresRowSet end() {
      open_ = false;
      aborted_ = false;
      return {};
    }
    PostgresRowSet commit() {
      fake_.apply(transaction_);
      return end();
    }
    PostgresRowSet columns(const std::string& table) {
      PostgresRowSet rows;
      const auto found = fake_.tables.find(table);
      if (found == fake_.tables.end()) return rows;
      for (const PostgresColumn& one : found->second.columns) {
        rows.push_back({one.name, one.type, one.type.ends_with("[]") ? "t" : "f", table});
      }
      return rows;
    }
    template <typename M>
    static PostgresRowSet names(const M& map) {
      PostgresRowSet rows;
      for (const auto& [name, value] : map) rows.push_back({name});
      return rows;
    }
    PostgresRowSet sessionRows() {
      PostgresRowSet rows;
      for (const auto& [pid, name] : fake_.sessions) rows.push_back({std::to_string(pid), name});
      return rows;
    }
    PostgresRowSet terminate(int64_t pid) {
      fake_.sessions.erase(pid);
      return {};
    }
    PostgresRowSet terminate(const std::string& name) {
      std::erase_if(fake_.sessions, [&](const auto& one) { return one.second == name; });
      return {};
    }
    PostgresText statusOf(int64_t id) {
      if (fake_.committed_.contains(id)) return "committed";
      return fake_.rolledBack_.contains(id) ? PostgresText("aborted") : PostgresText();
    }
    PostgresRowSet prepare(const std::string& name) {
      EXPECT_TRUE(open_);
      if (fake_.prepared.contains(name)) refuse("42710", "transaction identifier is already in use");
      fake_.prepared[name] = std::exchange(transaction_, {});
      return end();
    }
    PostgresRowSet finish(const std::string& name, bool commits) {
      EXPECT_FALSE(open_) << "a prepared transaction is finished inside of another one";
      const auto found = fake_.prepared.find(name);
      if (found == fake_.prepared.end()) refuse("42704", "prepared transaction does not exist");
      if (commits) fake_.apply(found->second);
      (commits ? fake_.committed_ : fake_.rolledBack_).insert(found->second.id);
      fake_.prepared.erase(found);
      return {};
    }

    /// The values of an array in the server's text form.
    static std::vector<PostgresText> valuesOf(const std::string& array) {
      std::vector<PostgresText> values;
      for (size_t at = 1; at + 1 < array.size(); ++at) {
        if (array[at] != '"') {
          EXPECT_EQ(array.substr(at, 4), "NULL");
          values.emplace_back();
          at += 4;
          continue;
        }
        std::string text;
        for (++at; array[at] != '"'; ++at) text += array[at] == '\\' ? array[++at] : array[at];
        values.emplace_back(text);
        ++at;
      }
      return values;
    }
    PostgresRowSet insert(const std::string& sql, const std::vector<PostgresText>& arrays) {
      const std::string name = sql.substr(12, sql.find(' ', 12) - 12);
      Table& table = fake_.tables.at(name);
      std::vector<std::vector<PostgresText>> columns;
      for (const PostgresText& array : arrays) columns.push_back(valuesOf(*array));
      std::vector<std::pair<std::string, Row>> rows;
      std::set<PostgresText> keys;
      for (size_t i = 0; i < columns[0].size(); ++i) {
        Row row;
        for (const auto& column : columns) row.push_back(column.at(i));
        const std::string wrong = table.check != nullptr ? table.check(row) : "";
        if (!wrong.empty()) refuse("23514", wrong);
        if (sql.find("ON CONFLICT") != std::string::npos && !keys.insert(fake_.keyOf(row)).second) {
          refuse("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time");
        }
        rows.emplace_back(name, std::move(row));
      }
      Transaction alone;
      Transaction& into = open_ ? transaction_ : alone;
      into.rows.insert(into.rows.end(), rows.begin(), rows.end());
      if (sql.find("ON CONFLICT") != std::string::npos) into.upserted.insert(name);
      fake_.apply(alone);
      return {};
    }

    FakePostgres& fake_;
    const int64_t pid_;
    Transaction transaction_;
    bool open_ = false;
    bool aborted_ = false;
  };

  class Server final : public PostgresServer {
   public:
    explicit Server(FakePostgres& fake) : fake_(fake) {}
    void check(const std::string&) const override {}
    std::string place(const std::string&) const override { return "fake:5432/test"; }
    std::unique_ptr<PostgresSession> connect(const std::string&, const std::string& name) const override {
      if (fake_.down || fake_.breaksNow()) {
        throw PostgresError({.state = "", .message = "connection refused", .connectionLost = true});
      }
      fake_.sessions[++fake_.lastPid_] = name;
      return std::make_unique<Session>(fake_, fake_.lastPid_);
    }

   private:
    FakePostgres& fake_;
  };

  bool breaksNow() const { return breaks != nullptr && (*breaks)(); }
  // 1 and 1.0 are one key, as in a column of numbers.
  PostgresText keyOf(const Row& row) const {
    std::string key = row[0].value_or("");
    return key.ends_with(".0") ? key.substr(0, key.size() - 2) : key;
  }
  void apply(const Transaction& transaction) {
    for (const auto& [name, row] : transaction.rows) tables.at(name).rows.push_back(row);
    for (const std::string& name : transaction.upserted) keepLast(name);
  }
  void keepLast(const std::string& name) {
    std::map<PostgresText, Row> last;
    for (const Row& row : tables.at(name).rows) last[keyOf(row)] = row;
    tables.at(name).rows.clear();
    for (auto& [key, row] : last) tables.at(name).rows.push_back(row);
  }

  int64_t lastPid_ = 0;
  int64_t lastId_ = 0;
  std::set<int64_t> committed_;
  std::set<int64_t> rolledBack_;
};

}  // namespace flott
