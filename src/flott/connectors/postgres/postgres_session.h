// A connection to a PostgreSQL server, as the sink needs it: statements with text parameters, and errors that
// say whether trying again may help.
//
// An interface, so that tests can stand in for the server; libpqServer() is the real one. All calls but
// check() and place() block: off-load threads only, and a session is used by one at a time. Sessions end with
// their object.
//
//   auto session = libpqServer()->connect("host=localhost dbname=shop", "flott");
//   PostgresRowSet rows = session->run("SELECT name FROM users WHERE id = $1", {"7"});
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/error.h"

namespace flott {

/// What a server, or the way to it, has to say.
struct PostgresProblem {
  std::string state;  // SQLSTATE; empty when no server answered
  std::string message;
  std::string detail = {};
  std::string hint = {};
  bool connectionLost = false;

  /// "duplicate key value … (Key (id)=(7) already exists.; SQLSTATE 23505)".
  std::string text() const;
  /// Whether the same may work later, perhaps over another connection.
  bool mayPass() const;
};

/// kTransient when it may pass, else kUser.
class PostgresError : public Error {
 public:
  explicit PostgresError(PostgresProblem problem);
  const PostgresProblem& problem() const { return problem_; }
  bool is(std::string_view state) const { return problem_.state == state; }

 private:
  PostgresProblem problem_;
};

/// A parameter or a value; nothing is NULL.
using PostgresText = std::optional<std::string>;
using PostgresRowSet = std::vector<std::vector<PostgresText>>;

class PostgresSession {
 public:
  virtual ~PostgresSession() = default;
  /// One statement. Throws PostgresError; after a lost connection only the destructor may follow.
  virtual PostgresRowSet run(const std::string& sql, const std::vector<PostgresText>& parameters) = 0;
  PostgresRowSet run(const std::string& sql) { return run(sql, {}); }
};

class PostgresServer {
 public:
  virtual ~PostgresServer() = default;
  /// Throws Error(kUser) for a connection string that cannot be read. Without the string in it, which may
  /// hold a password.
  virtual void check(const std::string& connection) const = 0;
  /// "localhost:5432/shop": for messages.
  virtual std::string place(const std::string& connection) const = 0;
  /// Throws PostgresError.
  virtual std::unique_ptr<PostgresSession> connect(const std::string& connection,
                                                   const std::string& applicationName) const = 0;
};

/// The server that the connection string names, through libpq.
std::shared_ptr<const PostgresServer> libpqServer();

}  // namespace flott
