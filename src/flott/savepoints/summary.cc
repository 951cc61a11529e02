#include "flott/savepoints/summary.h"

#include <algorithm>
#include <array>

#include "flott/savepoints/stored_keyed_state.h"
#include "flott/savepoints/stored_operator_state.h"

namespace flott {
namespace {

OperatorSummary summarize(CheckpointFiles& files, const OperatorSnapshot& op) {
  OperatorSummary summary{.name = op.name,
                          .uid = op.uid,
                          .id = op.id,
                          .maxParallelism = op.maxParallelism,
                          .parallelism = static_cast<uint32_t>(op.subtasks.size()),
                          .enumeratorBytes = op.enumerator.size()};
  for (const SubtaskSnapshot& subtask : op.subtasks) summary.finished += subtask.finished ? 1 : 0;
  const StoredKeyedState keyed(files, op);
  for (const StoredKeyedState::State& state : keyed.states()) {
    summary.states.push_back({.name = state.schema.name,
                              .kind = kindForPeople(state.schema),
                              .key = keyed.key()->toString(),
                              .type = state.schema.value.toString(),
                              .expires = state.schema.expires,
                              .entries = state.entries,
                              .bytes = state.bytes});
  }
  for (const StoredOperatorState& state : readOperatorState(files, op)) {
    summary.states.push_back({.name = state.name,
                              .kind = std::string(kindForPeople(state.redistribution)),
                              .key = {},
                              .type = state.type ? state.type->toString() : std::string(),
                              .entries = state.items.size(),
                              .bytes = state.bytes()});
  }
  return summary;
}

std::string counted(uint64_t count, const char* one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string sized(uint64_t bytes) {
  if (bytes < 10'000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  constexpr std::array<const char*, 4> kUnits = {"KB", "MB", "GB", "TB"};
  size_t unit = 0;
  uint64_t tenths = bytes / 100;
  for (; tenths >= 10'000 && unit + 1 < kUnits.size(); ++unit) tenths /= 1000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " " + kUnits[unit];
}

/// Columns as wide as their widest cell.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += "  " + row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size(), ' ');
    }
    text += line + "\n";
  }
  return text;
}

std::string toText(const OperatorSummary& op) {
  std::string text = op.name + "\n";
  text += "  " + (op.uid.empty() ? "no uid" : "uid '" + op.uid + "'") + ", id " + toString(op.id) +
          ", parallelism " + std::to_string(op.parallelism) + ", max parallelism " +
          std::to_string(op.maxParallelism);
  if (op.finished > 0) text += ", " + counted(op.finished, "subtask") + " finished";
  text += "\n";
  std::vector<std::vector<std::string>> rows;
  if (op.enumeratorBytes > 0) rows.push_back({"source enumerator", "", "", sized(op.enumeratorBytes)});
  for (const StateSummary& state : op.states) {
    std::string type = state.type.empty() ? "(type not stored)" : state.type;
    if (!state.key.empty()) type = state.key + " -> " + type;
    rows.push_back({state.name, state.kind + (state.expires ? ", expires" : ""),
                    counted(state.entries, state.key.empty() ? "item" : "key"), sized(state.bytes), type});
  }
  if (rows.empty()) return text + "  no state\n";
  return text + table(rows);
}

void field(const char* name, std::string_view text, std::string& out) {
  appendQuoted(name, out);
  out += ": ";
  appendQuoted(text, out);
}

void field(const char* name, uint64_t number, std::string& out) {
  appendQuoted(name, out);
  out += ": " + std::to_string(number);
}

void appendJson(const StateSummary& state, std::string& out) {
  out += "        {";
  field("name", state.name, out);
  field("kind", state.kind, out += ", ");
  if (!state.key.empty()) field("key", state.key, out += ", ");
  if (!state.type.empty()) field("type", state.type, out += ", ");
  out += std::string(", \"expires\": ") + (state.expires ? "true" : "false");
  field("entries", state.entries, out += ", ");
  field("bytes", state.bytes, out += ", ");
  out += "}";
}

void appendJson(const OperatorSummary& op, std::string& out) {
  out += "    {";
  field("name", op.name, out);
  if (!op.uid.empty()) field("uid", op.uid, out += ", ");
  field("id", toString(op.id), out += ", ");
  field("parallelism", op.parallelism, out += ", ");
  field("maxParallelism", op.maxParallelism, out += ", ");
  field("finishedSubtasks", op.finished, out += ", ");
  field("enumeratorBytes", op.enumeratorBytes, out += ", ");
  out += ",\n      \"states\": [";
  for (size_t i = 0; i < op.states.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    appendJson(op.states[i], out);
  }
  out += op.states.empty() ? "]}" : "\n      ]}";
}

}  // namespace

CheckpointSummary summarize(CheckpointFiles& files) {
  const CheckpointMetadata& metadata = files.metadata();
  CheckpointSummary summary{.id = metadata.id,
                            .isSavepoint = metadata.kind == CheckpointKind::kSavepoint,
                            .triggered = metadata.triggered,
                            .jobName = metadata.jobName,
                            .folder = metadata.folder,
                            .bytes = metadata.stateBytes()};
  for (const ChannelSnapshot& channel : metadata.channels) summary.inFlightBytes += channel.elements.length;
  summary.bytes -= summary.inFlightBytes;
  for (const OperatorSnapshot& op : metadata.operators) summary.operators.push_back(summarize(files, op));
  return summary;
}

std::string toText(const CheckpointSummary& summary) {
  std::string text =
      std::string(summary.isSavepoint ? "savepoint " : "checkpoint ") + std::to_string(summary.id.value) +
      " of job '" + summary.jobName + "', " + toString(summary.triggered) + "\n" + summary.folder + ": " +
      counted(summary.operators.size(), "operator") + ", " + sized(summary.bytes) + " of state";
  if (summary.inFlightBytes > 0) text += ", " + sized(summary.inFlightBytes) + " on their way between tasks";
  text += "\n";
  for (const OperatorSummary& op : summary.operators) text += "\n" + toText(op);
  return text;
}

std::string toJson(const CheckpointSummary& summary) {
  std::string out = "{\n  ";
  field("kind", summary.isSavepoint ? "savepoint" : "checkpoint", out);
  field("id", summary.id.value, out += ",\n  ");
  field("triggered", toString(summary.triggered), out += ",\n  ");
  field("job", summary.jobName, out += ",\n  ");
  field("folder", summary.folder, out += ",\n  ");
  field("bytes", summary.bytes, out += ",\n  ");
  field("inFlightBytes", summary.inFlightBytes, out += ",\n  ");
  out += ",\n  \"operators\": [";
  for (size_t i = 0; i < summary.operators.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    appendJson(summary.operators[i], out);
  }
  out += summary.operators.empty() ? "]\n}\n" : "\n  ]\n}\n";
  return out;
}

}  // namespace flott
