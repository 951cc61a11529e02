#include "flott/runtime/state_backend.h"

#include <utility>

#include "flott/base/error.h"
#include "flott/base/options.h"
#include "flott/state/spill/spilled_run.h"

namespace flott {
namespace {

bool onDisk(const Configuration& configuration) { return configuration.get(kStateBackend) == "rocksdb"; }

double ratio(const Configuration& configuration, const ConfigOption<double>& option) {
  const double part = configuration.get(option);
  if (!(part >= 0 && part < 1)) {
    throw Error(ErrorKind::kUser, std::string(option.key) + " is " + OptionValue<double>::render(part) +
                                      ": give a part of the managed memory, from 0 to less than 1");
  }
  return part;
}

}  // namespace

std::shared_ptr<ColdMemory> newColdMemory(const Configuration& configuration) {
  if (!onDisk(configuration)) return nullptr;
  const std::optional<MemorySize> fixed = configuration.find(kRocksDbFixedMemory);
  if (!fixed && !configuration.get(kRocksDbManagedMemory)) return nullptr;
  const double writeBuffers = ratio(configuration, kRocksDbWriteBufferRatio);
  const double highPriority = ratio(configuration, kRocksDbHighPriorityRatio);
  if (writeBuffers + highPriority > 1) {
    throw Error(ErrorKind::kUser, std::string(kRocksDbWriteBufferRatio.key) + " and " +
                                      std::string(kRocksDbHighPriorityRatio.key) +
                                      " are more than 1 together: they are parts of one memory");
  }
  return sharedColdMemory(fixed ? *fixed : configuration.get(kManagedMemory), writeBuffers, highPriority);
}

namespace {

RocksDbOptions rocksDbOptions(const Configuration& configuration, const OperatorInfo& info,
                              std::shared_ptr<ColdMemory> memory) {
  const auto local = configuration.find(kRocksDbLocalDir);
  const auto& option = local ? kRocksDbLocalDir : kTmpDirs;
  RocksDbOptions options;
  options.folderOption = option.key;
  options.folder = folderFor(configuration.get(option), info.subtask.value);
  if (options.folder.empty()) {
    throw Error(ErrorKind::kUser,
                options.folderOption + " names no folder: give one that state can be kept in");
  }
  options.name = "flott-rocksdb-" + toString(info.id) + "-" + std::to_string(info.subtask.value + 1);
  options.memory = std::move(memory);
  options.blockCache = configuration.get(kRocksDbBlockCache);
  options.blockSize = configuration.get(kRocksDbBlockSize);
  options.writeBuffer = configuration.get(kRocksDbWriteBuffer);
  options.writeBuffers = static_cast<int>(configuration.get(kRocksDbWriteBuffers));
  options.backgroundThreads = static_cast<int>(configuration.get(kRocksDbThreads));
  options.periodicCompaction = configuration.get(kRocksDbPeriodicCompaction);
  return options;
}

}  // namespace

bool statesOnDisk(const Configuration* configuration) {
  return configuration != nullptr && onDisk(*configuration);
}

void fetchState(CheckpointStorage& storage, const Configuration& configuration, const OperatorInfo& info,
                std::shared_ptr<ColdMemory> memory, RestoredOperator& restored) {
  const auto maxParallelism = static_cast<uint32_t>(info.maxParallelism);
  const SectionTarget target{
      .keyGroups = keyGroupRange(static_cast<uint32_t>(info.subtask.value), maxParallelism,
                                 static_cast<uint32_t>(info.parallelism)),
      .maxParallelism = maxParallelism};
  const RocksDbOptions options = rocksDbOptions(configuration, info, std::move(memory));
  restored.cold =
      restoreCold(storage, options, restored.stored, orderRange(target.keyGroups, maxParallelism));
  restored.stored.clear();
  for (const StoredSection& section : restored.sections) {
    if (onDisk(configuration) && section.shared.image.empty()) {
      if (restored.cold.store == nullptr) restored.cold.store = openRocksDb(options);
      loadSection(storage, section, target, restored.cold, restored.keyed);
    } else {
      restored.keyed.add(readSection(storage, section), target.keyGroups, section.maxParallelism,
                         maxParallelism);
    }
  }
  restored.sections.clear();
}

std::shared_ptr<ColdStore> newColdStore(const Configuration& configuration, const OperatorInfo& info,
                                        std::shared_ptr<ColdMemory> memory) {
  if (!onDisk(configuration)) return nullptr;
  return openRocksDb(rocksDbOptions(configuration, info, std::move(memory)));
}

}  // namespace flott
