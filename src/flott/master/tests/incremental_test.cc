// Checkpoints that share files: whatever fails, the storage holds what the checkpoints that are kept refer to
// and nothing else, and each of them can be started from.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "flott/master/shared_file_registry.h"
#include "flott/master/tests/recovery_world.h"
#include "flott/master/tests/summing_job.h"

namespace flott {
namespace {

Configuration incremental(const std::string& backend = "rocksdb") {
  Configuration configuration = kept();
  configuration.set("execution.checkpointing.incremental", "true");
  configuration.set("execution.checkpointing.data-inline-threshold", "0");
  configuration.set("state.backend.type", backend);
  configuration.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-incremental");
  configuration.set("flott.state.rocksdb.cache-size", "1");
  return configuration;
}

/// Folders of the complete checkpoints below `folder`, oldest first.
std::vector<std::string> checkpointsIn(SimulatedFiles& files, const std::string& folder = "/checkpoints") {
  std::vector<std::pair<uint64_t, std::string>> found;
  if (!files.stat(folder)) return {};
  for (const FileInfo& inside : files.listFolder(folder)) {
    if (files.stat(inside.path + "/_metadata"))
      found.emplace_back(std::stoull(inside.path.substr(inside.path.rfind('-') + 1)), inside.path);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> folders;
  for (auto& [id, path] : found) folders.push_back(std::move(path));
  return folders;
}

size_t shared(const CheckpointMetadata& metadata) {
  size_t count = 0;
  metadata.forEachShared([&](const SharedFile&) { ++count; });
  return count;
}

/// What is there is what the complete checkpoints refer to. Returns how many shared files that is.
size_t expectNothingElse(SimulatedFiles& files, const std::string& folder = "/checkpoints") {
  std::set<std::string> needed;
  size_t count = 0;
  for (const std::string& checkpoint : checkpointsIn(files, folder)) {
    const CheckpointMetadata metadata = CheckpointStorage(files, {}).readMetadata(checkpoint);
    needed.insert(checkpoint + "/_metadata");
    for (const OperatorSnapshot& op : metadata.operators) {
      for (const SubtaskSnapshot& subtask : op.subtasks) {
        for (const StateHandle* handle : {&subtask.keyed, &subtask.operatorState, &subtask.cold.image})
          if (!handle->file.empty()) needed.insert(checkpoint + "/" + handle->file);
      }
    }
    metadata.forEachShared([&](const SharedFile& file) {
      count += needed.insert(folder + "/shared/" + pathOf(file)).second ? 1 : 0;
    });
  }
  std::set<std::string> there;
  if (files.stat(folder)) {
    for (const FileInfo& file : files.listFiles(folder)) there.insert(file.path);
  }
  EXPECT_EQ(there, needed);
  return count;
}

class IncrementalBackend : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(, IncrementalBackend, testing::Values("rocksdb", "hashmap"),
                         [](const auto& backend) { return std::string(backend.param); });

TEST_P(IncrementalBackend, TheStorageHoldsWhatTheCheckpointsReferToAndNothingElse) {
  int went = 0;
  size_t reused = 0;
  for (uint64_t seed = 0; seed < 25; ++seed) {
    Random random(seed);
    constexpr int64_t kCount = 2000;
    const auto shape = [&random] {
      return JobShape{.sources = static_cast<int>(1 + random.below(2)),
                      .sums = static_cast<int>(1 + random.below(3))};
    };
    const auto outside = std::make_shared<Outside>();
    RecoveryWorld world(seed);
    SimulatedFiles& files = world.sim->files();
    Configuration configuration = incremental(GetParam());
    configuration.set("execution.checkpointing.num-retained", std::to_string(1 + random.below(3)));
    configuration.set("execution.checkpointing.max-concurrent-checkpoints",
                      std::to_string(1 + random.below(3)));
    configuration.set("execution.checkpointing.tolerable-failed-checkpoints", "1000");
    // Crashes twice, and while it runs writes fail now and then. The second crash ends it.
    outside->untilCrash = 1 + static_cast<int64_t>(random.below(kCount));
    outside->onCrash = [&] {
      if (outside->crashes == 1) outside->untilCrash = 1 + static_cast<int64_t>(random.below(kCount));
    };
    if (seed % 2 == 0) files.failSome(100, 20);
    const JobResult crashed = world.run(summing(kCount, shape(), outside), configuration, 300, 1);
    files.failSome(0, 0);
    outside->untilCrash = 0;  // what ended it may have been a file that could not be read
    if (seed % 2 == 1) reused += expectNothingElse(files);
    if (crashed.status != JobStatus::kFailed) continue;
    for (const bool claims : {false, true}) {
      const std::vector<std::string> from = checkpointsIn(files);
      if (from.empty()) break;
      ++went;
      const std::string start = from[random.below(from.size())];
      configuration.set("execution.state-recovery.path", start);
      configuration.set("execution.state-recovery.claim-mode", claims ? "CLAIM" : "NO_CLAIM");
      const bool elsewhere = random.below(2) == 0;
      configuration.set("execution.checkpointing.dir", elsewhere ? "/other" : "/checkpoints");
      const JobResult result = world.run(summing(kCount, shape(), outside), configuration, 300, 0);
      ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
      EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed;
      EXPECT_EQ(files.stat(start).has_value(), !claims) << "seed " << seed;
      // What could not be removed at its end waits for a job that works in the folder.
      if (seed % 2 == 1 || claims || !elsewhere) expectNothingElse(files);
      expectNothingElse(files, "/other");
      EXPECT_TRUE(checkpointsIn(files, "/other").empty());
    }
  }
  EXPECT_GT(went, 25);
  EXPECT_GT(reused, 10u);
}

TEST(Incremental, ALaterCheckpointRefersToFilesOfEarlierOnes) {
  size_t written = 0;
  size_t referred = 0;
  size_t checkpoints = 0;
  size_t building = 0;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 6000;
    RecoveryWorld world(seed);
    Configuration configuration = incremental();
    configuration.set("execution.checkpointing.num-retained", "100");
    const JobResult result = world.run(summing(8000, {}, outside), configuration, 1000, 0);
    ASSERT_EQ(result.status, JobStatus::kFailed);
    size_t most = 0;
    for (const std::string& folder : checkpointsIn(world.sim->files())) {
      const CheckpointMetadata metadata = CheckpointStorage(world.sim->files(), {}).readMetadata(folder);
      referred += shared(metadata);
      bool builds = false;
      metadata.forEachShared([&](const SharedFile& file) { builds |= file.writtenBy < metadata.id; });
      building += builds ? 1 : 0;
      ++checkpoints;
      most = std::max(most, shared(metadata));
    }
    written += expectNothingElse(world.sim->files());
    EXPECT_GT(most, 1u) << "seed " << seed;
    const CheckpointRecord* last = result.checkpoints.latest(CheckpointStatus::kCompleted);
    ASSERT_NE(last, nullptr);
    EXPECT_GT(last->stateBytes, last->sharedBytes) << "seed " << seed;
  }
  // RocksDB merges files now and then, in its own time.
  EXPECT_GT(2 * building, checkpoints) << "most have files of earlier ones";
  EXPECT_GT(2 * referred, 3 * written);
}

// Whether the master finds it, or a task on the way.
TEST_P(IncrementalBackend, ADamagedSharedFileIsLeftForTheCheckpointBefore) {
  int went = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    constexpr int64_t kCount = 3000;
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 2500;
    RecoveryWorld world(seed);
    SimulatedFiles& files = world.sim->files();
    std::string torn;
    std::string newest;
    outside->onCrash = [&] {
      const std::vector<std::string> complete = checkpointsIn(files);
      if (complete.size() < 2) return;
      newest = complete.back();
      const CheckpointMetadata metadata = CheckpointStorage(files, {}).readMetadata(newest);
      // A file that only the newest has.
      metadata.forEachShared([&](const SharedFile& file) {
        if (file.writtenBy == metadata.id) torn = "/checkpoints/shared/" + pathOf(file);
      });
      if (torn.empty()) return;
      std::string content = files.content(torn);
      content[content.size() / 2] ^= 1;
      if (seed % 3 == 0) files.put(torn, content);
      if (seed % 3 == 1) files.put(torn, content.substr(0, content.size() / 2));
      if (seed % 3 == 2) files.remove(torn);
    };
    Configuration configuration = incremental(GetParam());
    configuration.set("execution.checkpointing.num-retained", "3");
    const JobResult result = world.run(summing(kCount, {.sums = 2}, outside), configuration, 400, 1);
    if (torn.empty()) continue;
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed;
    std::string logged;
    for (const std::string& line : world.sim->log().lines()) {
      if (line.find("does not use checkpoint") != std::string::npos &&
          line.find(" in " + newest) != std::string::npos)
        logged = line;
    }
    if (logged.empty()) continue;  // another one was complete before the tasks had ended
    ++went;
    EXPECT_NE(logged.find("file '" + torn + "'"), std::string::npos) << logged;
    const char* const what[] = {"is damaged", "is cut off", "is missing"};
    EXPECT_NE(logged.find(what[seed % 3]), std::string::npos) << logged;
    EXPECT_TRUE(files.stat(newest + "/_metadata")) << "the evidence is kept";
    EXPECT_EQ(files.stat(torn).has_value(), seed % 3 != 2);
  }
  EXPECT_GE(went, 3);
}

TEST(Incremental, WithoutAnotherADamagedSharedFileEndsTheJob) {
  const auto outside = std::make_shared<Outside>();
  outside->untilCrash = 1500;
  RecoveryWorld world(3);
  outside->onCrash = [&] {
    for (const FileInfo& file : world.sim->files().listFiles("/checkpoints/shared")) {
      std::string content = world.sim->files().content(file.path);
      content[content.size() / 2] ^= 1;
      world.sim->files().put(file.path, content);
    }
  };
  const JobResult result = world.run(summing(3000, {}, outside), incremental(), 300, 5);
  ASSERT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(std::string(result.error->what()).find("file '/checkpoints/shared/chk-"), std::string::npos)
      << result.error->what();
  EXPECT_LE(result.restarts, 2) << "it does not try the same again and again";
}

TEST(Incremental, WithoutAFolderAllStateIsStoredEachTime) {
  const auto outside = std::make_shared<Outside>();
  outside->untilCrash = 1500;
  RecoveryWorld world(3);
  Configuration configuration = kept(false);
  configuration.set("execution.checkpointing.incremental", "true");
  configuration.set("state.backend.type", "rocksdb");
  configuration.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-incremental");
  const JobResult result = world.run(summing(3000, {}, outside), configuration, 300, 1);
  ASSERT_EQ(result.status, JobStatus::kFinished) << result.error->what();
  EXPECT_EQ(outside->totals, expected(3000));
  EXPECT_GT(result.checkpoints.completed, 2);
}

CheckpointMetadata having(uint64_t id, const std::vector<std::pair<uint64_t, std::string>>& files) {
  CheckpointMetadata metadata{.id = CheckpointId(id)};
  SubtaskSnapshot& subtask = metadata.operators.emplace_back().subtasks.emplace_back();
  for (const auto& [writtenBy, name] : files)
    subtask.cold.files.push_back({.writtenBy = CheckpointId(writtenBy), .name = name});
  return metadata;
}

std::string paths(const std::vector<SharedFile>& files) {
  std::string all;
  for (const SharedFile& file : files) (all += all.empty() ? "" : " ") += pathOf(file);
  return all;
}

TEST(SharedFileRegistry, AFileGoesWithTheLastThatNeedsIt) {
  SharedFileRegistry registry;
  registry.retain(having(1, {{1, "a"}, {1, "b"}}));
  registry.retain(having(2, {{1, "b"}, {2, "c"}}));
  EXPECT_EQ(registry.needed(), (std::set<std::string>{"chk-1/a", "chk-1/b", "chk-2/c"}));
  EXPECT_EQ(paths(registry.letGo(CheckpointId(1))), "chk-1/a");
  EXPECT_EQ(paths(registry.letGo(CheckpointId(1))), "") << "it is not known any more";
  registry.retain(having(3, {{2, "c"}}));
  EXPECT_EQ(paths(registry.letGo(CheckpointId(2))), "chk-1/b");
  EXPECT_EQ(paths(registry.letGo(CheckpointId(3))), "chk-2/c");
  EXPECT_TRUE(registry.needed().empty());
}

TEST(SharedFileRegistry, WhatACheckpointUnderWayBuildsOnStays) {
  SharedFileRegistry registry;
  registry.retain(having(1, {{1, "a"}}));
  registry.hold(CheckpointId(1));  // by 2
  registry.hold(CheckpointId(1));  // by 3
  // A later one that wrote the same once more replaces it.
  EXPECT_EQ(paths(registry.letGo(CheckpointId(1))), "");
  registry.retain(having(3, {{1, "a"}}));
  EXPECT_EQ(paths(registry.letGo(CheckpointId(1))), "");
  EXPECT_EQ(paths(registry.letGo(CheckpointId(1))), "") << "3 needs it";
  EXPECT_EQ(paths(registry.letGo(CheckpointId(3))), "chk-1/a");
}

}  // namespace
}  // namespace flott
