#include "flott/state/local_copies.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/base/running_hash.h"
#include "flott/env/logger.h"
#include "flott/state/checkpoint_storage.h"
#include "flott/state/folder_store.h"

namespace flott {
namespace {

constexpr const char* kComponent = "checkpoint";
constexpr uint64_t kReadAtOnce = uint64_t{4} << 20;
constexpr size_t kMostKnown = 10'000;
constexpr std::string_view kCheckpointFolder = "chk-";
constexpr std::string_view kSharedFolder = "/shared";

std::string_view nameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// 7 of "…/chk-7".
std::optional<uint64_t> checkpointOf(const std::string& folder) {
  const std::string_view name = nameOf(folder);
  if (!name.starts_with(kCheckpointFolder)) return std::nullopt;
  uint64_t id = 0;
  const char* const last = name.data() + name.size();
  const auto [end, problem] = std::from_chars(name.data() + kCheckpointFolder.size(), last, id);
  return problem == std::errc() && end == last ? std::optional<uint64_t>(id) : std::nullopt;
}

/// Of "task-1-0" are "task-1-0", "task-1-0-3" and "task-1-0.inprogress", but not "task-1-01".
bool isOf(const std::string& task, std::string_view file) {
  return file.starts_with(task) &&
         (file.size() == task.size() || file[task.size()] == '-' || file[task.size()] == '.');
}

}  // namespace

struct LocalCopies::Shared {
  std::mutex mutex;  // folders do not go while files come
  struct Look {
    uint64_t size = 0;
    Timestamp modified;
  };
  // Place, offset and checksum of what was looked at, and fitted, and what the file was like then.
  std::map<std::tuple<std::string, uint64_t, uint64_t>, Look> whole;
};

/// Stops at the first error: then there will be no copy.
class LocalCopies::Writer final : public ObjectWriter {
 public:
  Writer(LocalCopies& copies, std::string place) : copies_(copies), place_(std::move(place)) {
    attempt([this] {
      const std::lock_guard guard(copies_.shared_->mutex);
      copies_.files_.makeFolders(place_.substr(0, place_.rfind('/')));
      file_ = copies_.files_.create(unfinished(), WriteMode::kCreate);
    });
  }
  ~Writer() override {
    if (file_ != nullptr) drop();
  }
  void write(std::string_view bytes) override {
    if (file_ != nullptr) attempt([&] { file_->write(bytes); });
  }
  // Not synced: what a crash of the machine leaves of it does not fit its checksum.
  void close() override {
    if (file_ == nullptr) return;
    attempt([this] {
      file_->close();
      copies_.files_.rename(unfinished(), place_);
    });
    file_.reset();
  }

 private:
  std::string unfinished() const { return place_ + ".inprogress"; }
  template <typename F>
  void attempt(F step) {
    try {
      step();
    } catch (...) {
      copies_.log_.warn(kComponent,
                        std::string("a local copy of state is left out: ") + currentError().what());
      drop();
    }
  }
  void drop() {
    file_.reset();
    try {
      copies_.files_.remove(unfinished());
    } catch (const Error&) {  // the log has told what is wrong with this disk
    }
  }

