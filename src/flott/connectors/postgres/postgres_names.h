// Names that a sink gives to what it has in a server: prepared transactions and sessions.
//
//   flott-5f2c91d04a11-2-41-0    the transaction of subtask 2 that began after checkpoint 41 was cut
//   flott-5f2c91d04a11-2-9c0f3e  a session of subtask 2, in the attempt with this mark
//
// The twelve digits are the sink's lineage (see SinkAttempt): what an earlier attempt left is found by them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "flott/base/types.h"
#include "flott/operators/sink_attempt.h"

namespace flott {

struct PostgresTransactionName {
  std::string lineage;
  int subtask = 0;
  CheckpointId epoch;  // the last one that was cut before the transaction began
  uint64_t number = 0;

  std::string text() const;
  /// Nothing when it is not the name of a transaction of this lineage.
  static std::optional<PostgresTransactionName> parse(std::string_view text, std::string_view lineage);
};

struct PostgresSessionName {
  std::string lineage;
  int subtask = 0;
  std::string mark;  // the same for all subtasks of an attempt

  std::string text() const;
  static std::optional<PostgresSessionName> parse(std::string_view text, std::string_view lineage);
};

/// Of an attempt of a job.
std::string postgresMark(const OperatorInfo& info);

/// For LIKE: all names of this lineage.
std::string postgresNamesLike(std::string_view lineage);

/// In double quotes, as an identifier: a"b is "a""b".
std::string quotedIdentifier(std::string_view name);
/// In single quotes, as a string: it's is 'it''s'.
std::string quotedText(std::string_view text);

}  // namespace flott
