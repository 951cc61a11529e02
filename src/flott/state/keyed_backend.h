// The keyed state of one operator instance: its states by name, the current key, its timers, and their cut.
//
// Made by the task for the key groups it owns. The operator registers states in open(), names the current key
// before it calls user code, and works on tables directly where it is itself the aggregation. Used on the
// task's thread only. State handed out is good as long as the backend.
//
//   KeyedStateBackend backend(typeOps<std::string>(), {.keyGroups = {0, 128}});
//   ValueState<int64_t> count = backend.state(ValueStateDescriptor<int64_t>("count"));
//   backend.setCurrentKey(hashKey(word), word);
//   count.set(count.get() + 1);
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/state/cold/cold_cut.h"
#include "flott/state/cold/cold_image.h"
#include "flott/state/expiry.h"
#include "flott/state/keyed_snapshot.h"
#include "flott/state/keyed_state.h"
#include "flott/state/slice_store.h"
#include "flott/state/state_tables.h"
#include "flott/state/timer_queue.h"
#include "flott/state/typed_table.h"

namespace flott {

class KeyedStateBackend {
 public:
  struct Options {
    KeyGroupRange keyGroups{0, kDefaultMaxParallelism};
    uint32_t maxParallelism = kDefaultMaxParallelism;
    uint64_t memoryLimit = std::numeric_limits<uint64_t>::max();  // bytes
    Timestamp processingTime{0};
    // With a store, states are kept there, and memory is a cache of so many bytes; timers stay in memory.
    std::shared_ptr<ColdStore> cold = nullptr;
    uint64_t cacheBytes = uint64_t{64} << 20;
    // What the store has already: states that were restored with it.
    std::vector<ColdImage::State> coldStates = {};
    // False: it has them only until they are registered, and all states are in memory.
    bool keepCold = true;
    // Is told how long accesses take; outlives the backend. Null: nobody is.
    StateMeter* meter = nullptr;
  };

  /// `restored` is what this subtask starts with; each of its states is loaded when it is registered. Throws
  /// Error(kUser) when it has keys of another type.
  KeyedStateBackend(const TypeOps& key, const Options& options, RestoredKeyedState restored = {});
  ~KeyedStateBackend();
  KeyedStateBackend(const KeyedStateBackend&) = delete;
  KeyedStateBackend& operator=(const KeyedStateBackend&) = delete;

  const KeyType& key() const { return key_; }
  KeyGroupRange keyGroups() const { return home_.keyGroups; }
  uint32_t maxParallelism() const { return home_.maxParallelism; }
  /// Bytes that all states take, and the limit they fail at.
  const MemoryBudget& budget() const { return home_.budget; }

  /// `hash` is hashKey(key); the key must live until the next call.
  template <typename K>
  void setCurrentKey(uint64_t hash, const K& key) {
    setCurrentKey(keyRef(hash, key));
  }
  void setCurrentKey(const KeyRef& key) {
    if (!expiring_.empty()) [[unlikely]]
      cleanUpBetweenRecords();
    currentKey_ = key;
  }
  void clearCurrentKey() { currentKey_ = {}; }
  const KeyRef& currentKey() const { return currentKey_; }

  /// What states with a time to live go by. The task sets it before each call of the operator.
  void setProcessingTime(Timestamp now) {
    now_ = now;
    if (cold_ != nullptr) cold_->setNow(now);
  }
  /// When such state is due for clean-up though nobody accesses it; Timestamp::max(): not while nothing is
  /// written.
  Timestamp cleanUpAt() const;
  /// Does a bounded part of what is due. Not while the operator is in the middle of something.
  void cleanUp();

  // Registration. The same name with the same types and time to live gives the same state again; with others
  // it throws Error(kUser).

