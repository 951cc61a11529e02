#include "flott/state/keyed_backend.h"

#include <algorithm>
#include <map>
#include <utility>

#include "flott/data/type_description.h"

namespace flott {
namespace {

/// A stored state that the program's cannot go on from.
Error misfit(const std::string& name, const std::string& kind, const TypeDescription& stored,
             const char* kindNow, const TypeDescription& now, const std::string& problem) {
  if (kind == kindNow && problem.starts_with("field ")) {
    return Error(ErrorKind::kUser,
                 "state '" + name + "' does not fit the snapshot: " + problem +
                     ". Keep the field's type, or give it another name: it then begins with "
                     "its default");
  }
  return Error(ErrorKind::kUser, "state '" + name + "' is " + kind + " of " + stored.toString() +
                                     " in the snapshot and " + kindNow + " of " + now.toString() +
                                     " in the program" + (problem.empty() ? "" : " (" + problem + ")") +
                                     ": keep its type, or give the state another name to begin it anew");
}

void handOver(const std::string& name, const RestoredKeyedState::State& state, uint32_t variant,
              SegmentSink& sink) {
  if (!state.undivided.empty()) {
    throw Error(ErrorKind::kUser,
                "state '" + name + "' was restored with more key groups than it was written with, and its " +
                    state.value.toString() +
                    " can only be told apart once it is registered: register it in "
                    "open(), or keep the max parallelism");
  }
  for (const RestoredKeyedState::Piece& piece : state.pieces) {
    sink.take({name, piece.nameSpace, piece.keyGroup, piece.firstHash, piece.entries, piece.bytes, variant,
               /*restored=*/true});
  }
}

}  // namespace

void KeyedHandle::failNoKey() const {
  if (key_ == nullptr) {
    throw Error(
        ErrorKind::kUser,
        "a state handle was used that no state was assigned to: get it in open() from the runtime context");
  }
  throw Error(ErrorKind::kUser,
              "state '" + std::string(table_->name()) +
                  "' was used where there is no current key: keyed state can be used while a "
                  "record or a timer is worked on, not in open() or close()");
}

KeyedStateBackend::KeyedStateBackend(const TypeOps& key, const Options& options, RestoredKeyedState restored)
    : key_(key),
      home_(options.keyGroups, options.maxParallelism, options.memoryLimit),
      cold_(options.cold != nullptr ? std::make_unique<ColdSide>(options.cold, options.cacheBytes) : nullptr),
      keepCold_(options.keepCold),
      meter_(options.meter),
      restoredCold_(options.coldStates),
      restored_(std::move(restored)),
      now_(options.processingTime) {
  checkMaxParallelism(options.maxParallelism);
  if (restored_.key() && *restored_.key() != key.description()) {
    throw Error(ErrorKind::kUser, "the snapshot has keys of type " + restored_.key()->toString() +
                                      ", the program of type " + key.description().toString() +
                                      ": the type of a key cannot change; give the operator another uid to "
                                      "start without this state");
  }
  restored_.divide(key);
  for (const ColdImage::State& state : restoredCold_) {
    (void)variantOf(state.schema);
    cold_->continueAfter(state.number);
  }
  setProcessingTime(options.processingTime);
  releaseCold();
}

KeyedStateBackend::~KeyedStateBackend() = default;

KeyedStateBackend::State::State(const std::string& stateName, const Kind& stateKind, const StateTtl& ttl,
                                KeyedStateBackend& home)
    : name(stateName),
      kind(stateKind),
      tables(name, home.key_, ttl.enabled() ? *kind.expiring->stored : *kind.plain, home.home_,
             home.placeFor(name, kind, ttl.enabled())),
      expiry(ttl.enabled() ? std::make_unique<Expiry>(ttl, *kind.expiring, tables, home.now_) : nullptr),
      times(home.meter_ != nullptr ? home.meter_->timesOf(name) : nullptr),
      extras{.expiry = expiry.get(), .times = times.get()} {}

std::vector<KeyedStateBackend::Size> KeyedStateBackend::sizes() const {
  std::vector<Size> all;
  for (const auto& [name, state] : states_)
    all.push_back({.state = name, .entries = state->tables.entries(), .bytes = state->tables.bytes()});
  return all;
}

KeyedStateBackend::State& KeyedStateBackend::registered(const std::string& name, const Kind& kind,
                                                        const StateTtl& ttl) {
  const auto found = states_.find(name);
  if (found == states_.end()) {
    auto state = std::make_unique<State>(name, kind, ttl, *this);
    loadRestored(*state);
    if (const ColdPlace place = state->tables.cold(); place.side != nullptr && ttl.cleansInBackground())
      place.side->expire(place.state, {timesPlace(kind.name, ttl.enabled()), ttl.timeToLive()});
    if (name.starts_with(kNamespaced)) namespaced_.push_back(&state->tables);
    if (state->expiry != nullptr) expiring_.push_back(state->expiry.get());
    return *states_.emplace(name, std::move(state)).first->second;
  }
  const auto print = [](const Kind& stateKind) {
    return std::string(stateKind.name) + " of " + stateKind.plain->description().toString();
  };
  State& state = *found->second;
  if (std::string_view(state.kind.name) != kind.name || state.kind.plain != kind.plain) {
    throw Error(ErrorKind::kUser, "state '" + name + "' is registered as " + print(state.kind) +
                                      " and again as " + print(kind) +
                                      ": give each state of an operator a name of its own");
  }
  const StateTtl& before = state.expiry != nullptr ? state.expiry->ttl() : StateTtl::disabled();
  if (before != ttl) {
    const auto life = [](const StateTtl& of) {
      return of.enabled() ? "a time to live of " + toString(of.timeToLive()) : "no time to live";
    };
    throw Error(ErrorKind::kUser, "state '" + name + "' is registered with " + life(before) +
                                      " and again with " + life(ttl) +
                                      (before.timeToLive() == ttl.timeToLive() ? " but other settings" : "") +
                                      ": use one descriptor for both");
  }
  return state;
}

void KeyedStateBackend::loadRestored(State& state) {
  const std::optional<RestoredKeyedState::State> stored =
      restored_.take(state.name, key_.ops(), state.kind.plain->description());
  if (!stored) return;
  loadRestoredCold(state);
  load(state, *stored);
  for (const RestoredKeyedState::State& other : stored->others) load(state, other);
  if (state.expiry != nullptr) state.expiry->planRound(state.tables.entries());
  restored_.releaseTaken();
}

void KeyedStateBackend::expectPieces(State& state, const RestoredKeyedState::Pieces& pieces) {
  std::map<int64_t, size_t> entries;  // by namespace
  for (const RestoredKeyedState::Piece& piece : pieces) {
    StateTable& table = state.tables.at(piece.nameSpace);
    if (table.size() == 0 && !table.hasCold()) entries[piece.nameSpace] += table.entriesIn(piece.bytes);
  }
  for (const auto& [nameSpace, count] : entries) state.tables.at(nameSpace).expect(count);
}

/// How what was stored becomes what the program has. Throws Error(kUser) when it cannot.
Conversion KeyedStateBackend::conversionOf(const State& state, const KeyedStateSchema& stored,
                                           std::optional<ValueRewriter>& rewriter) const {
  const TypeDescription& now = state.kind.plain->description();
  const Compatibility fit = compare(stored.value, now);
  if (stored.kind != state.kind.name || fit.verdict == Compatibility::Verdict::kIncompatible) {
    throw misfit(state.name, stored.kind, stored.value, state.kind.name, now, fit.problem);
  }
  Conversion conversion{.decode = nullptr, .now = now_};
  if (stored.expires != (state.expiry != nullptr)) {
    conversion.decode =
        stored.expires ? state.kind.expiring->decodeAsPlain : state.kind.expiring->decodePlain;
  }
  if (fit.verdict != Compatibility::Verdict::kMigratable) return conversion;
  try {
    rewriter.emplace(stored.value, now, timesPlace(stored.kind, stored.expires));
  } catch (Error& error) {
    throw std::move(error).at("state '" + state.name + "' of the snapshot");
  }
  conversion.rewriter = &*rewriter;
  return conversion;
}

void KeyedStateBackend::load(State& state, const RestoredKeyedState::State& stored) {
  std::optional<ValueRewriter> rewriter;
  const Conversion conversion =
      conversionOf(state, {state.name, stored.kind, stored.value, stored.expires}, rewriter);
  try {
    if (conversion.decode == nullptr && conversion.rewriter == nullptr) expectPieces(state, stored.pieces);
    for (const RestoredKeyedState::Piece& piece : stored.pieces) {
      state.tables.at(piece.nameSpace).load(piece.keyGroup, piece.bytes, conversion);
    }
  } catch (Error& error) {
    throw std::move(error).at("state '" + state.name + "' of the snapshot");
  }
}

const KeyedStateBackend::State* KeyedStateBackend::find(std::string_view name) const {
  const auto found = states_.find(name);
  return found != states_.end() ? found->second.get() : nullptr;
}

/// States take turns.
void KeyedStateBackend::evict() {
  for (size_t i = 0; i < states_.size() && home_.budget.used() > cold_->evictTo(); ++i) {
    auto next = states_.upper_bound(evicted_);
    if (next == states_.end()) next = states_.begin();
    evicted_ = next->first;
    if (next->second->tables.cold().side != nullptr) next->second->tables.evict(cold_->evictTo());
  }
}

void KeyedStateBackend::cleanUpBetweenRecords() {
  for (Expiry* expiry : expiring_) expiry->beforeRecord();
}

Timestamp KeyedStateBackend::cleanUpAt() const {
  Timestamp at = Timestamp::max();
  for (const Expiry* expiry : expiring_) at = std::min(at, expiry->roundAt());
  return at;
}

void KeyedStateBackend::cleanUp() {
  for (Expiry* expiry : expiring_) {
    if (expiry->roundAt() <= now_) expiry->goRound();
  }
}

void KeyedStateBackend::clearNamespace(int64_t nameSpace) {
  for (StateTables* tables : namespaced_) {
    StateTable* table = tables->find(nameSpace);
    if (table == nullptr) continue;
    table->erase(currentKey_);
    if (table->isEmpty()) tables->drop(nameSpace);
  }
  restored_.erase(kNamespaced, nameSpace, key_, currentKey_);
  if (!restoredCold_.empty()) clearRestoredCold(nameSpace);
}

void KeyedStateBackend::dropNamespace(int64_t nameSpace) {
  for (StateTables* tables : namespaced_) tables->drop(nameSpace);
  for (ColdImage::State& state : restoredCold_) {
    if (!state.schema.name.starts_with(kNamespaced) || state.entries.erase(nameSpace) == 0) continue;
    const std::string prefix = ColdKey::prefix(state.number, nameSpace);
    cold_->eraseRange(prefix, ColdKey::behind(prefix));
  }
  restored_.drop(kNamespaced, nameSpace);
}

TimerQueue& KeyedStateBackend::timers(std::unique_ptr<TimerQueue>& queue, const char* name) {
  if (queue == nullptr) {
    queue = std::make_unique<TimerQueue>(
        registered(name, {.name = "timers", .plain = &typeOps<TimerStamps>(), .inMemory = true}).tables.at());
  }
  return *queue;
}

TimerQueue& KeyedStateBackend::eventTimers() { return timers(eventTimers_, "timers:event-time"); }
TimerQueue& KeyedStateBackend::processingTimers() {
  return timers(processingTimers_, "timers:processing-time");
}

void KeyedStateBackend::prefetch(std::span<const uint64_t> hashes) const {
  for (const auto& [name, state] : states_) {
    if (const StateTable* table = state->tables.find(kNoNamespace)) table->prefetch(hashes);
  }
}

std::vector<KeyedStateSchema> KeyedStateBackend::schemas() const {
  std::vector<KeyedStateSchema> all;
  for (const auto& [name, state] : states_) {
    all.push_back({name, state->kind.name, state->kind.plain->description(), state->expiry != nullptr});
  }
  for (const auto& [name, state] : restored_.states()) {
    all.push_back({name, state.kind, state.value, state.expires});
    for (const RestoredKeyedState::State& other : state.others)
      all.push_back({name, other.kind, other.value, other.expires});
  }
  return all;
}

void KeyedStateBackend::trackChanges() {
  if (std::exchange(home_.tracksChanges, true)) return;
  for (const auto& [name, state] : states_) state->tables.trackChanges();
}

void KeyedStateBackend::cut(SegmentSink& sink) {
  cutInMemory(sink);
  cutStore(sink);
}

/// What is not in the store, which then has all that belongs there.
void KeyedStateBackend::cutInMemory(SegmentSink& sink) {
  FLOTT_CHECK(!cutting_, "a cut before the last one was finished");
  cutting_ = true;
  ++home_.cuts;
  for (const auto& [name, state] : states_) {
    if (state->tables.cold().side != nullptr) {
      state->tables.flush();
    } else {
      state->tables.cut(sink, liveOnlyOf(*state));
    }
  }
  for (const auto& [name, state] : restored_.states()) {
    uint32_t variant = 0;
    handOver(name, state, variant, sink);
    for (const RestoredKeyedState::State& other : state.others) handOver(name, other, ++variant, sink);
  }
}

void KeyedStateBackend::cutStore(SegmentSink& sink) {
  std::vector<ColdCut::State> cold;
  const auto add = [&cold](uint16_t number, ColdCut::State state) {
    cold.resize(std::max<size_t>(cold.size(), size_t{number} + 1));
    cold[number] = std::move(state);
  };
  for (const auto& [name, state] : states_) {
    const ColdPlace place = state->tables.cold();
    if (place.side != nullptr) add(place.state, {name, &state->tables.value(), liveOnlyOf(*state)});
  }
  for (const ColdImage::State& state : restoredCold_)
    add(state.number, {state.schema.name, nullptr, {}, variantOf(state.schema)});
  if (cold.empty()) return;
  coldCut_ = std::make_unique<ColdCut>(*cold_, std::move(cold), home_.maxParallelism, sink);
}

std::unique_ptr<ColdCopy> KeyedStateBackend::cutFiles(SegmentSink& sink) {
  cutInMemory(sink);
  auto copy = std::make_unique<ColdCopy>();
  std::vector<ColdImage::State>& states = copy->image.states;
  states = restoredCold_;
  for (const auto& [name, state] : states_) {
    const ColdPlace place = state->tables.cold();
    if (place.side == nullptr) continue;
    states.push_back({{name, state->kind.name, state->kind.plain->description(), state->expiry != nullptr},
                      place.state,
                      state->tables.sizes()});
  }
  std::erase_if(states, [](const ColdImage::State& state) { return state.entries.empty(); });
  if (!keepCold_ || states.empty()) {
    cutStore(sink);
    return nullptr;
  }
  copy->files = cold_->files();
  copy->image.manifestName = copy->files->manifestName();
  copy->image.manifest = copy->files->manifest();
  return copy;
}

bool KeyedStateBackend::encodeSome(size_t budgetBytes) {
  for (const auto& [name, state] : states_) {
    if (!state->tables.encodeSome(budgetBytes)) return false;
  }
  if (coldCut_ != nullptr && !coldCut_->encodeSome(budgetBytes)) return false;
  coldCut_.reset();
  cutting_ = false;
  releaseCold();
  return true;
}

void KeyedStateBackend::abandonCut() {
  for (const auto& [name, state] : states_) state->tables.abandonCut();
  coldCut_.reset();
  cutting_ = false;
  releaseCold();
}

void KeyedStateBackend::load(const SegmentImage& image) {
  const auto found = states_.find(image.state);
  if (found == states_.end()) {
    throw Error(ErrorKind::kUser,
                "the snapshot holds a state '" + std::string(image.state) +
                    "' that the operator does not have: register it under this name in open()");
  }
  if (!home_.keyGroups.contains(image.keyGroup)) {
    throw Error(ErrorKind::kBug, "key group " + std::to_string(image.keyGroup.value) + " of state '" +
                                     std::string(image.state) +
                                     "' was given to a subtask that does not own it");
  }
  found->second->tables.at(image.nameSpace).load(image.keyGroup, image.bytes);
}

void KeyedStateBackend::finishLoad() {
  if (eventTimers_ != nullptr) eventTimers_->reindex();
  if (processingTimers_ != nullptr) processingTimers_->reindex();
}

}  // namespace flott
