// A ColdStore that is a RocksDB database in a folder of its own.
//
// The database is a cache of this attempt's state and no more: it has no write-ahead log, and goes with its
// folder when it is closed; what a killed process left is removed by the next one that has the same name for
// it. What must survive is in checkpoints. Opening and closing block for some milliseconds.
//
//   std::shared_ptr<ColdMemory> memory = sharedColdMemory(MemorySize::mb(512), 0.5, 0.1);
//   std::shared_ptr<ColdStore> store = openRocksDb({.folder = "/tmp", .name = "flott-count-0", .memory =
//   memory});
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flott/base/memory_size.h"
#include "flott/base/time.h"
#include "flott/state/cold/cold_store.h"

namespace flott {

/// Memory that databases share: a cache of blocks, from which their write buffers are taken, too. Any thread.
class ColdMemory;

/// `writeBufferRatio` of it may be write buffers; `highPriorityRatio` of the cache is kept for indexes and
/// filters.
std::shared_ptr<ColdMemory> sharedColdMemory(MemorySize size, double writeBufferRatio,
                                             double highPriorityRatio);

struct RocksDbOptions {
  std::string folder;                  // made if it is not there
  std::string folderOption;            // where it was configured, for errors
  std::string name;                    // the beginning of the database's own folder in it
  std::shared_ptr<ColdMemory> memory;  // null: a cache of its own
  MemorySize blockCache = MemorySize::mb(8);
  MemorySize writeBuffer = MemorySize::mb(64);
  int writeBuffers = 2;
  MemorySize blockSize = MemorySize::kb(4);
  int backgroundThreads = 2;
  Duration periodicCompaction = Duration(int64_t{30} * 24 * 3600 * 1000);  // what is older is written anew
};

/// Throws Error(kUser) when the folder cannot be used.
std::shared_ptr<ColdStore> openRocksDb(const RocksDbOptions& options);

/// The folder of a database to be: ColdFiles of another one are put there, and the database is opened on
/// them. Removes it unless it comes to that. One thread at a time; blocks. Throws as ColdStore does.
///
///   RocksDbFolder folder(options);
///   for (const auto& file : files) {
///     folder.begin(file.name);
///     while (…) folder.add(part);
///   }
///   std::shared_ptr<ColdStore> store = folder.open(manifestName, manifest);
class RocksDbFolder {
 public:
  explicit RocksDbFolder(RocksDbOptions options);
  ~RocksDbFolder();
  RocksDbFolder(const RocksDbFolder&) = delete;
  RocksDbFolder& operator=(const RocksDbFolder&) = delete;

  /// Ends the file before.
  void begin(const std::string& name);
  void add(std::string_view bytes);
  /// For reading only the store takes no writes. Last call.
  std::shared_ptr<ColdStore> open(const std::string& manifestName, std::string_view manifest,
                                  bool readOnly = false);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace flott
