#include "flott/savepoints/comparison.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/running_hash.h"
#include "flott/data/described_bytes.h"
#include "flott/savepoints/operator_states.h"

namespace flott {
namespace {

struct Tally {
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t changed = 0;

  bool same() const { return added + removed + changed == 0; }
};

/// Lines under the names of operator and state, which are written before the first of them only.
class Report {
 public:
  Report(ByteOutput& output, bool summary) : output_(output), summary_(summary) {}

  bool same() const { return same_; }
  void enterOperator(const std::string& name) { operator_ = name; }
  void enterState(const std::string& name) { state_ = name; }

  /// About the operator itself.
  void note(const std::string& text) {
    heading();
    line("  " + text);
  }
  void stateNote(const std::string& text) {
    heading();
    line("  state '" + state_ + "' " + text);
    state_.clear();
  }
  void entry(const std::string& text) {
    if (summary_) return;
    heading();
    if (!state_.empty()) line("  state '" + state_ + "'");
    state_.clear();
    line("    " + text);
  }
  void tally(const std::string& state, const Tally& tally) {
    if (tally.same()) return;
    const std::string counts = std::to_string(tally.added) + " added, " + std::to_string(tally.removed) +
                               " removed, " + std::to_string(tally.changed) + " changed";
    if (!summary_) return line("    " + counts);
    heading();
    line("  state '" + state + "': " + counts);
  }
  void flush() {
    if (!text_.empty()) output_(text_);
    text_.clear();
  }

 private:
  void heading() {
    if (!operator_.empty()) line(operator_);
    operator_.clear();
  }
  void line(const std::string& text) {
    same_ = false;
    (text_ += text) += '\n';
    if (text_.size() >= kTextAtOnce) flush();
  }

  ByteOutput& output_;
  const bool summary_;
  bool same_ = true;
  std::string operator_;
  std::string state_;
  std::string text_;
};

std::string valueText(const TypeDescription& type, std::string_view bytes) {
  std::string json;
  ByteReader in(bytes);
  appendJson(type, in, json);
  return json;
}

std::string contentOf(const StateRowType& type, const StateRow& row) {
  std::string text = valueText(type.value, row.value);
  if (type.touched) text += " (touched " + valueText(*type.touched, row.touched) + ")";
  return text;
}

std::string identityOf(const StateRowType& type, const StateRow& row) {
  std::string text = valueText(*type.key, row.key);
  if (type.nameSpace.empty() || row.nameSpace == kNoNamespace) return text;
  return text + " @ " +
         (type.nameSpaceIsTime ? toString(Timestamp(row.nameSpace)) : std::to_string(row.nameSpace));
}

/// The rows of one side, with the order in which they must come.
class Side {
 public:
  explicit Side(std::unique_ptr<RowSource> rows) : rows_(std::move(rows)) { next(); }

  bool atEnd() const { return atEnd_; }
  const StateRow& row() const { return row_; }
  const StateRowType& type() const { return rows_->type(); }
  bool before(const Side& other) const {
    return std::tie(row_.nameSpace, hash_, row_.key) <
           std::tie(other.row_.nameSpace, other.hash_, other.row_.key);
  }
  void next() {
    const int64_t nameSpace = row_.nameSpace;
    const uint64_t hash = hash_;
    atEnd_ = !rows_->next(row_);
    if (atEnd_) return;
    ByteReader in(row_.key);
    hash_ = std::max<uint64_t>(hashOfKey(*type().key, in), 1);  // tables take 0 for 1
    if (std::tie(row_.nameSpace, hash_) < std::tie(nameSpace, hash)) {
      throw Error(ErrorKind::kCorruption,
                  "state '" + type().state + "' of '" + type().op + "' is not in the order of the key hash");
    }
  }

