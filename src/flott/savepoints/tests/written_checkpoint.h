// Checkpoints for the tests of this room, written as a job's tasks would, into simulated files.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/hash.h"
#include "flott/env/simulated.h"
#include "flott/savepoints/checkpoint_files.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/operator_state.h"
#include "flott/state/tests/cold_fixture.h"

namespace flott {

struct Visit {
  std::string page;
  std::optional<int32_t> millis;
  Timestamp at;
};

/// What an operator keyed by text, "count" with uid "word-count", has.
struct WordState {
  std::map<std::string, int64_t> counts;
  std::map<std::string, std::vector<Visit>> visits;
  std::map<std::string, std::vector<std::pair<std::string, double>>> shares;
  std::map<std::string, Timestamp> seen;  // expires; with the moment it was touched
  std::map<std::string, std::vector<Timestamp>> timers;
  std::map<int64_t, std::map<std::string, int64_t>> slices;  // by their end
  std::vector<std::string> files;
  std::vector<std::pair<std::string, int64_t>> rules;
};

/// How keyed state is stored: as sections, or in shared files.
enum class Stored : uint8_t {
  kSections,
  kStoreFiles,  // of a store on disk
  kSegments     // of tables in memory
};

struct Writing {
  uint64_t id = 7;
  uint32_t parallelism = 2;
  uint64_t inlineThreshold = 0;
  std::string folder = "cp";
  Stored stored = Stored::kSections;
};

class CheckpointWriterOfTests {
 public:
  explicit CheckpointWriterOfTests(SimulatedEnv& sim) : sim_(sim) {}

  /// The folder of the checkpoint.
  std::string write(const WordState& state, const Writing& how = {}) {
    CheckpointStorage storage(sim_.files(), {.folder = how.folder, .inlineThreshold = how.inlineThreshold},
                              &sim_.stores());
    CheckpointMetadata metadata{.id = CheckpointId(how.id), .triggered = Timestamp(1'769'860'800'000)};
    metadata.jobName = "words";
    OperatorSnapshot source{.id = OperatorId(1), .name = "source", .maxParallelism = 128};
    source.enumerator = "splits";
    source.subtasks.resize(1);
    source.subtasks[0].finished = true;
    OperatorSnapshot op{.id = OperatorId(hashBytes("word-count")), .name = "count", .uid = "word-count"};
    op.maxParallelism = 128;
    for (uint32_t subtask = 0; subtask < how.parallelism; ++subtask) {
      const std::string name = "task-1-" + std::to_string(subtask);
      std::unique_ptr<ColdCopy> copy;
      std::unique_ptr<SegmentCatalog> catalog;
      const KeyGroupRange groups = keyGroupRange(subtask, 128, how.parallelism);
      std::string keyed = keyedSection(state, groups, how.stored, copy, catalog);
      std::string image = copy != nullptr ? copy->image.encode() : std::string();
      if (catalog != nullptr) {
        SharedFileWriter out = storage.createShared(metadata.id, name, "segments");
        out.write(std::exchange(keyed, {}));
        const SharedFile file = out.finish();
        catalog->finish(&file);
        image = catalog->section().encode();
      }
      std::vector<StateHandle> handles = storage.write(
          metadata.id, name,
          {std::move(keyed), operatorSection(state, subtask, how.parallelism), std::move(image)});
      op.subtasks.push_back({.keyed = handles[0], .operatorState = handles[1], .cold = {handles[2], {}}});
      if (catalog != nullptr) op.subtasks.back().cold.files = catalog->files();
      if (copy == nullptr) continue;
      for (const ColdFiles::File& file : copy->files->files()) {
        SharedFileWriter out = storage.createShared(metadata.id, name + "-" + file.name, file.name);
        copy->files->read(file, [&out](std::string_view part) { out.write(part); });
        op.subtasks.back().cold.files.push_back(out.finish());
      }
    }
    metadata.operators = {source, op};
    storage.complete(metadata);
    return metadata.folder;
  }

 private:
  template <typename Entries, typename F>
  static void forOwned(const KeyedStateBackend& backend, const Entries& entries, F&& f) {
    for (const auto& [word, value] : entries) {
      if (backend.keyGroups().contains(keyGroupOf(hashKey(word), 128))) f(word, value);
    }
  }

  static std::string keyedSection(const WordState& state, KeyGroupRange groups, Stored stored,
                                  std::unique_ptr<ColdCopy>& copy, std::unique_ptr<SegmentCatalog>& catalog) {
    KeyedStateBackend backend(
        typeOps<std::string>(),
        Where{stored == Stored::kStoreFiles ? uint64_t{10'000} : 0}({.keyGroups = groups}));
    auto count = backend.state(ValueStateDescriptor<int64_t>("count"));
    auto visits = backend.state(ListStateDescriptor<Visit>("visits"));
    auto shares = backend.state(MapStateDescriptor<std::string, double>("shares"));
    auto seen =
        backend.state(ValueStateDescriptor<bool>("seen").ttl(StateTtl::after(Duration::seconds(1'000'000))));
    auto slices = backend.slices<std::string, int64_t>("window-contents");
    const auto at = [&](const std::string& word) { backend.setCurrentKey(hashKey(word), word); };
    forOwned(backend, state.counts, [&](const std::string& word, int64_t n) {
      at(word);
      count.set(n);
    });
    forOwned(backend, state.visits, [&](const std::string& word, const std::vector<Visit>& all) {
      at(word);
      visits.set(all);
    });
    forOwned(backend, state.shares, [&](const std::string& word, const auto& all) {
      at(word);
      for (const auto& [name, share] : all) shares.put(name, share);
    });
    forOwned(backend, state.seen, [&](const std::string& word, Timestamp moment) {
      backend.setProcessingTime(moment);
      at(word);
      seen.set(true);
    });
    forOwned(backend, state.timers, [&](const std::string& word, const std::vector<Timestamp>& all) {
      at(word);
      for (const Timestamp moment : all) backend.eventTimers().add(backend.currentKey(), moment);
    });
    for (const auto& [end, sums] : state.slices) {
      forOwned(backend, sums, [&, end = end](const std::string& word, int64_t sum) {
        slices.at(Timestamp(end)).findOrInsert(hashKey(word), word) = sum;
      });
    }
    std::optional<KeyedSnapshotWriter::Sharing> sharing;
    if (stored != Stored::kSections) sharing.emplace();
    KeyedSnapshotWriter writer(backend, std::move(sharing));
    copy = writer.takeFiles();
    while (!backend.encodeSome(1000)) {
    }
    catalog = writer.takeCatalog();
    return writer.finish();
  }

  static std::string operatorSection(const WordState& state, uint32_t subtask, uint32_t parallelism) {
    OperatorStateBackend backend;
    for (size_t i = 0; i < state.files.size(); ++i) {
      if (i % parallelism == subtask) backend.list<std::string>("files").add(state.files[i]);
    }
    for (const auto& [name, rule] : state.rules) {
      backend.broadcast(MapStateDescriptor<std::string, int64_t>("rules")).put(name, rule);
    }
    const OperatorStateImage image = backend.snapshot();
    std::string bytes;
    ByteWriter out(bytes);
    if (!image.states.empty()) image.encode(out);
    return bytes;
  }

  SimulatedEnv& sim_;
};

}  // namespace flott
