#include "flott/savepoints/state_rows.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/data/describe.h"
#include "flott/data/described_bytes.h"

namespace flott {
namespace {

std::string shownName(const OperatorSnapshot& op) { return op.uid.empty() ? op.name : op.uid; }

/// Of keys that are text or a signed number; nothing for others.
std::optional<uint64_t> hashOfWritten(const TypeDescription& type, const std::string& written) {
  if (type.kind == TypeKind::kString) {
    if (written.find_first_of("\"\\") != std::string::npos) return std::nullopt;
    return std::max<uint64_t>(hashBytes(written), 1);  // tables take 0 for 1
  }
  if (type.kind < TypeKind::kInt8 || type.kind > TypeKind::kInt64) return std::nullopt;
  int64_t number = 0;
  const auto [end, problem] = std::from_chars(written.data(), written.data() + written.size(), number);
  if (problem != std::errc() || end != written.data() + written.size()) return std::nullopt;
  return hashInt64(number);
}

/// As a timer is shown: without a window it has none.
struct ShownTimer {
  Timestamp time;
  std::optional<int64_t> window;
};

class KeyedRows final : public RowSource {
 public:
  KeyedRows(CheckpointFiles& files, const StoredKeyedState& keyed, const StoredKeyedState::State& state)
      : entries_(files, keyed, state), timers_(state.schema.kind == "timers") {
    type_.op = shownName(keyed.op());
    type_.state = state.schema.name;
    type_.key = keyed.key();
    if (state.hasNamespaces()) {
      type_.nameSpaceIsTime = state.schema.kind == "slices";
      type_.nameSpace = type_.nameSpaceIsTime ? "slice_end" : "window";
    }
    type_.valueName = timers_ ? "timers" : "value";
    type_.value = timers_ ? describe<std::vector<ShownTimer>>() : state.schema.value;
    if (state.schema.expires) {
      type_.touched =
          expiresByElement(state.schema) ? describe<std::vector<Timestamp>>() : describe<Timestamp>();
    }
  }

  const StateRowType& type() const override { return type_; }
  void expectKey(const std::string& written) override {
    if (const std::optional<uint64_t> hash = hashOfWritten(*type_.key, written)) entries_.only(*hash);
  }

  bool next(StateRow& row) override {
    if (!entries_.next()) return false;
    row = {.key = entries_.key(),
           .nameSpace = entries_.nameSpace(),
           .value = timers_ ? shownTimers() : entries_.value(),
           .touched = entries_.touched()};
    return true;
  }

 private:
  std::string_view shownTimers() {
    ByteReader in(entries_.value());
    ByteWriter out(shown_);
    shown_.clear();
    const size_t count = in.count(2 * sizeof(int64_t));
    out.varint(count);
    for (size_t i = 0; i < count; ++i) {
      const auto time = in.fixed<int64_t>();
      const auto window = in.fixed<int64_t>();
      Codec<ShownTimer>::encode(
          {Timestamp(time), window == kNoNamespace ? std::nullopt : std::optional(window)}, out);
    }
    return shown_;
  }

  KeyedEntries entries_;
  const bool timers_;
  StateRowType type_;
  std::string shown_;
};

class OperatorRows final : public RowSource {
 public:
  OperatorRows(const OperatorSnapshot& op, const StoredOperatorState& state) : op_(op), state_(state) {
    const std::string name = "state '" + state.name + "' of " + nameOf(op);
    if (!state.type) {
      throw Error(ErrorKind::kUser,
                  name +
                      " was written by a version that did not store its type: start the job from the "
                      "checkpoint, and look at one that it makes");
    }
    if (const TypeDescription* unknown = undescribedPart(*state.type)) {
      throw Error(ErrorKind::kUser,
                  name + " has values of type " + unknown->toString() +
                      ", whose bytes only the program's own codec can decode: read it with a "
                      "SavepointReader in that program");
    }
    type_.op = shownName(op);
    type_.state = state.name;
    type_.valueName = "value";
    if (state.redistribution == Redistribution::kBroadcast) {
      if (state.type->kind != TypeKind::kMap)
        throw Error(ErrorKind::kCorruption, name + " is a broadcast state, but no map");
      type_.key = state.type->parts[0];
      type_.value = state.type->parts[1];
    } else {
      type_.hasSubtask = true;
      type_.value = *state.type;
    }
  }

  const StateRowType& type() const override { return type_; }

  bool next(StateRow& row) override {
    if (at_ == state_.items.size()) return false;
    const StoredOperatorState::Item& item = state_.items[at_++];
    try {
      ByteReader in(item.bytes);
      if (type_.key) skipValue(*type_.key, in);
      const std::string_view bytes = item.bytes;
      row = {
          .key = bytes.substr(0, in.offset()), .subtask = item.subtask, .value = bytes.substr(in.offset())};
      skipValue(type_.value, in);
      if (!in.atEnd()) in.fail("has bytes left over");
    } catch (Error& error) {
      throw std::move(error).at("state '" + state_.name + "'").at(nameOf(op_));
    }
    return true;
  }

