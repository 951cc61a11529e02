#include "flott/state/operator_state.h"

#include "flott/base/error.h"
#include "flott/data/type_description.h"

namespace flott {

namespace {

// The first format began with the number of states, which was never 0.
constexpr uint64_t kNotTheFirstFormat = 0;
constexpr uint64_t kVersion = 2;

enum StateFlags : uint8_t { kTyped = 1 };

std::string print(Redistribution redistribution, const TypeOps& type) {
  std::string of = type.description().toString();
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

void checkFits(const std::string& name, const TypeDescription& stored, const TypeDescription& now) {
  const Compatibility fit = compare(stored, now);
  if (fit.verdict == Compatibility::Verdict::kSame) return;
  throw Error(ErrorKind::kUser, "state '" + name + "' is of " + stored.toString() +
                                    " in the snapshot and of " + now.toString() + " in the program" +
                                    (fit.problem.empty() ? "" : " (" + fit.problem + ")") +
                                    ": keep its type, or give the state another name to begin it anew");
}

/// All that the subtasks had under one name; of a broadcast state what the first of them had.
using StatesByName = std::map<std::string, OperatorStateImage::State>;

StatesByName merged(std::span<const OperatorStateImage> images) {
  StatesByName all;
  for (const OperatorStateImage& image : images) {
    for (const OperatorStateImage::State& state : image.states) {
      const auto [at, added] = all.try_emplace(state.name, state);
      if (added) continue;
      OperatorStateImage::State& sum = at->second;
      if (sum.redistribution != state.redistribution) {
        throw Error(ErrorKind::kCorruption,
                    "subtasks differ in how state '" + state.name + "' is redistributed");
      }
      if (!sum.type) {
        sum.type = state.type;
      } else if (state.type && *state.type != *sum.type) {
        throw Error(ErrorKind::kCorruption, "subtasks differ in the type of state '" + state.name + "'");
      }
      if (state.redistribution == Redistribution::kBroadcast) continue;
      sum.items.insert(sum.items.end(), state.items.begin(), state.items.end());
    }
  }
  return all;
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
    if (in.varint() != kVersion) in.fail("has a format that is newer than this program");
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
  for (auto& [name, all] : merged(old)) {
    size_t next = 0;
    for (size_t subtask = 0; subtask < parallelism; ++subtask) {
      OperatorStateImage::State& share = result[subtask].states.emplace_back();
      if (all.redistribution != Redistribution::kSplit) {
        share = all;
        continue;
      }
      share.name = name;
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
                                      print(state.redistribution(), state.type()) + " and again as " +
                                      print(redistribution, type) +
                                      ": give each state of an operator a name of its own");
  }
  return &state;
}

OperatorState& OperatorStateBackend::add(const std::string& name, std::unique_ptr<OperatorState> state) {
  if (const auto stored = restored_.find(name); stored != restored_.end()) {
    if (stored->second.redistribution != state->redistribution()) {
      throw Error(ErrorKind::kUser,
                  "state '" + name + "' is registered as " + print(state->redistribution(), state->type()) +
                      ", but the snapshot has it with another redistribution: give it a new name");
    }
    if (stored->second.type) checkFits(name, *stored->second.type, state->type().description());
    for (const std::string& item : stored->second.items) state->decodeItem(item);
    restored_.erase(stored);
  }
  return *states_.emplace(name, std::move(state)).first->second;
}

OperatorStateImage OperatorStateBackend::snapshot() const {
  std::map<std::string, OperatorStateImage::State> all = restored_;
  for (const auto& [name, state] : states_) {
    all[name] = {name, state->redistribution(), state->type().description(), state->encodeItems()};
  }
  OperatorStateImage image;
  for (auto& [name, state] : all) image.states.push_back(std::move(state));
  return image;
}

}  // namespace flott