  /// The handle that the descriptor asks for.
  template <typename Descriptor>
  typename Descriptor::Handle state(const Descriptor& descriptor) {
    using Handle = typename Descriptor::Handle;
    State& state = registered(descriptor.name(), kindOf<Handle>(), descriptor.ttl());
    return handleIn(kNoNamespace, state, descriptor);
  }
  /// A table for an operator's own use. K must be the backend's key.
  template <typename K, typename V>
  TypedTable<K, V> table(const std::string& name) {
    return TypedTable<K, V>(registered(name, {"table", &typeOps<V>()}).tables.at());
  }
  template <typename K, typename Acc>
  SliceStore<K, Acc> slices(const std::string& name) {
    return SliceStore<K, Acc>(registered(name, {"slices", &typeOps<Acc>()}).tables);
  }
  /// A handle on what the current key has in one namespace, that of a window, apart from all others.
  template <typename Descriptor>
  typename Descriptor::Handle stateIn(int64_t nameSpace, const Descriptor& descriptor) {
    using Handle = typename Descriptor::Handle;
    State& state =
        registered(std::string(kNamespaced) + descriptor.name(), kindOf<Handle>(), descriptor.ttl());
    return handleIn(nameSpace, state, descriptor);
  }
  /// Drops what the current key, or every key, has in a namespace by stateIn(), also of states that were
  /// restored and are not registered yet.
  void clearNamespace(int64_t nameSpace);
  void dropNamespace(int64_t nameSpace);
  TimerQueue& eventTimers();
  TimerQueue& processingTimers();

  /// Prefetches what the states hold for these keys; for the keys of a whole batch.
  void prefetch(std::span<const uint64_t> hashes) const;
  /// Where a store stands behind the states: loads what it has for the keys of a whole batch. keyAt(i) is the
  /// key whose hash is hashes[i].
  template <typename KeyAt>
  void fetch(std::span<const uint64_t> hashes, KeyAt&& keyAt) {
    if (cold_ == nullptr) return;
    for (const auto& [name, state] : states_) {
      StateTable* table = state->tables.find(kNoNamespace);
      if (table == nullptr || !table->readsAhead()) continue;
      table->keepToBudget();
      for (size_t i = 0; i < hashes.size(); ++i) {
        const auto& key = keyAt(i);  // keeps a temporary alive
        table->want(keyRef(hashes[i], key));
      }
      (void)table->fetchWanted();
    }
  }
  /// Between two calls of the operator: gives entries to the store when memory is over the cache's budget.
  void keepToBudget() {
    if (cold_ != nullptr && cold_->overBudget(home_.budget)) evict();
  }

  /// visit(const K& key, handle) for each key that has something stored in this state, in the order of the
  /// key hash, as the current key. The function may change and clear this and other states of the key.
  template <typename K, typename Descriptor, typename F>
  void applyToAllKeys(const Descriptor& descriptor, F&& visit) {
    auto handle = state(descriptor);
    const State& visited = *find(descriptor.name());
    const StateTable& table = *visited.tables.find(kNoNamespace);
    const KeyRef before = currentKey_;
    StateTable::Cursor cursor;
    StateTable::Entry entry;
    while (table.next(cursor, entry)) {
      const K key = *static_cast<const K*>(entry.key);
      setCurrentKey(entry.hash, key);
      if (visited.expiry != nullptr && !visited.expiry->visible(table, currentKey_)) continue;
      visit(key, handle);
    }
    currentKey_ = before;
  }

  /// All states, those that were restored and not yet registered included.
  std::vector<KeyedStateSchema> schemas() const;
  /// Marks the content of all states for a snapshot. The cut before must be finished.
  void cut(SegmentSink& sink);
  /// What each registered state holds.
  struct Size {
    std::string_view state;
    uint64_t entries = 0;  // of all its windows, those on disk included
    uint64_t bytes = 0;    // in memory, about
  };
  std::vector<Size> sizes() const;
  /// How many were made.
  uint64_t cuts() const { return home_.cuts; }
  /// From now on sinks can tell what has not changed since an earlier cut.
  void trackChanges();
  /// A store stands behind the states.
  bool hasStore() const { return cold_ != nullptr; }
  /// As cut(), but where a store stands behind the states its files are taken, and the sink gets the rest.
  /// Null where nothing is there; the sink then gets all.
  std::unique_ptr<ColdCopy> cutFiles(SegmentSink& sink);
  /// Hands over about `budgetBytes` of it; true when the cut is complete.
  bool encodeSome(size_t budgetBytes);
  bool cutting() const { return cutting_; }
  void abandonCut();
  /// Adds what a sink got, of a registered state; finishLoad() after the last.
  void load(const SegmentImage& image);
  void finishLoad();

