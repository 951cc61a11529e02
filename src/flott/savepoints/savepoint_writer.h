// Makes savepoints from a program: from nothing, or from an earlier one with some of its state changed.
//
// For starting a job with state that another system had, and for repairing or reshaping a job's state. What
// is not touched is copied, files included, so that the new savepoint stands alone. A job starts from it with
// execution.state-recovery.path at any parallelism. State is encoded by the job's own backend. Used on one
// thread; calls block on files. Memory holds the part of one operator that is worked on (its state divided by
// `parts`), and one file of what is copied.
//
//   SavepointWriter writer("/savepoints/new", {.maxParallelism = 128});
//   writer.keyed<std::string>("word-count", [&](KeyedStateEditor<std::string>& state) {
//     auto count = state.state(ValueStateDescriptor<int64_t>("count"));
//     for (const auto& [word, n] : counts) {
//       state.setCurrentKey(word);
//       count.set(n);
//     }
//   });
//   writer.write();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/base/function.h"
#include "flott/env/posix/real_env.h"
#include "flott/savepoints/checkpoint_files.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/operator_state.h"

namespace flott {

/// The keyed state of one operator, or of the part of it that has some of the key groups, while it is
/// written.
template <typename K>
class KeyedStateEditor {
 public:
  explicit KeyedStateEditor(KeyedStateBackend& backend) : backend_(backend) {}

  /// A handle, as from RuntimeContext::state(). Names, kinds and types are checked against what is there.
  template <typename Descriptor>
  typename Descriptor::Handle state(const Descriptor& descriptor) {
    return backend_.state(descriptor);
  }
  /// Whether this part has the key.
  bool owns(const K& key) const {
    return backend_.keyGroups().contains(keyGroupOf(hashKey(key), backend_.maxParallelism()));
  }
  /// The key that handles are about until the next call. Throws Error(kUser) for one of another part.
  void setCurrentKey(const K& key) {
    if (!owns(key)) failOwner();
    current_ = key;
    backend_.setCurrentKey(hashKey(current_), current_);
  }
  /// f(const K& key, handle) for each key that has something in this state, in the order of the key hash. It
  /// may change and clear this and other states of the key.
  template <typename Descriptor, typename F>
  void forEachKey(const Descriptor& descriptor, F&& f) {
    backend_.applyToAllKeys<K>(descriptor, f);
  }
  /// Of the current key.
  void registerEventTimeTimer(Timestamp at) { backend_.eventTimers().add(backend_.currentKey(), at); }
  void registerProcessingTimeTimer(Timestamp at) {
    backend_.processingTimers().add(backend_.currentKey(), at);
  }

 private:
  [[noreturn]] static void failOwner() {
    throw Error(
        ErrorKind::kUser,
        "a key was set that belongs to another part of the operator: ask owns(key), and leave out those "
        "of other parts");
  }

  KeyedStateBackend& backend_;
  K current_{};
};

struct SavepointOptions {
  uint32_t maxParallelism = kDefaultMaxParallelism;  // of new operators: that of the job
  std::string jobName = {};                          // of a savepoint from nothing
  /// What a store asks for: s3.endpoint and the like.
  Configuration configuration = {};
};

class SavepointWriter {
 public:
  /// A savepoint that has nothing yet. `folder` is where it will be, also as a URI; throws Error(kUser) when
  /// there is one already.
  explicit SavepointWriter(const std::string& folder, SavepointOptions options = {});
  SavepointWriter(const Env& env, const std::string& folder, SavepointOptions options = {});
  ~SavepointWriter();
  SavepointWriter(SavepointWriter&&) noexcept;

  /// Begins with all that an earlier one has; before anything else. It is read, and stays as it is.
  void copyFrom(const std::string& path);

  /// Calls f(KeyedStateEditor<K>&), for an operator that is there once for each part it was written in, else
  /// `parts` times, for a share of the key groups each. States that it does not ask for stay as they are.
  template <typename K, typename F>
  void keyed(const std::string& uid, F&& f, uint32_t parts = 1) {
    static_assert(std::is_invocable_v<F&, KeyedStateEditor<K>&>,
                  "the function takes a KeyedStateEditor<K>&, K being the type of the operator's keys");
    editKeyed(uid, typeOps<K>(), parts, [&f](KeyedStateBackend& backend) {
      KeyedStateEditor<K> editor(backend);
      f(editor);
    });
  }

  // In place of the state of this name, if there is one.
  template <typename T>
  void listState(const std::string& uid, const std::string& name, std::vector<T> items) {
    OperatorStateBackend backend;
    backend.list<T>(name).set(std::move(items));
    replaceLists(uid, backend.snapshot());
  }
  /// Every subtask gets all of it.
  template <typename T>
  void unionListState(const std::string& uid, const std::string& name, std::vector<T> items) {
    OperatorStateBackend backend;
    backend.unionList<T>(name).set(std::move(items));
    replaceLists(uid, backend.snapshot());
  }
  /// `entries` are pairs, in their order.
  template <typename K, typename V, typename Entries>
  void broadcastState(const std::string& uid, const MapStateDescriptor<K, V>& descriptor,
                      const Entries& entries) {
    OperatorStateBackend backend;
    BroadcastState<K, V>& state = backend.broadcast(descriptor);
    for (const auto& [key, value] : entries) state.put(key, value);
    replaceLists(uid, backend.snapshot());
  }

  // These throw Error(kUser) that names the nearest when there is no such operator or state.
  void removeOperator(const std::string& uid);
  void removeState(const std::string& uid, const std::string& name);
  void changeUid(const std::string& uid, const std::string& newUid);

  /// Writes what is left to be written, and makes the savepoint complete; its folder. The last call.
  std::string write();

 private:
  struct State;

  SavepointWriter(const std::shared_ptr<RealEnv>& real, const std::string& folder, SavepointOptions options);
  void editKeyed(const std::string& uid, const TypeOps& key, uint32_t parts,
                 MoveFunction<void(KeyedStateBackend&)> edit);
  void replaceLists(const std::string& uid, OperatorStateImage state);

  std::unique_ptr<State> state_;
};

}  // namespace flott
