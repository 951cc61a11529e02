// The entries of one stored state as rows, whatever kind of state it is: what `flott state cat` prints.
//
// A RowSource gives the rows in the checkpoint's order, one at a time; a RowFormat makes text or Parquet of
// them. One thread at a time; blocks.
//
//   auto rows = rowsOf(files, keyed, *keyed.find("count"));
//   auto format = jsonRows(rows->type(), output);
//   for (StateRow row; rows->next(row);) format->row(row);
//   format->end();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "flott/base/function.h"
#include "flott/savepoints/stored_keyed_state.h"
#include "flott/savepoints/stored_operator_state.h"

namespace flott {

/// Bytes of text that are put out at once.
inline constexpr size_t kTextAtOnce = size_t{64} << 10;

/// What rows of one state consist of.
struct StateRowType {
  std::string op;  // the operator's uid, or its name
  std::string state;
  std::optional<TypeDescription> key;
  /// What the state's namespaces are called: "slice_end", "window"; empty when it has none.
  std::string nameSpace;
  bool nameSpaceIsTime = false;
  bool hasSubtask = false;  // the row says which had it
  std::string valueName;    // "value", "timers"
  TypeDescription value;
  /// Of state that expires: when it, or each of its elements, was last touched.
  std::optional<TypeDescription> touched;
};

/// What is encoded is good until the next row.
struct StateRow {
  std::string_view key;
  int64_t nameSpace = kNoNamespace;
  uint32_t subtask = 0;
  std::string_view value;
  std::string_view touched;
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const StateRowType& type() const = 0;
  /// Passes over what cannot have this key, as isKey() takes it, where that is cheap. Before next().
  virtual void expectKey(const std::string&) {}
  /// False behind the last.
  virtual bool next(StateRow& row) = 0;
};

/// What they get must outlive them. Throw Error(kUser) for types that only their program can decode.
std::unique_ptr<RowSource> rowsOf(CheckpointFiles& files, const StoredKeyedState& keyed,
                                  const StoredKeyedState::State& state);
std::unique_ptr<RowSource> rowsOf(const OperatorSnapshot& op, const StoredOperatorState& state);

/// Where bytes go, some at a time.
using ByteOutput = MoveFunction<void(std::string_view)>;

class RowFormat {
 public:
  virtual ~RowFormat() = default;
  virtual void row(const StateRow& row) = 0;
  /// After the last row.
  virtual void end() = 0;
};

/// An object on a line of its own for each row.
std::unique_ptr<RowFormat> jsonRows(const StateRowType& type, ByteOutput& output);
/// A line with names of columns, then one for each row; structs are a column for each field.
std::unique_ptr<RowFormat> csvRows(const StateRowType& type, ByteOutput& output);
/// A file with nested columns. Variants and recursive types are JSON in a column of text.
std::unique_ptr<RowFormat> parquetRows(const StateRowType& type, ByteOutput& output);

/// Whether an encoded key is the one that somebody wrote as JSON, or as text without quotes.
bool isKey(const StateRowType& type, std::string_view key, const std::string& written);

}  // namespace flott
