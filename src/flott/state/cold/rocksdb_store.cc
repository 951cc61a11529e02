#include "flott/state/cold/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "flott/base/error.h"
#include "flott/state/cold/list_merge.h"

namespace flott {

class ColdMemory {
 public:
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> writeBuffers;
};

namespace {

constexpr int kMostNames = 10'000;
constexpr int kMostLost = 100;  // names that others took at the same moment
constexpr const char* kOwnerFile = "/OWNER";
constexpr double kFilterBitsPerKey = 10;
constexpr size_t kManifestBytes = size_t{1} << 20;
constexpr size_t kUploadAtOnce = size_t{1} << 20;
constexpr double kMemtableFilterRatio = 0.02;  // of the write buffer

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

std::shared_ptr<rocksdb::Cache> newCache(uint64_t bytes, double highPriorityRatio) {
  rocksdb::LRUCacheOptions options;
  options.capacity = bytes;
  options.high_pri_pool_ratio = highPriorityRatio;
  options.strict_capacity_limit = false;
  return rocksdb::NewLRUCache(options);
}

/// A ColdFilter as RocksDB asks for it.
class StoreFilter final : public rocksdb::CompactionFilter {
 public:
  explicit StoreFilter(std::shared_ptr<const ColdFilter> filter) : filter_(std::move(filter)) {}
  const char* Name() const override { return "flott"; }
  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    return filter_->drops(view(key), view(value));
  }

 private:
  const std::shared_ptr<const ColdFilter> filter_;
};

class StoreFilters final : public rocksdb::CompactionFilterFactory {
 public:
  const char* Name() const override { return "flott"; }
  void set(std::shared_ptr<const ColdFilter> filter) {
    const std::lock_guard lock(mutex_);
    filter_ = std::move(filter);
  }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    const std::lock_guard lock(mutex_);
    if (filter_ == nullptr) return nullptr;
    return std::make_unique<StoreFilter>(filter_);
  }
  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason reason) const override {
    return reason == rocksdb::TableFileCreationReason::kFlush ||
           reason == rocksdb::TableFileCreationReason::kCompaction;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const ColdFilter> filter_;
};

class Lists final : public rocksdb::MergeOperator {
 public:
  const char* Name() const override { return "flott.lists"; }
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    ListMerge list;
    if (in.existing_value != nullptr && !list.add(view(*in.existing_value))) return false;
    for (const rocksdb::Slice& part : in.operand_list) {
      if (!list.add(view(part))) return false;
    }
    out->new_value = list.finish();
    return true;
  }
  bool PartialMergeMulti(const rocksdb::Slice&, const std::deque<rocksdb::Slice>& parts, std::string* out,
                         rocksdb::Logger*) const override {
    ListMerge list;
    for (const rocksdb::Slice& part : parts) {
      if (!list.add(view(part))) return false;
    }
    *out = list.finish();
    return true;
  }
};

