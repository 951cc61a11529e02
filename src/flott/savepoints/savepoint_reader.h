// State of a job as values of its own types: reads checkpoints and savepoints from a program.
//
// Keyed state comes in the order of the key hash, an entry at a time, so that it may be larger than memory.
// Types are checked against what the checkpoint says; fields may have been added and dropped since, as when
// a job starts from it. Operators are named by their uid (or their id, or their
// name). Used by a program of its own, or a test, on one thread; calls block on files. Errors are
// Error(kUser) for what is not there or of another type, Error(kCorruption) for damage, with the file's name.
//
//   SavepointReader reader("s3://bucket/savepoints/savepoint-5f2c");
//   reader.keyedState<std::string>("word-count", ValueStateDescriptor<int64_t>("count"),
//                                  [](const std::string& word, int64_t n) { fmt::print("{} {}\n", word, n);
//                                  });
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/posix/real_env.h"
#include "flott/savepoints/stored_keyed_state.h"
#include "flott/savepoints/stored_operator_state.h"
#include "flott/state/keyed_state.h"
#include "flott/state/stored_value.h"
#include "flott/state/timer_queue.h"

namespace flott {

class SavepointReader {
 public:
  /// Of this machine's files and the stores it reaches; the configuration has what stores ask for.
  explicit SavepointReader(const std::string& path, const Configuration& configuration = {});
  /// Of another world: that of a test.
  SavepointReader(const Env& env, const std::string& path, const Configuration& configuration = {});

  const CheckpointMetadata& metadata() const { return files_.metadata(); }

  /// f(const K& key, const Stored& value) for each key that has something: a T of a value or reducing state,
  /// a std::vector<T> of a list, an OrderedMap<UK, UV> of a map, the accumulator of an aggregating state.
  /// What has expired and was not yet cleaned up is there, too.
  template <typename K, typename Descriptor, typename F>
  void keyedState(const std::string& uid, const Descriptor& descriptor, F&& f) {
    using Handle = typename Descriptor::Handle;
    using Stored = typename Handle::Stored;
    for (const Found& found : find<K, Stored>(uid, descriptor.name(), Handle::kKind)) {
      if (found.state->schema.expires) {
        using Expiring = typename Handle::StoredWithTtl;
        walk<K, Expiring>(
            found, [&](const K& key, int64_t, Expiring& value) { f(key, std::as_const(value.plain())); });
      } else {
        walk<K, Stored>(found, [&](const K& key, int64_t, Stored& value) { f(key, std::as_const(value)); });
      }
    }
  }

  /// f(const K& key, Timestamp at) for each timer of event time. Those of windows are among them.
  template <typename K, typename F>
  void eventTimeTimers(const std::string& uid, F&& f) {
    timers<K>(uid, "timers:event-time", f);
  }
  template <typename K, typename F>
  void processingTimeTimers(const std::string& uid, F&& f) {
    timers<K>(uid, "timers:processing-time", f);
  }

  /// f(const K& key, const V& value) for a table that an operator of the engine keeps: `flott state ls` shows
  /// its name, kind "table" and type.
  template <typename K, typename V, typename F>
  void table(const std::string& uid, const std::string& name, F&& f) {
    for (const Found& found : find<K, V>(uid, name, "table"))
      walk<K, V>(found, [&](const K& key, int64_t, V& value) { f(key, std::as_const(value)); });
  }
  /// f(const K& key, Timestamp sliceEnd, const Acc&) for what windows of one aggregation hold, slice by slice
  /// of time.
  template <typename K, typename Acc, typename F>
  void windowSlices(const std::string& uid, F&& f) {
    for (const Found& found : find<K, Acc>(uid, "window-contents", "slices")) {
      walk<K, Acc>(found, [&](const K& key, int64_t end, Acc& value) {
        f(key, Timestamp(end), std::as_const(value));
      });
    }
  }

  /// The list of all subtasks together.
  template <typename T>
  std::vector<T> listState(const std::string& uid, const std::string& name) {
    return lists(uid, name, Redistribution::kSplit, describe<T>()).template list<T>(name).get();
  }
  /// What each subtask had, one after the other.
  template <typename T>
  std::vector<T> unionListState(const std::string& uid, const std::string& name) {
    return lists(uid, name, Redistribution::kUnion, describe<T>()).template unionList<T>(name).get();
  }
  template <typename K, typename V>
  OrderedMap<K, V> broadcastState(const std::string& uid, const MapStateDescriptor<K, V>& descriptor) {
    return lists(uid, descriptor.name(), Redistribution::kBroadcast, describe<OrderedMap<K, V>>())
        .broadcast(descriptor)
        .entries();
  }

 private:
  /// A state, or the part of it that has one type; `rewriter` where that is not the program's.
  struct Found {
    const StoredKeyedState* keyed = nullptr;
    const StoredKeyedState::State* state = nullptr;
    std::optional<ValueRewriter> rewriter = std::nullopt;
  };

  SavepointReader(std::shared_ptr<RealEnv> real, const std::string& path, const Configuration& configuration);
  std::vector<Found> findState(const std::string& uid, const std::string& name, std::string_view kind,
                               const TypeDescription& key, const TypeDescription& value);
  OperatorStateBackend lists(const std::string& uid, const std::string& name, Redistribution redistribution,
                             const TypeDescription& type);

  template <typename K, typename Stored>
  std::vector<Found> find(const std::string& uid, const std::string& name, std::string_view kind) {
    return findState(uid, name, kind, describe<K>(), describe<Stored>());
  }

  /// f(key, namespace, value) for all entries.
  template <typename K, typename Stored, typename F>
  void walk(const Found& found, F&& f) {
    K key{};
    Stored value{};
    std::string rewritten;
    for (KeyedPieces pieces(files_, found.keyed->op(), *found.state); pieces.next();) {
      pieces.guarded([&] {
        ByteReader in(pieces.bytes());
        while (!in.atEnd()) {
          Codec<K>::decode(in, key);
          if (found.rewriter) {
            rewritten.clear();
            ByteWriter out(rewritten);
            found.rewriter->run(in, out);
            ByteReader now(rewritten);
            Codec<Stored>::decode(now, value);
          } else {
            Codec<Stored>::decode(in, value);
          }
          f(key, pieces.piece().nameSpace, value);
        }
      });
    }
  }

  template <typename K, typename F>
  void timers(const std::string& uid, const std::string& name, F& f) {
    for (const Found& found : find<K, TimerStamps>(uid, name, "timers")) {
      walk<K, TimerStamps>(found, [&](const K& key, int64_t, const TimerStamps& stamps) {
        for (const TimerStamp& stamp : stamps) f(key, Timestamp(stamp.at));
      });
    }
  }

  std::shared_ptr<RealEnv> real_;  // null in another world
  CheckpointFiles files_;
  std::map<OperatorId, std::unique_ptr<StoredKeyedState>> keyed_;  // those that were looked at
};

}  // namespace flott