 private:
  std::unique_ptr<RowSource> rows_;
  StateRow row_;
  uint64_t hash_ = 0;
  bool atEnd_ = false;
};

Tally compareKeyed(std::unique_ptr<RowSource> before, std::unique_ptr<RowSource> after, Report& report) {
  Tally tally;
  Side a(std::move(before)), b(std::move(after));
  while (!a.atEnd() || !b.atEnd()) {
    if (b.atEnd() || (!a.atEnd() && a.before(b))) {
      ++tally.removed;
      report.entry("- " + identityOf(a.type(), a.row()) + ": " + contentOf(a.type(), a.row()));
      a.next();
    } else if (a.atEnd() || b.before(a)) {
      ++tally.added;
      report.entry("+ " + identityOf(b.type(), b.row()) + ": " + contentOf(b.type(), b.row()));
      b.next();
    } else {
      if (a.row().value != b.row().value || a.row().touched != b.row().touched) {
        ++tally.changed;
        report.entry("~ " + identityOf(a.type(), a.row()) + ": " + contentOf(a.type(), a.row()) + " -> " +
                     contentOf(b.type(), b.row()));
      }
      a.next();
      b.next();
    }
  }
  return tally;
}

using Items = std::map<std::string, std::vector<std::string>>;  // what tells them apart, and the rest

Items itemsOf(RowSource& rows) {
  Items items;
  for (StateRow row; rows.next(row);) {
    if (rows.type().key) {
      items[std::string(row.key)].emplace_back(row.value);
    } else {
      items[std::string(row.value)].emplace_back();
    }
  }
  return items;
}

Tally compareLists(RowSource& before, RowSource& after, Report& report) {
  Tally tally;
  const StateRowType& type = before.type();
  const auto text = [&](const std::string& item, const std::string& value) {
    return type.key ? valueText(*type.key, item) + ": " + valueText(type.value, value)
                    : valueText(type.value, item);
  };
  const Items a = itemsOf(before), b = itemsOf(after);
  std::set<std::string> all;
  for (const Items* items : {&a, &b}) {
    for (const auto& [item, values] : *items) all.insert(item);
  }
  static const std::vector<std::string> kNone;
  for (const std::string& item : all) {
    const auto inA = a.find(item), inB = b.find(item);
    const std::vector<std::string>& was = inA == a.end() ? kNone : inA->second;
    const std::vector<std::string>& is = inB == b.end() ? kNone : inB->second;
    const size_t both = std::min(was.size(), is.size());
    for (size_t i = 0; i < both; ++i) {
      if (was[i] == is[i]) continue;
      ++tally.changed;
      report.entry("~ " + text(item, was[i]) + " -> " + valueText(type.value, is[i]));
    }
    for (size_t i = both; i < was.size(); ++i, ++tally.removed) report.entry("- " + text(item, was[i]));
    for (size_t i = both; i < is.size(); ++i, ++tally.added) report.entry("+ " + text(item, is[i]));
  }
  return tally;
}

/// Of keyed state that nobody here can decode: all its bytes in their order, which the sizes of pieces do not
/// change.
uint64_t hashOfPieces(CheckpointFiles& files, const OperatorSnapshot& op,
                      const StoredKeyedState::State& state) {
  RunningHash hash;
  int64_t nameSpace = kNoNamespace;
  for (KeyedPieces pieces(files, op, state); pieces.next();) {
    if (pieces.piece().nameSpace != nameSpace) {
      nameSpace = pieces.piece().nameSpace;
      hash.add({reinterpret_cast<const char*>(&nameSpace), sizeof nameSpace});
    }
    hash.add(pieces.bytes());
  }
  return hash.value();
}

uint64_t hashOfItems(const StoredOperatorState& state) {
  std::multiset<std::string> items;
  for (const StoredOperatorState::Item& item : state.items) items.insert(item.bytes);
  RunningHash hash;
  for (const std::string& item : items) hash.add(item + '\0');
  return hash.value();
}

class Comparison {
 public:
  Comparison(CheckpointFiles& before, CheckpointFiles& after, Report& report)
      : before_(before), after_(after), report_(report) {}

  void compareOperators(const OperatorSnapshot& was, const OperatorSnapshot& is) {
    report_.enterOperator(nameOf(was));
    if (was.maxParallelism != is.maxParallelism) {
      report_.note("max parallelism " + std::to_string(was.maxParallelism) + " -> " +
                   std::to_string(is.maxParallelism));
    }
    if (was.enumerator != is.enumerator) {
      report_.note("the source enumerator's state differs (" + std::to_string(was.enumerator.size()) +
                   " -> " + std::to_string(is.enumerator.size()) + " bytes)");
    }
    OperatorStates a(before_, was), b(after_, is);
    std::set<std::string> names;
    for (const OperatorStates* states : {&a, &b}) {
      for (const std::string& name : states->names()) names.insert(name);
    }
    for (const std::string& name : names) compareStates(name, a, b);
  }

  void onlyOne(const OperatorSnapshot& op, bool isBefore) {
    if (!op.hasState()) return;
    report_.enterOperator(nameOf(op));
    report_.note(isBefore ? "is only in the first checkpoint" : "is only in the second checkpoint");
  }

