// The table that a sink writes to, and the one statement that writes to it.
//
// Rows go as one array a column, which the server takes apart again: the statement is the same for any number
// of rows. (Measured: COPY is up to 45 % faster with 5000 rows a batch and no faster with 1000, and it knows
// no ON CONFLICT; a parameter for each value is as fast as arrays, and there may be only 65535 of them.)
//
//   INSERT INTO "orders" ("id", "name") SELECT * FROM unnest($1::bigint[], $2::text[])
//     ON CONFLICT ("id") DO UPDATE SET "name" = EXCLUDED."name"
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/memory_size.h"
#include "flott/base/time.h"
#include "flott/connectors/postgres/postgres_session.h"
#include "flott/operators/committing_sink.h"

namespace flott {

/// When rows are sent, and how many may wait.
struct PostgresBatching {
  size_t rows = 1000;
  MemorySize size = MemorySize::mb(1);
  Duration interval = Duration::seconds(1);  // since its first row
  int queued = 4;                            // full batches that wait before the input does
};

/// After an error that may pass.
struct PostgresRetries {
  int retries = 10;  // in a row, until the job begins anew
  Duration firstPause = Duration::millis(100);
  Duration longestPause = Duration::seconds(30);
};

struct PostgresOptions {
  std::string connection;
  std::string table;                 // as in SQL
  std::vector<std::string> columns;  // in the order of a row's values
  std::vector<std::string> keys;     // upsert; empty: insert
  DeliveryGuarantee guarantee = DeliveryGuarantee::kAtLeastOnce;
  PostgresBatching batching = {};
  PostgresRetries retries = {};
  std::shared_ptr<const PostgresServer> server = {};

  bool exactlyOnce() const { return guarantee == DeliveryGuarantee::kExactlyOnce; }
  bool upserts() const { return !keys.empty(); }
  /// "table 'orders' in PostgreSQL (localhost:5432/shop)".
  std::string where() const;
};

/// Throw Error(kUser) for options that make no sense.
void checkPostgresOptions(const PostgresOptions& options);
void checkPostgresColumns(const PostgresOptions& options);
/// Also where it is a key. Throws Error(kUser) when there is none of this name.
void renameColumn(PostgresOptions& options, std::string_view from, const std::string& to);

struct PostgresColumn {
  std::string name;  // as it is in the table
  std::string type;
};

struct PostgresTable {
  std::string name;  // quoted where it has to be
  std::vector<PostgresColumn> columns;
  std::vector<size_t> keys;  // among the columns

  /// Takes an array for each column.
  std::string insertStatement() const;
};

/// Finds the table and its columns, and has the server look at the statement. Throws Error(kUser) that says
/// what is missing. Off-load threads only.
PostgresTable findPostgresTable(PostgresSession& session, const PostgresOptions& options);

}  // namespace flott