  LocalCopies& copies_;
  const std::string place_;
  std::unique_ptr<FileWriter> file_;  // null: closed, or given up
};

LocalCopies::LocalCopies(Files& files, Logger& log, Options options)
    : files_(files), log_(log), options_(std::move(options)), shared_(std::make_unique<Shared>()) {}

LocalCopies::~LocalCopies() = default;

std::optional<std::string> LocalCopies::placeOf(const std::string& path) const {
  const std::string& root = options_.checkpoints;
  if (root.empty() || path.size() <= root.size() || !path.starts_with(root) || path[root.size()] != '/')
    return std::nullopt;
  return options_.folder + path.substr(root.size());
}

// --- writing ---

std::unique_ptr<ObjectWriter> LocalCopies::create(const std::string& path) {
  const std::optional<std::string> place = placeOf(path);
  return place ? std::make_unique<Writer>(*this, *place) : nullptr;
}

void LocalCopies::put(const std::string& path, std::span<const std::string> parts) {
  const std::unique_ptr<ObjectWriter> writer = create(path);
  if (writer == nullptr) return;
  for (const std::string& part : parts) writer->write(part);
  writer->close();
}

// --- reading ---

std::optional<std::string> LocalCopies::read(const std::string& path, const StateHandle& handle) {
  const std::optional<std::string> place = options_.reads ? placeOf(path) : std::nullopt;
  if (!place) return std::nullopt;
  try {
    if (!files_.stat(*place)) return std::nullopt;
    std::string bytes = FolderStore(files_).read(*place, handle.offset, handle.length);
    if (bytes.size() == handle.length && hashBytes(bytes) == handle.checksum) return bytes;
    reject(*place, "it is damaged");
  } catch (...) {
    reject(*place, currentError().what());
  }
  return std::nullopt;
}

std::optional<std::string> LocalCopies::readPart(const std::string& path, const StateHandle& handle,
                                                 uint64_t offset, uint64_t length) {
  const std::optional<std::string> place = options_.reads ? placeOf(path) : std::nullopt;
  const bool begins = offset == 0;  // once more for each restore: disks forget as well
  if (!place || !isWhole(*place, handle.offset, handle.length, handle.checksum, begins)) return std::nullopt;
  try {
    std::string bytes = FolderStore(files_).read(*place, handle.offset + offset, length);
    if (bytes.size() == length) return bytes;
    reject(*place, "it ends early");
  } catch (...) {
    reject(*place, currentError().what());
  }
  return std::nullopt;
}

bool LocalCopies::readAll(const std::string& path, uint64_t length, uint64_t checksum,
                          MoveFunction<void(std::string_view)>& take) {
  const std::optional<std::string> place = options_.reads ? placeOf(path) : std::nullopt;
  if (!place || !fits(*place, 0, length, checksum)) return false;
  RunningHash hash;
  for (uint64_t at = 0; at < length;) {
    std::string bytes;
    std::string problem = "it is cut off";
    try {
      bytes = FolderStore(files_).read(*place, at, std::min(kReadAtOnce, length - at));
    } catch (...) {
      problem = currentError().what();
    }
    if (bytes.empty()) {
      reject(*place, problem);
      if (at == 0) return false;
      throw Error(ErrorKind::kTransient,
                  "the local copy '" + *place + "' went while it was read: " + problem);
    }
    hash.add(bytes);
    take(bytes);
    at += bytes.size();
  }
  if (hash.value() == checksum) return true;
  reject(*place, "it was changed while it was read");
  throw Error(ErrorKind::kTransient, "the local copy '" + *place + "' was changed while it was read");
}

/// Looks at all of it: anew, or where the file is not as it was.
bool LocalCopies::isWhole(const std::string& place, uint64_t offset, uint64_t length, uint64_t checksum,
                          bool anew) {
  std::optional<FileInfo> info;
  try {
    info = files_.stat(place);
  } catch (const Error&) {  // fits() tells why
  }
  {
    const std::lock_guard guard(shared_->mutex);
    const auto known = shared_->whole.find({place, offset, checksum});
    const bool same = !anew && info && known != shared_->whole.end() && known->second.size == info->size &&
                      known->second.modified == info->modified;
    if (same) return true;
    if (known != shared_->whole.end()) shared_->whole.erase(known);
  }
  if (!fits(place, offset, length, checksum) || !info) return false;
  const std::lock_guard guard(shared_->mutex);
  if (shared_->whole.size() >= kMostKnown) shared_->whole.clear();
  shared_->whole.insert_or_assign({place, offset, checksum}, Shared::Look{info->size, info->modified});
  return true;
}

bool LocalCopies::fits(const std::string& place, uint64_t offset, uint64_t length, uint64_t checksum) {
  try {
    if (!files_.stat(place)) return false;
    FolderStore store(files_);
    RunningHash hash;
    uint64_t at = 0;
    while (at < length) {
      const std::string bytes = store.read(place, offset + at, std::min(kReadAtOnce, length - at));
      if (bytes.empty()) break;
      hash.add(bytes);
      at += bytes.size();
    }
    if (at == length && hash.value() == checksum) return true;
    reject(place, "it is damaged");
  } catch (...) {
    reject(place, currentError().what());
  }
  return false;
}

void LocalCopies::reject(const std::string& place, const std::string& why) {
  log_.warn(kComponent,
            "the local copy '" + place + "' is of no use, state is read from the checkpoint: " + why);
  try {
    files_.remove(place);
  } catch (const Error&) {  // it will be found to be of no use again
  }
}

// --- what goes ---

void LocalCopies::completed(const std::string& task, CheckpointId checkpoint,
                            const std::set<std::string>& shared) {
  try {
    const std::string folderOfShared = options_.folder + std::string(kSharedFolder);
    if (!files_.stat(options_.folder)) return;
    for (const FileInfo& folder : files_.listFolder(options_.folder)) {
      const std::optional<uint64_t> id = checkpointOf(folder.path);
      if (id && *id < checkpoint.value) removeOf(task, folder.path);
    }
    if (!files_.stat(folderOfShared)) return;
    for (const FileInfo& folder : files_.listFolder(folderOfShared)) {
      const std::optional<uint64_t> id = checkpointOf(folder.path);
      if (!id || *id > checkpoint.value) continue;
      for (const FileInfo& file : files_.listFolder(folder.path)) {
        const std::string name = file.path.substr(folderOfShared.size() + 1);
        if (isOf(task, nameOf(name)) && !shared.contains(name)) files_.remove(file.path);
      }
      removeIfEmpty(folder.path);
    }
  } catch (...) {
    log_.warn(kComponent, std::string("local copies of state are not removed: ") + currentError().what());
  }
}

void LocalCopies::abandoned(const std::string& task, CheckpointId checkpoint) {
  const std::string name = "/" + std::string(kCheckpointFolder) + std::to_string(checkpoint.value);
  try {
    removeOf(task, options_.folder + name);
    removeOf(task, options_.folder + std::string(kSharedFolder) + name);
  } catch (...) {
    log_.warn(kComponent, std::string("local copies of state are not removed: ") + currentError().what());
  }
}

void LocalCopies::removeOf(const std::string& task, const std::string& folder) {
  if (!files_.stat(folder)) return;
  for (const FileInfo& file : files_.listFolder(folder)) {
    if (isOf(task, nameOf(file.path))) files_.remove(file.path);
  }
  removeIfEmpty(folder);
}

void LocalCopies::removeIfEmpty(const std::string& folder) {
  const std::lock_guard guard(shared_->mutex);
  if (files_.stat(folder) && files_.listFolder(folder).empty()) files_.remove(folder);
}

void LocalCopies::removeAll() {
  try {
    FolderStore(files_).removeFolder(options_.folder);
  } catch (...) {
    log_.warn(kComponent, std::string("local copies of state are not removed: ") + currentError().what());
  }
}

}  // namespace flott
