#include "flott/state/operator_state.h"

#include <algorithm>
#include <iterator>

#include "flott/base/error.h"
#include "flott/data/migration.h"
#include "flott/data/type_description.h"
#include "flott/state/format_version.h"

namespace flott {

namespace {

// The first format began with the number of states, which was never 0.
constexpr uint64_t kNotTheFirstFormat = 0;
constexpr uint64_t kVersion = 2;

enum StateFlags : uint8_t { kTyped = 1 };

std::string print(Redistribution redistribution, const TypeDescription& type) {
  std::string of = type.toString();
  switch (redistribution) {
    case Redistribution::kSplit:
      return "list state of " + of;
    case Redistribution::kUnion:
      return "union list state of " + of;
    case Redistribution::kBroadcast:
      return "broadcast state of " + of;
  }
  return of;
}

/// All that the subtasks had under one name and type; of a broadcast state what the first of them had.
std::vector<OperatorStateImage::State> merged(std::span<const OperatorStateImage> images) {
  std::map<std::string, std::vector<OperatorStateImage::State>> all;
  for (const OperatorStateImage& image : images) {
    for (const OperatorStateImage::State& state : image.states) {
      std::vector<OperatorStateImage::State>& known = all[state.name];
      if (!known.empty() && known[0].redistribution != state.redistribution) {
        throw Error(ErrorKind::kCorruption,
                    "subtasks differ in how state '" + state.name + "' is redistributed");
      }
      if (!known.empty() && state.redistribution == Redistribution::kBroadcast) continue;
      const auto sum = std::find_if(known.begin(), known.end(), [&](const OperatorStateImage::State& other) {
        return other.type == state.type;
      });
      if (sum == known.end()) {
        known.push_back(state);
      } else {
        sum->items.insert(sum->items.end(), state.items.begin(), state.items.end());
      }
    }
  }
  std::vector<OperatorStateImage::State> flat;
  for (auto& [name, states] : all) std::move(states.begin(), states.end(), std::back_inserter(flat));
  return flat;
}

/// How the items of a state are encoded.
TypeDescription itemType(Redistribution redistribution, TypeDescription type) {
  if (redistribution == Redistribution::kBroadcast) type.kind = TypeKind::kTuple;
  return type;
}

void load(OperatorState& state, const OperatorStateImage::State& stored) {
  const TypeDescription& now = state.type().description();
  const Compatibility fit = stored.type ? compare(*stored.type, now) : Compatibility();
  if (fit.verdict == Compatibility::Verdict::kIncompatible) {
    if (fit.problem.starts_with("field ")) {
      throw Error(ErrorKind::kUser, "state '" + stored.name + "' does not fit the snapshot: " + fit.problem +
                                        ". Keep the field's type, or give it another name: it then begins "
                                        "with its default");
    }
    throw Error(ErrorKind::kUser, "state '" + stored.name + "' is " +
                                      print(stored.redistribution, *stored.type) + " in the snapshot and " +
                                      print(state.redistribution(), now) +
                                      " in the program: keep its type, or give the state another name to "
                                      "begin it anew");
  }
  if (fit.verdict == Compatibility::Verdict::kSame) {
    for (const std::string& item : stored.items) state.decodeItem(item);
    return;
  }
  const Migration migration(itemType(stored.redistribution, *stored.type),
                            itemType(stored.redistribution, now));
  std::string rewritten;
  for (const std::string& item : stored.items) {
    rewritten.clear();
    ByteReader in(item);
    ByteWriter out(rewritten);
    migration.run(in, out);
    state.decodeItem(rewritten);
  }
}

}  // namespace

void OperatorStateImage::encode(ByteWriter& out) const {
  out.varint(kNotTheFirstFormat);
  out.varint(kVersion);
  out.varint(states.size());
  for (const State& state : states) {
    out.string(state.name);
    out.fixed(static_cast<uint8_t>(state.redistribution));
    out.fixed(static_cast<uint8_t>(state.type ? kTyped : 0));
    if (state.type) state.type->encode(out);
    out.varint(state.items.size());
    for (const std::string& item : state.items) out.string(item);
  }
}

OperatorStateImage OperatorStateImage::decode(ByteReader& in) {
  OperatorStateImage image;
  const bool first = !in.atEnd() && *ByteReader(in).raw(1) != kNotTheFirstFormat;
  if (!first) {
    in.varint();
    const uint64_t version = in.varint();
    if (version > kVersion) failNewerFormat("operator state", version, kVersion);
    if (version < kVersion) in.fail("is no state of an operator");
  }
  image.states.resize(in.count(3));
  for (State& state : image.states) {
    state.name = in.string();
    const auto redistribution = in.fixed<uint8_t>();
    if (redistribution > static_cast<uint8_t>(Redistribution::kBroadcast)) {
      in.fail("holds a state with an unknown redistribution");
    }
    state.redistribution = static_cast<Redistribution>(redistribution);
    const uint8_t flags = first ? uint8_t{0} : in.fixed<uint8_t>();
    if (flags > kTyped) in.fail("has a state with flags that this program does not know");
    if (flags == kTyped) state.type = TypeDescription::decode(in);
    state.items.resize(in.count());
    for (std::string& item : state.items) item = in.string();
  }
  return image;
}

std::vector<OperatorStateImage> split(std::span<const OperatorStateImage> old, size_t parallelism) {
  std::vector<OperatorStateImage> result(parallelism);
  for (const OperatorStateImage::State& all : merged(old)) {
    size_t next = 0;
    for (size_t subtask = 0; subtask < parallelism; ++subtask) {
      OperatorStateImage::State& share = result[subtask].states.emplace_back();
      if (all.redistribution != Redistribution::kSplit) {
        share = all;
        continue;
      }
      share.name = all.name;
      share.type = all.type;
      const size_t count = all.items.size() / parallelism + (subtask < all.items.size() % parallelism);
      const auto first = all.items.begin() + static_cast<ptrdiff_t>(next);
      share.items.assign(first, first + static_cast<ptrdiff_t>(count));
      next += count;
    }
  }
  return result;
}

OperatorStateBackend::OperatorStateBackend(OperatorStateImage restored)
    : isRestored_(!restored.states.empty()) {
  for (OperatorStateImage::State& state : restored.states) {
    std::string name = state.name;
    restored_.emplace(std::move(name), std::move(state));
  }
}

void OperatorStateBackend::failNoTtl(const std::string& name) {
  throw Error(ErrorKind::kUser, "broadcast state '" + name +
                                    "' has a time to live: only keyed state expires; remove .ttl(…) from its "
                                    "descriptor");
}

OperatorState* OperatorStateBackend::find(const std::string& name, Redistribution redistribution,
                                          const TypeOps& type) const {
  const auto found = states_.find(name);
  if (found == states_.end()) return nullptr;
  OperatorState& state = *found->second;
  if (state.redistribution() != redistribution || &state.type() != &type) {
    throw Error(ErrorKind::kUser, "state '" + name + "' is registered as " +
                                      print(state.redistribution(), state.type().description()) +
                                      " and again as " + print(redistribution, type.description()) +
                                      ": give each state of an operator a name of its own");
  }
  return &state;
}

OperatorState& OperatorStateBackend::add(const std::string& name, std::unique_ptr<OperatorState> state) {
  const auto [first, last] = restored_.equal_range(name);
  for (auto stored = first; stored != last; ++stored) {
    if (stored->second.redistribution != state->redistribution()) {
      throw Error(ErrorKind::kUser,
                  "state '" + name + "' is registered as " +
                      print(state->redistribution(), state->type().description()) +
                      ", but the snapshot has it with another redistribution: give it a new name");
    }
    load(*state, stored->second);
  }
  restored_.erase(first, last);
  return *states_.emplace(name, std::move(state)).first->second;
}

bool OperatorStateBackend::hasUnionList() const {
  const auto isUnion = [](Redistribution redistribution) { return redistribution == Redistribution::kUnion; };
  return std::any_of(states_.begin(), states_.end(),
                     [&](const auto& state) { return isUnion(state.second->redistribution()); }) ||
         std::any_of(restored_.begin(), restored_.end(),
                     [&](const auto& state) { return isUnion(state.second.redistribution); });
}

OperatorStateImage OperatorStateBackend::snapshot() const {
  std::multimap<std::string, OperatorStateImage::State> all = restored_;
  for (const auto& [name, state] : states_) {
    all.emplace(name, OperatorStateImage::State{name, state->redistribution(), state->type().description(),
                                                state->encodeItems()});
  }
  OperatorStateImage image;
  for (auto& [name, state] : all) image.states.push_back(std::move(state));
  return image;
}

}  // namespace flott