rocksdb::Options databaseOptions(const RocksDbOptions& wanted, std::shared_ptr<StoreFilters> filters) {
  rocksdb::BlockBasedTableOptions table;
  table.block_size = wanted.blockSize.bytes;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  table.format_version = 5;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  rocksdb::Options options;
  if (wanted.memory != nullptr) {
    table.block_cache = wanted.memory->cache;
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    options.write_buffer_manager = wanted.memory->writeBuffers;
  } else {
    table.block_cache = newCache(wanted.blockCache.bytes, 0);
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = wanted.writeBuffer.bytes;
  options.max_write_buffer_number = wanted.writeBuffers;
  options.max_background_jobs = wanted.backgroundThreads;
  options.compression = rocksdb::kLZ4Compression;
  options.merge_operator = std::make_shared<Lists>();
  options.compaction_filter_factory = std::move(filters);
  options.periodic_compaction_seconds = static_cast<uint64_t>(wanted.periodicCompaction.ms / 1000);
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.allow_concurrent_memtable_write = false;  // one thread writes
  // Most keys that are looked up are not among those written last.
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = kMemtableFilterRatio;
  options.level_compaction_dynamic_level_bytes = true;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_manifest_file_size = kManifestBytes;  // it is in each checkpoint
  return options;
}

/// A database's folder, as far as it can be done: a full disk must not keep what fills it.
void removeFolder(const std::string& path) {
  rocksdb::Env& env = *rocksdb::Env::Default();
  std::vector<std::string> files;
  env.GetChildren(path, &files).PermitUncheckedError();
  for (const std::string& file : files) {
    if (file == "." || file == "..") continue;
    const std::string inside = path + "/" + file;
    if (!env.DeleteFile(inside).ok()) removeFolder(inside);
  }
  env.DeleteDir(path).PermitUncheckedError();
}

std::string placeOf(const RocksDbOptions& options) {
  return "'" + options.folder + "' (" + options.folderOption + ")";
}

/// What a process that was killed has left: nobody holds its lock.
void removeIfAbandoned(const std::string& path) {
  rocksdb::Env& env = *rocksdb::Env::Default();
  const std::string ownerFile = path + kOwnerFile;
  rocksdb::FileLock* lock = nullptr;
  if (!env.FileExists(ownerFile).ok() || !env.LockFile(ownerFile, &lock).ok()) return;
  removeFolder(path);
  env.UnlockFile(lock).PermitUncheckedError();
}

/// A folder that no living process uses, and that none takes while the object lives: the lock that RocksDB
/// has comes later than the first files, and not at all where it only reads. Goes with what is in it.
class OwnedFolder {
 public:
  explicit OwnedFolder(const RocksDbOptions& options);
  ~OwnedFolder() {
    removeFolder(path_);
    rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError();
  }
  OwnedFolder(const OwnedFolder&) = delete;
  OwnedFolder& operator=(const OwnedFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  rocksdb::FileLock* lock_ = nullptr;
};

OwnedFolder::OwnedFolder(const RocksDbOptions& options) {
  rocksdb::Env& env = *rocksdb::Env::Default();
  const auto refuse = [&](const rocksdb::Status& status) {
    throw Error(ErrorKind::kUser, "state cannot be kept in " + placeOf(options) + ": " + status.ToString() +
                                      ": name a folder that can be written to");
  };
  for (size_t at = 0; (at = options.folder.find('/', at + 1)) != std::string::npos;) {
    env.CreateDirIfMissing(options.folder.substr(0, at)).PermitUncheckedError();  // the last one tells
  }
  if (const rocksdb::Status status = env.CreateDirIfMissing(options.folder); !status.ok()) refuse(status);
  int lost = 0;
  for (int number = 0;; ++number) {
    path_ = options.folder + "/" + options.name + "-" + std::to_string(number);
    if (env.FileExists(path_).ok()) removeIfAbandoned(path_);
    if (env.FileExists(path_).ok()) continue;
    rocksdb::Status status = env.CreateDir(path_);
    if (!status.ok()) {
      if (!env.FileExists(path_).ok() || number == kMostNames) refuse(status);
      continue;
    }
    // Before it is locked another process may take it for abandoned, and remove it.
    status = env.LockFile(path_ + kOwnerFile, &lock_);
    if (status.ok() && env.FileExists(path_ + kOwnerFile).ok()) return;
    if (status.ok()) env.UnlockFile(lock_).PermitUncheckedError();
    if (++lost == kMostLost) refuse(status);
  }
}

class RocksDbScan final : public ColdScan {
 public:
  RocksDbScan(rocksdb::DB& db, std::string_view from, std::string_view to, const std::string& place);
  bool valid() const override { return entries_->Valid(); }
  std::string_view key() const override { return view(entries_->key()); }
  std::string_view value() const override { return view(entries_->value()); }
  void next() override {
    entries_->Next();
    check();
  }

 private:
  void check() const;

  const std::string& place_;
  std::string end_;
  rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> entries_;
};

[[noreturn]] void fail(const rocksdb::Status& status, const std::string& place) {
  if (status.IsCorruption()) {
    throw Error(ErrorKind::kCorruption, "state in " + place + " is damaged: " + status.ToString() +
                                            ": restart the job from its last checkpoint, and check the disk");
  }
  const char* remedy = status.IsNoSpace() ? ": free space there, or choose another disk by that option"
                                          : ": check the disk, or choose another one by that option";
  throw Error(ErrorKind::kTransient, "state cannot be kept in " + place + ": " + status.ToString() + remedy);
}

RocksDbScan::RocksDbScan(rocksdb::DB& db, std::string_view from, std::string_view to,
                         const std::string& place)
    : place_(place), end_(to), upper_(slice(end_)) {
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper_;
  options.fill_cache = false;
  entries_.reset(db.NewIterator(options));
  entries_->Seek(slice(from));
  check();
}

void RocksDbScan::check() const {
  if (!entries_->Valid() && !entries_->status().ok()) fail(entries_->status(), place_);
}

/// Links to the files in a folder within that of the database, which stays as long.
class RocksDbFiles final : public ColdFiles {
 public:
  RocksDbFiles(std::shared_ptr<const OwnedFolder> home, std::string folder, std::string place)
      : home_(std::move(home)), folder_(std::move(folder)), place_(std::move(place)) {
    rocksdb::Env& env = *rocksdb::Env::Default();
    std::vector<std::string> names;
    check(env.GetChildren(folder_, &names));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (name.starts_with("MANIFEST-")) manifestName_ = name;
      if (!name.ends_with(".sst")) continue;
      files_.push_back({name});
      check(env.GetFileSize(folder_ + "/" + name, &files_.back().bytes));
    }
  }
  ~RocksDbFiles() override { removeFolder(folder_); }

  const std::vector<File>& files() const override { return files_; }
  const std::string& manifestName() const override { return manifestName_; }
  std::string manifest() const override {
    std::string bytes;
    check(rocksdb::ReadFileToString(rocksdb::Env::Default(), folder_ + "/" + manifestName_, &bytes));
    return bytes;
  }
  void read(const File& file, MoveFunction<void(std::string_view)> take) const override {
    std::unique_ptr<rocksdb::SequentialFile> reader;
    check(rocksdb::Env::Default()->NewSequentialFile(folder_ + "/" + file.name, &reader, {}));
    std::string room(std::min<uint64_t>(kUploadAtOnce, std::max<uint64_t>(file.bytes, 1)), '\0');
    rocksdb::Slice part;
    do {
      check(reader->Read(room.size(), &part, room.data()));
      if (!part.empty()) take(view(part));
    } while (!part.empty());
  }

 private:
  void check(const rocksdb::Status& status) const {
    if (!status.ok()) fail(status, place_);
  }

  const std::shared_ptr<const OwnedFolder> home_;
  const std::string folder_;
  const std::string place_;
  std::vector<File> files_;
  std::string manifestName_;
};

class RocksDbStore final : public ColdStore {
 public:
  RocksDbStore(std::unique_ptr<rocksdb::DB> db, std::shared_ptr<const OwnedFolder> folder, std::string place,
               std::shared_ptr<StoreFilters> filters)
      : folder_(std::move(folder)),
        db_(std::move(db)),
        place_(std::move(place)),
        filters_(std::move(filters)) {
    write_.disableWAL = true;
  }
  ~RocksDbStore() override {
    values_.clear();  // they hold blocks of the cache
    // Nothing can be done about what fails here, and nothing that counts is lost.
    db_->Close().PermitUncheckedError();
  }

  const std::vector<std::optional<std::string_view>>& get(std::span<const std::string_view> keys) override;
  std::unique_ptr<ColdScan> scan(std::string_view from, std::string_view to) override {
    return std::make_unique<RocksDbScan>(*db_, from, to, place_);
  }
  void put(std::string_view key, std::string_view value) override {
    check(pending_.Put(slice(key), slice(value)));
  }
  void append(std::string_view key, std::string_view list) override {
    check(pending_.Merge(slice(key), slice(list)));
  }
  void erase(std::string_view key) override { check(pending_.Delete(slice(key))); }
  void eraseRange(std::string_view from, std::string_view to) override {
    check(pending_.DeleteRange(slice(from), slice(to)));
  }
  void commit() override {
    if (pending_.Count() == 0) return;
    check(db_->Write(write_, &pending_));
    pending_.Clear();
  }
  size_t pendingBytes() const override { return pending_.GetDataSize(); }
  void setFilter(std::shared_ptr<const ColdFilter> filter) override { filters_->set(std::move(filter)); }
  std::unique_ptr<ColdFiles> files() override {
    rocksdb::Checkpoint* made = nullptr;
    check(rocksdb::Checkpoint::Create(db_.get(), &made));
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    std::string folder = folder_->path() + "/cut-" + std::to_string(cuts_++);
    check(checkpoint->CreateCheckpoint(folder));
    return std::make_unique<RocksDbFiles>(folder_, std::move(folder), place_);
  }

 private:
  void check(const rocksdb::Status& status) const {
    if (!status.ok()) [[unlikely]]
      fail(status, place_);
  }

  const std::shared_ptr<const OwnedFolder> folder_;
  std::unique_ptr<rocksdb::DB> db_;
  const std::string place_;  // with the option, for errors
  const std::shared_ptr<StoreFilters> filters_;
  uint64_t cuts_ = 0;
  rocksdb::WriteOptions write_;
  rocksdb::WriteBatch pending_;
  std::vector<rocksdb::Slice> keys_;
  std::vector<rocksdb::PinnableSlice> values_;
  std::vector<rocksdb::Status> statuses_;
  std::vector<std::optional<std::string_view>> found_;
};

const std::vector<std::optional<std::string_view>>& RocksDbStore::get(
    std::span<const std::string_view> keys) {
  const size_t count = keys.size();
  found_.assign(count, std::nullopt);
  if (values_.size() < count) {
    values_ = std::vector<rocksdb::PinnableSlice>(count);
    statuses_.resize(count);
  }
  keys_.clear();
  for (size_t i = 0; i < count; ++i) {
    keys_.push_back(slice(keys[i]));
    values_[i].Reset();
  }
  const rocksdb::ReadOptions options;
  db_->MultiGet(options, db_->DefaultColumnFamily(), count, keys_.data(), values_.data(), statuses_.data(),
                true);
  for (size_t i = 0; i < count; ++i) {
    if (statuses_[i].IsNotFound()) continue;
    check(statuses_[i]);
    found_[i] = view(values_[i]);
  }
  return found_;
}

}  // namespace

