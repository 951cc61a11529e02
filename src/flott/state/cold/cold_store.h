// Bytes by key on a disk: what stands behind the tables of one backend when state is larger than memory.
//
// Keys are ordered as bytes. Writes gather until commit(); reads see what was committed. Owned by one
// backend, used on its task's thread only. Failures are Errors that name the folder and the option that
// chose it: kUser where it cannot be used at all, kTransient when the disk is full or fails, kCorruption when
// what is read is not what was written. rocksdb_store.h makes one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/function.h"

namespace flott {

/// Entries in the order of their keys, as they were when the scan was made. Must not outlive its store.
class ColdScan {
 public:
  virtual ~ColdScan() = default;
  /// False behind the last entry.
  virtual bool valid() const = 0;
  // Good until next().
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual void next() = 0;
};

/// The files of a store as they were at a moment. They go with the object, and not with the store. Any
/// thread, one at a time.
class ColdFiles {
 public:
  struct File {
    std::string name;
    uint64_t bytes = 0;
  };
  virtual ~ColdFiles() = default;
  /// By name. They never change: what the same store has under a name at another moment is the same.
  virtual const std::vector<File>& files() const = 0;
  // What the store knows of them, in a small file of this moment only.
  virtual const std::string& manifestName() const = 0;
  virtual std::string manifest() const = 0;
  /// Hands the content over, a part at a time.
  virtual void read(const File& file, MoveFunction<void(std::string_view)> take) const = 0;
};

/// Tells a store what it need not keep. Any thread.
class ColdFilter {
 public:
  virtual ~ColdFilter() = default;
  virtual bool drops(std::string_view key, std::string_view value) const = 0;
};

class ColdStore {
 public:
  virtual ~ColdStore() = default;

  /// The values of `keys`, which ascend; nothing where there is none. Good until the next get().
  virtual const std::vector<std::optional<std::string_view>>& get(std::span<const std::string_view> keys) = 0;
  /// From `from` to before `to`. Good while the scan lives, whatever is written meanwhile.
  virtual std::unique_ptr<ColdScan> scan(std::string_view from, std::string_view to) = 0;

  virtual void put(std::string_view key, std::string_view value) = 0;
  /// Both are lists (list_merge.h): puts this one behind what is there, without reading that.
  virtual void append(std::string_view key, std::string_view list) = 0;
  virtual void erase(std::string_view key) = 0;
  virtual void eraseRange(std::string_view from, std::string_view to) = 0;
  /// What was gathered since the last commit, in its order.
  virtual void commit() = 0;
  /// Bytes gathered.
  virtual size_t pendingBytes() const = 0;
  /// From now on entries that it drops go as the store writes and merges its files, sooner or later.
  virtual void setFilter(std::shared_ptr<const ColdFilter> filter) = 0;
  /// Of what was committed. Writes what the store has in memory, which takes as long.
  virtual std::unique_ptr<ColdFiles> files() = 0;
};

}  // namespace flott