 private:
  const OperatorSnapshot& op_;
  const StoredOperatorState& state_;
  StateRowType type_;
  size_t at_ = 0;
};

void appendValue(const TypeDescription& type, std::string_view bytes, std::string& out) {
  ByteReader in(bytes);
  appendJson(type, in, out);
}

void appendTime(int64_t ms, std::string& out) {
  std::string bytes;
  ByteWriter(bytes).fixed(ms);
  appendValue(describe<Timestamp>(), bytes, out);
}

void appendName(std::string_view name, std::string& out) {
  if (out.back() != '{') out += ',';
  appendQuoted(name, out);
  out += ':';
}

void appendColumns(const StateRowType& type, const StateRow& row, std::string& out) {
  if (type.hasSubtask) {
    appendName("subtask", out);
    out += std::to_string(row.subtask);
  }
  if (type.key) {
    appendName("key", out);
    appendValue(*type.key, row.key, out);
  }
  if (!type.nameSpace.empty()) {
    appendName(type.nameSpace, out);
    if (type.nameSpaceIsTime || row.nameSpace == kNoNamespace) {
      appendTime(row.nameSpace, out);
    } else {
      out += std::to_string(row.nameSpace);
    }
  }
  appendName(type.valueName, out);
  appendValue(type.value, row.value, out);
  if (type.touched) {
    appendName("touched", out);
    appendValue(*type.touched, row.touched, out);
  }
}

/// JSON as this writes it.
std::string withoutSpaces(const std::string& json) {
  std::string text;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (quoted && json[i] == '\\' && i + 1 < json.size()) text += json[i++];
    if (json[i] == '"') quoted = !quoted;
    if (quoted || json[i] != ' ') text += json[i];
  }
  return text;
}

/// Gathers text and hands it on in pieces.
class TextRows : public RowFormat {
 public:
  TextRows(const StateRowType& type, ByteOutput& output) : type_(type), output_(output) {}
  void end() override {
    if (!text_.empty()) output_(text_);
    text_.clear();
  }

 protected:
  void rowEnds() {
    text_ += '\n';
    if (text_.size() >= kTextAtOnce) TextRows::end();
  }

  const StateRowType& type_;
  std::string text_;

 private:
  ByteOutput& output_;
};

class JsonRows final : public TextRows {
 public:
  using TextRows::TextRows;
  void row(const StateRow& row) override {
    text_ += '{';
    appendName("operator", text_);
    appendQuoted(validUtf8(type_.op), text_);
    appendName("state", text_);
    appendQuoted(validUtf8(type_.state), text_);
    appendColumns(type_, row, text_);
    text_ += '}';
    rowEnds();
  }
};

class CsvRows final : public TextRows {
 public:
  CsvRows(const StateRowType& type, ByteOutput& output) : TextRows(type, output) {
    if (type.hasSubtask) cell("subtask");
    if (type.key) header(*type.key, "key");
    if (!type.nameSpace.empty()) cell(type.nameSpace);
    header(type.value, type.valueName);
    if (type.touched) cell("touched");
    lineEnds();
  }

  void row(const StateRow& row) override {
    if (type_.hasSubtask) cell(std::to_string(row.subtask));
    if (type_.key) value(*type_.key, row.key);
    if (!type_.nameSpace.empty()) nameSpace(row);
    value(type_.value, row.value);
    if (type_.touched) value(*type_.touched, row.touched);
    lineEnds();
  }

 private:
  void header(const TypeDescription& type, const std::string& name) {
    for (const CellColumn& column : cellColumns(type, name)) cell(column.name);
  }
  void value(const TypeDescription& type, std::string_view bytes) {
    cells_.clear();
    ByteReader in(bytes);
    appendCells(type, in, cells_);
    for (const std::string& text : cells_) cell(text);
  }
  void nameSpace(const StateRow& row) {
    if (row.nameSpace == kNoNamespace) return cell("");
    cell(type_.nameSpaceIsTime ? toString(Timestamp(row.nameSpace)) : std::to_string(row.nameSpace));
  }
  void cell(std::string_view text) {
    if (!first_) text_ += ',';
    first_ = false;
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      text_ += text;
      return;
    }
    text_ += '"';
    for (const char c : text) text_.append(c == '"' ? 2 : 1, c);
    text_ += '"';
  }
  void lineEnds() {
    first_ = true;
    rowEnds();
  }

  std::vector<std::string> cells_;
  bool first_ = true;
};

}  // namespace

std::unique_ptr<RowSource> rowsOf(CheckpointFiles& files, const StoredKeyedState& keyed,
                                  const StoredKeyedState::State& state) {
  return std::make_unique<KeyedRows>(files, keyed, state);
}

std::unique_ptr<RowSource> rowsOf(const OperatorSnapshot& op, const StoredOperatorState& state) {
  return std::make_unique<OperatorRows>(op, state);
}

std::unique_ptr<RowFormat> jsonRows(const StateRowType& type, ByteOutput& output) {
  return std::make_unique<JsonRows>(type, output);
}

std::unique_ptr<RowFormat> csvRows(const StateRowType& type, ByteOutput& output) {
  return std::make_unique<CsvRows>(type, output);
}

bool isKey(const StateRowType& type, std::string_view key, const std::string& written) {
  if (!type.key) return false;
  std::string json;
  appendValue(*type.key, key, json);
  if (json == written) return true;
  std::string quoted;
  appendQuoted(written, quoted);
  if (json == quoted) return true;
  return !written.empty() && (written[0] == '{' || written[0] == '[') && json == withoutSpaces(written);
}

}  // namespace flott