 private:
  /// A state of one side, or of an operator that was restored with another type, a part of it.
  struct Variant {
    std::string type;
    const StoredKeyedState::State* keyed = nullptr;
    const StoredOperatorState* list = nullptr;
  };
  static std::vector<Variant> variantsOf(const OperatorStates& states, const std::string& name) {
    std::vector<Variant> all;
    for (const StoredKeyedState::State& state : states.keyed().find(name))
      all.push_back({.type = typeOf(states.keyed(), state), .keyed = &state});
    for (const StoredOperatorState& state : states.lists()) {
      if (state.name == name) all.push_back({.type = typeOf(state), .list = &state});
    }
    return all;
  }

  void compareStates(const std::string& name, OperatorStates& a, OperatorStates& b) {
    report_.enterState(name);
    const std::vector<Variant> was = variantsOf(a, name), is = variantsOf(b, name);
    if (was.empty() || is.empty()) {
      return report_.stateNote(was.empty() ? "is only in the second checkpoint"
                                           : "is only in the first checkpoint");
    }
    if (was.size() == 1 && is.size() == 1 && was[0].type != is[0].type)
      return report_.stateNote("was " + was[0].type + " and is " + is[0].type);
    const auto find = [](const std::vector<Variant>& all, const std::string& type) {
      return std::find_if(all.begin(), all.end(), [&](const Variant& v) { return v.type == type; });
    };
    for (const Variant& variant : was) {
      report_.enterState(name);
      const auto other = find(is, variant.type);
      if (other == is.end()) {
        report_.stateNote("is " + variant.type + " only in the first checkpoint");
      } else {
        compareVariants(name, a.keyed(), variant, b.keyed(), *other);
      }
    }
    for (const Variant& variant : is) {
      report_.enterState(name);
      if (find(was, variant.type) == was.end())
        report_.stateNote("is " + variant.type + " only in the second checkpoint");
    }
  }

  void compareVariants(const std::string& name, const StoredKeyedState& keyedA, const Variant& a,
                       const StoredKeyedState& keyedB, const Variant& b) {
    const bool keyed = a.keyed != nullptr;
    const bool opaque =
        keyed ? undescribedPart(a.keyed->schema.value) != nullptr || undescribedPart(*keyedA.key()) != nullptr
              : !a.list->type || undescribedPart(*a.list->type) != nullptr;
    if (opaque) {
      const bool same =
          keyed ? hashOfPieces(before_, keyedA.op(), *a.keyed) == hashOfPieces(after_, keyedB.op(), *b.keyed)
                : hashOfItems(*a.list) == hashOfItems(*b.list);
      if (!same) report_.stateNote("differs, in entries that only its program can decode");
      return;
    }
    report_.tally(
        name, keyed
                  ? compareKeyed(rowsOf(before_, keyedA, *a.keyed), rowsOf(after_, keyedB, *b.keyed), report_)
                  : compareLists(*rowsOf(keyedA.op(), *a.list), *rowsOf(keyedB.op(), *b.list), report_));
  }

  CheckpointFiles& before_;
  CheckpointFiles& after_;
  Report& report_;
};

const OperatorSnapshot* findById(const CheckpointMetadata& checkpoint, OperatorId id) {
  for (const OperatorSnapshot& op : checkpoint.operators) {
    if (op.id == id) return &op;
  }
  return nullptr;
}

/// It may be in one of them only.
OperatorId idOf(const CheckpointMetadata& before, const CheckpointMetadata& after, const std::string& which) {
  try {
    return findOperator(before, which).id;
  } catch (const Error&) {
    return findOperator(after, which).id;
  }
}

}  // namespace

bool compareCheckpoints(CheckpointFiles& before, CheckpointFiles& after, const ComparisonOptions& options,
                        ByteOutput& output) {
  const CheckpointMetadata &a = before.metadata(), &b = after.metadata();
  std::optional<OperatorId> only;
  if (!options.op.empty()) only = idOf(a, b, options.op);
  Report report(output, options.summary);
  Comparison comparison(before, after, report);
  for (const OperatorSnapshot& op : a.operators) {
    if (only && op.id != *only) continue;
    if (const OperatorSnapshot* other = findById(b, op.id)) {
      comparison.compareOperators(op, *other);
    } else {
      comparison.onlyOne(op, true);
    }
  }
  for (const OperatorSnapshot& op : b.operators) {
    if (only && op.id != *only) continue;
    if (findById(a, op.id) == nullptr) comparison.onlyOne(op, false);
  }
  report.flush();
  return report.same();
}

}  // namespace flott