 private:
  static constexpr std::string_view kNamespaced = "window:";  // how the names of such states begin

  /// What states of one kind hold, with and without a time to live.
  struct Kind {
    const char* name;
    const TypeOps* plain;
    const ExpiringOps* expiring = nullptr;  // null: it cannot have one
    bool inMemory = false;                  // never on the cold side
  };
  template <typename Handle>
  static Kind kindOf() {
    return {Handle::kKind, &typeOps<typename Handle::Stored>(),
            &kExpiringOps<typename Handle::StoredWithTtl>};
  }

  struct State {
    State(const std::string& stateName, const Kind& stateKind, const StateTtl& ttl, KeyedStateBackend& home);

    const std::string name;
    const Kind kind;
    StateTables tables;
    const std::unique_ptr<Expiry> expiry;     // null without a time to live
    const std::unique_ptr<StateTimes> times;  // null where accesses are not measured
    const StateExtras extras;
  };

  template <typename Descriptor>
  typename Descriptor::Handle handleIn(int64_t nameSpace, State& state, const Descriptor& descriptor) {
    return typename Descriptor::Handle(
        KeyedHandle(state.tables.at(nameSpace), currentKey_,
                    state.expiry != nullptr || state.times != nullptr ? &state.extras : nullptr),
        descriptor);
  }
  State& registered(const std::string& name, const Kind& kind, const StateTtl& ttl = StateTtl::disabled());
  void loadRestored(State& state);
  void load(State& state, const RestoredKeyedState::State& stored);
  Conversion conversionOf(const State& state, const KeyedStateSchema& stored,
                          std::optional<ValueRewriter>& rewriter) const;
  ColdPlace placeFor(const std::string& name, const Kind& kind, bool expires);
  void loadRestoredCold(State& state);
  void loadCold(State& state, const ColdImage::State& stored);
  void clearRestoredCold(int64_t nameSpace);
  void releaseCold();
  uint32_t variantOf(const KeyedStateSchema& unregistered) const;
  static LiveOnly liveOnlyOf(const State& state) {
    return state.expiry != nullptr ? state.expiry->inSnapshots() : LiveOnly{};
  }
  void cutInMemory(SegmentSink& sink);
  void cutStore(SegmentSink& sink);
  static void expectPieces(State& state, const RestoredKeyedState::Pieces& pieces);
  const State* find(std::string_view name) const;
  void evict();
  void cleanUpBetweenRecords();
  TimerQueue& timers(std::unique_ptr<TimerQueue>& queue, const char* name);

  KeyType key_;
  TableHome home_;
  std::unique_ptr<ColdSide> cold_;  // null: all is in memory
  const bool keepCold_;
  StateMeter* const meter_;
  std::vector<ColdImage::State> restoredCold_;  // in the store, and not registered yet
  KeyRef currentKey_;
  std::map<std::string, std::unique_ptr<State>, std::less<>> states_;
  RestoredKeyedState restored_;  // not registered yet
  std::vector<StateTables*> namespaced_;
  std::vector<Expiry*> expiring_;
  Timestamp now_;
  std::unique_ptr<TimerQueue> eventTimers_;
  std::unique_ptr<TimerQueue> processingTimers_;
  std::string evicted_;  // the state whose turn was last
  std::unique_ptr<ColdCut> coldCut_;
  bool cutting_ = false;
};

}  // namespace flott
