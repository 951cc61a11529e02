#include "flott/connectors/postgres/postgres_table.h"

#include <algorithm>

#include "flott/base/nearest.h"
#include "flott/connectors/postgres/postgres_names.h"

namespace flott {
namespace {

// As SQL reads a name without quotes.
std::string folded(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

struct KnownColumn {
  std::string name;
  std::string type;
  bool isArray = false;
};

const KnownColumn& columnOf(const std::string& wanted, const std::vector<KnownColumn>& known,
                            const PostgresOptions& options) {
  for (const std::string& name : {wanted, folded(wanted)}) {
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const KnownColumn& one) { return one.name == name; });
    if (found == known.end()) continue;
    if (!found->isArray) return *found;
    throw Error(ErrorKind::kUser,
                options.where() + ": column '" + name + "' is of type " + found->type +
                    ", and the sink writes no arrays: leave it out, or write to a view that "
                    "takes it as text");
  }
  std::vector<std::string_view> names;
  std::string all;
  for (const KnownColumn& one : known) {
    names.push_back(one.name);
    all += (all.empty() ? "" : ", ") + one.name;
  }
  const std::string_view near = nearestOf(wanted, names);
  throw Error(ErrorKind::kUser,
              options.where() + " has no column '" + wanted + "'" +
                  (near.empty() ? "; it has " + all + "." : ": did you mean '" + std::string(near) + "'?") +
                  " Add the column, or name another one: withColumnName(\"" + wanted + "\", …)");
}

PostgresRowSet columnsOf(PostgresSession& session, const PostgresOptions& options) {
  return session.run(
      "SELECT a.attname, format_type(a.atttypid, -1), t.typcategory = 'A', a.attrelid::regclass::text "
      "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
      "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
      {options.table});
}

}  // namespace

std::string PostgresOptions::where() const {
  return "table '" + table + "' in PostgreSQL (" + server->place(connection) + ")";
}

namespace {

[[noreturn]] void refuse(const PostgresOptions& options, const std::string& what) {
  throw Error(ErrorKind::kUser, "the sink for " + options.where() + " " + what);
}

// With the word that was probably meant, or with advice when there is none.
std::string suggestion(std::string_view word, const std::vector<std::string>& known,
                       const std::string& advice) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  const std::string_view near = nearestOf(word, names);
  return near.empty() ? ": " + advice : ": did you mean '" + std::string(near) + "'?";
}

}  // namespace

void checkPostgresOptions(const PostgresOptions& options) {
  options.server->check(options.connection);
  if (options.table.empty()) refuse(options, "has no table: name the one that its rows go to");
  if (options.upserts() && options.exactlyOnce()) {
    refuse(options,
           "upserts, and needs no transactions for that, since a row that is written again changes "
           "nothing: leave the guarantee out, or insert");
  }
  if (options.batching.rows == 0 || options.batching.size.bytes == 0) {
    refuse(options, "sends batches of nothing: give it rows and a size");
  }
  if (options.batching.interval.ms <= 0) refuse(options, "sends after no time: give a longer interval");
  if (options.batching.queued < 1) refuse(options, "lets no batch wait: raise queued");
  if (options.retries.retries < 0) refuse(options, "has less than no retries: give 0 or more");
  if (options.retries.firstPause.ms <= 0)
    refuse(options, "tries again after no pause: give a longer firstPause");
}

void checkPostgresColumns(const PostgresOptions& options) {
  if (options.columns.empty()) refuse(options, "has no columns: name those that its rows have values for");
  for (const std::string& column : options.columns) {
    if (std::count(options.columns.begin(), options.columns.end(), column) == 1) continue;
    refuse(options, "has the column '" + column + "' twice: name each once");
  }
  for (const std::string& key : options.keys) {
    if (std::count(options.columns.begin(), options.columns.end(), key) == 1) continue;
    refuse(options, "has the key '" + key + "', which is none of its columns" +
                        suggestion(key, options.columns, "name some of them"));
  }
}

void renameColumn(PostgresOptions& options, std::string_view from, const std::string& to) {
  if (std::count(options.columns.begin(), options.columns.end(), from) == 0) {
    refuse(options, "has no column '" + std::string(from) + "' to rename" +
                        suggestion(from, options.columns, "name a field of the record"));
  }
  std::replace(options.columns.begin(), options.columns.end(), std::string(from), to);
  std::replace(options.keys.begin(), options.keys.end(), std::string(from), to);
}

std::string PostgresTable::insertStatement() const {
  std::string names;
  std::string arrays;
  std::string updates;
  std::string conflict;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name = quotedIdentifier(columns[i].name);
    names += (i == 0 ? "" : ", ") + name;
    arrays += (i == 0 ? "$" : ", $") + std::to_string(i + 1) + "::" + columns[i].type + "[]";
    if (std::find(keys.begin(), keys.end(), i) != keys.end()) continue;
    updates += (updates.empty() ? "" : ", ") + name + " = EXCLUDED." + name;
  }
  for (const size_t key : keys)
    conflict += (conflict.empty() ? "" : ", ") + quotedIdentifier(columns[key].name);
  std::string sql = "INSERT INTO " + name + " (" + names + ") SELECT * FROM unnest(" + arrays + ")";
  if (conflict.empty()) return sql;
  sql += " ON CONFLICT (" + conflict + ") DO ";
  return sql + (updates.empty() ? "NOTHING" : "UPDATE SET " + updates);
}

// EXPLAIN plans the statement and looks at permissions, and runs nothing.
PostgresTable findPostgresTable(PostgresSession& session, const PostgresOptions& options) {
  std::vector<KnownColumn> known;
  PostgresTable table;
  for (auto& row : columnsOf(session, options)) {
    known.push_back({row[0].value_or(""), row[1].value_or(""), row[2] == "t"});
    table.name = row[3].value_or("");
  }
  if (known.empty()) {
    throw Error(ErrorKind::kUser, "there is no " + options.where() +
                                      ": create it, or write its schema before its name. Names with capitals "
                                      "need double quotes, as in SQL");
  }
  for (const std::string& wanted : options.columns) {
    const KnownColumn& column = columnOf(wanted, known, options);
    if (std::find(options.keys.begin(), options.keys.end(), wanted) != options.keys.end()) {
      table.keys.push_back(table.columns.size());
    }
    table.columns.push_back({column.name, column.type});
  }
  try {
    session.run("EXPLAIN " + table.insertStatement(), std::vector<PostgresText>(table.columns.size(), "{}"));
  } catch (const PostgresError& error) {
    if (error.kind() != ErrorKind::kUser) throw;
    const std::string advice = error.is("42P10")
                                   ? ". Give the table a primary key or unique constraint on just "
                                     "the sink's keys"
                                   : "";
    throw Error(ErrorKind::kUser, options.where() + " cannot be written to: " + error.message() + advice);
  }
  return table;
}

}  // namespace flott