std::shared_ptr<ColdMemory> sharedColdMemory(MemorySize size, double writeBufferRatio,
                                             double highPriorityRatio) {
  auto memory = std::make_shared<ColdMemory>();
  memory->cache = newCache(size.bytes, highPriorityRatio);
  memory->writeBuffers = std::make_shared<rocksdb::WriteBufferManager>(
      static_cast<size_t>(static_cast<double>(size.bytes) * writeBufferRatio), memory->cache);
  return memory;
}

struct RocksDbFolder::Parts {
  explicit Parts(RocksDbOptions wanted)
      : options(std::move(wanted)),
        place(placeOf(options)),
        folder(std::make_shared<const OwnedFolder>(options)) {}
  void check(const rocksdb::Status& status) const {
    if (!status.ok()) fail(status, place);
  }
  void endFile() {
    if (file != nullptr) check(file->Close());
    file.reset();
  }

  const RocksDbOptions options;
  const std::string place;
  std::shared_ptr<const OwnedFolder> folder;
  std::unique_ptr<rocksdb::WritableFile> file;
};

RocksDbFolder::RocksDbFolder(RocksDbOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}
RocksDbFolder::~RocksDbFolder() = default;

void RocksDbFolder::begin(const std::string& name) {
  parts_->endFile();
  parts_->check(
      rocksdb::Env::Default()->NewWritableFile(parts_->folder->path() + "/" + name, &parts_->file, {}));
}

