#include "flott/connectors/postgres/postgres_names.h"

#include <array>
#include <charconv>

#include "flott/base/hash.h"
#include "flott/operators/context.h"

namespace flott {
namespace {

constexpr std::string_view kPrefix = "flott-";

// The parts of a name behind its lineage.
template <size_t n>
std::optional<std::array<std::string_view, n>> partsOf(std::string_view text, std::string_view lineage) {
  const std::string begin = std::string(kPrefix) + std::string(lineage) + "-";
  if (!text.starts_with(begin)) return std::nullopt;
  text.remove_prefix(begin.size());
  std::array<std::string_view, n> parts;
  for (size_t i = 0; i < n; ++i) {
    const size_t end = i + 1 < n ? text.find('-') : text.size();
    if (end == std::string_view::npos || end == 0) return std::nullopt;
    parts[i] = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <typename N>
std::optional<N> numberIn(std::string_view text) {
  N number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

std::string PostgresTransactionName::text() const {
  return std::string(kPrefix) + lineage + "-" + std::to_string(subtask) + "-" + std::to_string(epoch.value) +
         "-" + std::to_string(number);
}

std::optional<PostgresTransactionName> PostgresTransactionName::parse(std::string_view text,
                                                                      std::string_view lineage) {
  const auto parts = partsOf<3>(text, lineage);
  if (!parts) return std::nullopt;
  const auto subtask = numberIn<int>((*parts)[0]);
  const auto epoch = numberIn<uint64_t>((*parts)[1]);
  const auto number = numberIn<uint64_t>((*parts)[2]);
  if (!subtask || *subtask < 0 || !epoch || !number) return std::nullopt;
  return PostgresTransactionName{std::string(lineage), *subtask, CheckpointId(*epoch), *number};
}

std::string PostgresSessionName::text() const {
  return std::string(kPrefix) + lineage + "-" + std::to_string(subtask) + "-" + mark;
}

std::optional<PostgresSessionName> PostgresSessionName::parse(std::string_view text,
                                                              std::string_view lineage) {
  const auto parts = partsOf<2>(text, lineage);
  if (!parts) return std::nullopt;
  const auto subtask = numberIn<int>((*parts)[0]);
  if (!subtask || *subtask < 0) return std::nullopt;
  return PostgresSessionName{std::string(lineage), *subtask, std::string((*parts)[1])};
}

std::string postgresMark(const OperatorInfo& info) {
  uint64_t hash = hashBytes(info.jobId + " " + std::to_string(info.attempt));
  std::string mark;
  for (int i = 0; i < 8; ++i, hash >>= 4) mark += "0123456789abcdef"[hash & 15];
  return mark;
}

std::string postgresNamesLike(std::string_view lineage) {
  return std::string(kPrefix) + std::string(lineage) + "-%";
}

std::string quotedIdentifier(std::string_view name) { return quoted(name, '"'); }

std::string quotedText(std::string_view text) { return quoted(text, '\''); }

}  // namespace flott
