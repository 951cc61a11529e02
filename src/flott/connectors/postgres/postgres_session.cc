#include "flott/connectors/postgres/postgres_session.h"

#include <algorithm>
#include <array>

namespace flott {
namespace {

// Classes of SQLSTATEs, and some states of other classes.
constexpr std::array<std::string_view, 5> kPassingClasses = {
    "08",  // the connection
    "40",  // rolled back: a deadlock, a conflict
    "53",  // out of memory, of disk, of connections
    "57",  // an operator's doing: stopped, starting, cancelled
    "58",  // the server's disk
};
constexpr std::array<std::string_view, 4> kPassingStates = {
    "25006",  // read-only: this was the primary before
    "25P03",  // idle for too long
    "55006",  // in use
    "55P03",  // locked
};

}  // namespace

std::string PostgresProblem::text() const {
  std::string more;
  const auto add = [&more](const std::string& part) {
    if (part.empty()) return;
    more += more.empty() ? " (" : "; ";
    more += part;
  };
  add(detail);
  add(hint);
  if (!state.empty()) add("SQLSTATE " + state);
  if (!more.empty()) more += ")";
  return message + more;
}

bool PostgresProblem::mayPass() const {
  if (state.size() != 5) return true;
  return std::find(kPassingClasses.begin(), kPassingClasses.end(), std::string_view(state).substr(0, 2)) !=
             kPassingClasses.end() ||
         std::find(kPassingStates.begin(), kPassingStates.end(), state) != kPassingStates.end();
}

PostgresError::PostgresError(PostgresProblem problem)
    : Error(problem.mayPass() ? ErrorKind::kTransient : ErrorKind::kUser, problem.text()),
      problem_(std::move(problem)) {}

}  // namespace flott