void RocksDbFolder::add(std::string_view bytes) { parts_->check(parts_->file->Append(slice(bytes))); }

std::shared_ptr<ColdStore> RocksDbFolder::open(const std::string& manifestName, std::string_view manifest,
                                               bool readOnly) {
  begin(manifestName);
  add(manifest);
  begin("CURRENT");
  add(manifestName + "\n");
  parts_->endFile();
  const auto filters = std::make_shared<StoreFilters>();
  rocksdb::Options options = databaseOptions(parts_->options, filters);
  options.create_if_missing = false;
  options.error_if_exists = false;
  const std::string& path = parts_->folder->path();
  rocksdb::DB* db = nullptr;
  parts_->check(readOnly ? rocksdb::DB::OpenForReadOnly(options, path, &db)
                         : rocksdb::DB::Open(options, path, &db));
  return std::make_shared<RocksDbStore>(std::unique_ptr<rocksdb::DB>(db), std::move(parts_->folder),
                                        parts_->place, filters);
}

std::shared_ptr<ColdStore> openRocksDb(const RocksDbOptions& options) {
  std::string place = placeOf(options);
  auto folder = std::make_shared<const OwnedFolder>(options);
  rocksdb::DB* db = nullptr;
  const auto filters = std::make_shared<StoreFilters>();
  const rocksdb::Status status = rocksdb::DB::Open(databaseOptions(options, filters), folder->path(), &db);
  if (!status.ok()) fail(status, place);
  return std::make_shared<RocksDbStore>(std::unique_ptr<rocksdb::DB>(db), std::move(folder), std::move(place),
                                        filters);
}

}  // namespace flott
