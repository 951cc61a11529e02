#include <libpq-fe.h>

#include <algorithm>
#include <cctype>

#include "flott/connectors/postgres/postgres_session.h"

namespace flott {
namespace {

// Before the connection string, which may say otherwise. A dead peer is noticed in about a minute.
constexpr const char* kDefaultNames[] = {"connect_timeout", "keepalives_idle", "keepalives_interval",
                                         "keepalives_count", "tcp_user_timeout"};
constexpr const char* kDefaultValues[] = {"10", "30", "10", "3", "60000"};

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  void operator()(char* text) const { PQfreemem(text); }
};
template <typename T>
using Owned = std::unique_ptr<T, Finish>;

// In the verbose form of a message the state stands between two colons: "FATAL:  28P01: password …".
std::string stateIn(std::string_view message) {
  for (size_t at = 0; (at = message.find(":  ", at)) != std::string_view::npos; at += 3) {
    const std::string_view rest = message.substr(at + 3);
    const auto code = [](unsigned char c) { return std::isdigit(c) != 0 || std::isupper(c) != 0; };
    if (rest.size() > 5 && rest[5] == ':' && std::all_of(rest.begin(), rest.begin() + 5, code)) {
      return std::string(rest.substr(0, 5));
    }
  }
  return {};
}

// Its lines as one, without those that say where in the server's source something happened.
std::string oneLine(std::string_view message) {
  std::string line;
  for (size_t at = 0; at < message.size();) {
    const size_t end = std::min(message.find('\n', at), message.size());
    std::string_view part = message.substr(at, end - at);
    at = end + 1;
    while (!part.empty() && std::isspace(static_cast<unsigned char>(part.front())) != 0)
      part.remove_prefix(1);
    if (part.empty() || part.starts_with("LOCATION:")) continue;
    if (!line.empty()) line += ' ';
    line += part;
  }
  return line;
}

PostgresProblem connectionProblem(PGconn* connection, std::string text) {
  const std::string verbose = PQerrorMessage(connection);
  if (text.empty()) text = verbose;
  return {.state = stateIn(verbose), .message = oneLine(text), .connectionLost = true};
}

PostgresProblem problemOf(PGconn* connection, const PGresult* result) {
  const bool lost = PQstatus(connection) != CONNECTION_OK;
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr) {
    PostgresProblem problem = connectionProblem(connection, {});
    problem.connectionLost = lost;
    return problem;
  }
  const auto field = [result](int code) -> std::string {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? "" : text;
  };
  return {.state = state,
          .message = field(PG_DIAG_MESSAGE_PRIMARY),
          .detail = field(PG_DIAG_MESSAGE_DETAIL),
          .hint = field(PG_DIAG_MESSAGE_HINT),
          .connectionLost = lost};
}

Owned<PGconn> connectTo(const std::string& connection, const std::string& applicationName) {
  std::vector<const char*> names(std::begin(kDefaultNames), std::end(kDefaultNames));
  std::vector<const char*> values(std::begin(kDefaultValues), std::end(kDefaultValues));
  const auto add = [&](const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
  };
  add("dbname", connection.c_str());
  add("application_name", applicationName.c_str());
  add("client_encoding", "UTF8");
  add(nullptr, nullptr);
  return Owned<PGconn>(PQconnectdbParams(names.data(), values.data(), 1));
}

class LibpqSession final : public PostgresSession {
 public:
  explicit LibpqSession(Owned<PGconn> connection) : connection_(std::move(connection)) {}

  PostgresRowSet run(const std::string& sql, const std::vector<PostgresText>& parameters) override {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const PostgresText& one : parameters) values.push_back(one ? one->c_str() : nullptr);
    const Owned<PGresult> result(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                                              nullptr, values.data(), nullptr, nullptr, 0));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      throw PostgresError(problemOf(connection_.get(), result.get()));
    }
    PostgresRowSet rows(static_cast<size_t>(PQntuples(result.get())));
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        PostgresText& value = rows[static_cast<size_t>(row)].emplace_back();
        if (PQgetisnull(result.get(), row, column) == 0) value = PQgetvalue(result.get(), row, column);
      }
    }
    return rows;
  }

 private:
  const Owned<PGconn> connection_;
};

class LibpqServer final : public PostgresServer {
 public:
  void check(const std::string& connection) const override {
    char* problem = nullptr;
    const Owned<PQconninfoOption> options(PQconninfoParse(connection.c_str(), &problem));
    const Owned<char> text(problem);
    if (options != nullptr) return;
    throw Error(ErrorKind::kUser, "the connection string for PostgreSQL cannot be read: " +
                                      oneLine(problem == nullptr ? "" : problem) +
                                      ". Write it as \"host=localhost dbname=shop user=flott\" or "
                                      "\"postgresql://flott@localhost/shop\"");
  }

  std::string place(const std::string& connection) const override {
    const Owned<PQconninfoOption> given(PQconninfoParse(connection.c_str(), nullptr));
    const Owned<PQconninfoOption> defaults(PQconndefaults());
    const auto valueOf = [&](std::string_view name) -> std::string {
      for (const PQconninfoOption* options : {given.get(), defaults.get()}) {
        for (const PQconninfoOption* one = options; one != nullptr && one->keyword != nullptr; ++one) {
          if (one->keyword == name && one->val != nullptr && *one->val != '\0') return one->val;
        }
      }
      return {};
    };
    std::string host = valueOf("host");
    if (host.empty()) host = valueOf("hostaddr");
    std::string database = valueOf("dbname");
    if (database.empty()) database = valueOf("user");
    return (host.empty() ? "localhost" : host) + ":" + valueOf("port") + "/" + database;
  }

  // Only a connection that exists can be asked for states in its messages: where the server has refused it, a
  // second try tells why.
  std::unique_ptr<PostgresSession> connect(const std::string& connection,
                                           const std::string& applicationName) const override {
    Owned<PGconn> made = connectTo(connection, applicationName);
    if (made == nullptr) {
      throw PostgresError(
          {.state = "", .message = "there is no memory for a connection", .connectionLost = true});
    }
    if (PQstatus(made.get()) != CONNECTION_OK) {
      const std::string first = PQerrorMessage(made.get());
      if (first.find("FATAL:") != std::string::npos) {
        PQsetErrorVerbosity(made.get(), PQERRORS_VERBOSE);
        PQreset(made.get());
      }
      if (PQstatus(made.get()) != CONNECTION_OK) throw PostgresError(connectionProblem(made.get(), first));
    }
    PQsetErrorVerbosity(made.get(), PQERRORS_VERBOSE);
    PQsetNoticeProcessor(
        made.get(), [](void*, const char*) {}, nullptr);
    return std::make_unique<LibpqSession>(std::move(made));
  }
};

}  // namespace

std::shared_ptr<const PostgresServer> libpqServer() { return std::make_shared<const LibpqServer>(); }

}  // namespace flott
