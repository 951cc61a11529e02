// Cuts by files, stored and fetched as tasks do it, in a simulated folder: for tests that say the same of
// them as of other cuts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/simulated.h"
#include "flott/state/cold/cold_restore.h"
#include "flott/state/cold/section_load.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/tests/cold_fixture.h"

namespace flott {

class StoredFiles {
 public:
  /// Of one subtask.
  struct Cut {
    std::string section;
    std::optional<StoredColdState> cold;  // nothing: all is in the section
    size_t written = 0;                   // files, of those in `cold`
  };

  /// `before` is an earlier cut of the same backend, whose files are not written again.
  Cut cut(KeyedStateBackend& backend, const Cut* before = nullptr) {
    Cut cut;
    std::optional<KeyedSnapshotWriter::Sharing> sharing;
    if (backend.hasStore()) sharing.emplace();
    KeyedSnapshotWriter writer(backend, std::move(sharing));
    while (!backend.encodeSome(100)) {
    }
    cut.section = writer.finish();
    const std::unique_ptr<ColdCopy> copy = writer.takeFiles();
    if (copy == nullptr) return cut;
    const CheckpointId id(++last_);
    cut.cold = {.checkpoint = id,
                .folder = storage.folderOf(id),
                .files = {},
                .image = ColdImage::decode(copy->image.encode()),
                .range = orderRange(backend.keyGroups(), backend.maxParallelism())};
    for (const ColdFiles::File& file : copy->files->files()) {
      const SharedFile* known = nullptr;
      if (before != nullptr) {
        for (const SharedFile& shared : before->cold->files)
          if (shared.nameInStore == file.name) known = &shared;
      }
      if (known != nullptr) {
        cut.cold->files.push_back(*known);
        continue;
      }
      SharedFileWriter out = storage.createShared(id, "task-" + file.name, file.name);
      copy->files->read(file, [&out](std::string_view part) { out.write(part); });
      cut.cold->files.push_back(out.finish());
      ++cut.written;
    }
    return cut;
  }

  /// A backend's options, and what it is restored from.
  struct Start {
    KeyedStateBackend::Options options;
    RestoredKeyedState restored;
  };
  Start fetch(const std::vector<Cut>& cuts, Where where, KeyedStateBackend::Options options = {},
              uint32_t storedMaxParallelism = kDefaultMaxParallelism) {
    Start start{std::move(options), {}};
    std::vector<StoredColdState> cold;
    for (const Cut& cut : cuts) {
      start.restored.add(cut.section, start.options.keyGroups, storedMaxParallelism,
                         start.options.maxParallelism);
      if (cut.cold) cold.push_back(*cut.cold);
    }
    ColdStates states = restoreCold(storage, testStoreOptions(), cold,
                                    orderRange(start.options.keyGroups, start.options.maxParallelism));
    fetched = states.files.size();
    start.options.cold = std::move(states.store);
    start.options.coldStates = std::move(states.states);
    start.options.keepCold = where.cacheBytes > 0;
    if (where.cacheBytes > 0) start.options.cacheBytes = where.cacheBytes;
    if (where.cacheBytes > 0 && start.options.cold == nullptr) start.options.cold = newTestStore();
    return start;
  }

  /// A section, whose entries go to a store one by one.
  Start load(const std::string& section, KeyedStateBackend::Options options,
             uint32_t storedMaxParallelism = kDefaultMaxParallelism) {
    StateFileWriter writer = storage.createFile("/cp/job/chk-100", "section");
    writer.write(section);
    ColdStates states{.store = newTestStore(), .states = {}, .checkpoint = {}, .files = {}};
    Start start{std::move(options), {}};
    loadSection(storage, {"/cp/job/chk-100", writer.finish(), storedMaxParallelism},
                {.keyGroups = start.options.keyGroups, .maxParallelism = start.options.maxParallelism},
                states, start.restored);
    start.options.cold = std::move(states.store);
    start.options.coldStates = std::move(states.states);
    return start;
  }

  SimulatedEnv sim{1};
  CheckpointStorage storage{sim.files(), {.folder = "/cp/job", .inlineThreshold = 100}};
  size_t fetched = 0;  // files that the store fetched last was opened on

 private:
  uint64_t last_ = 0;
};

}  // namespace flott
