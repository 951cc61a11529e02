#include "flott/connectors/files/file_enumerator.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"
#include "flott/env/env.h"

namespace flott {
namespace {

// Files are not cut smaller than this for the sake of more subtasks.
constexpr uint64_t kLeastBalanced = uint64_t{1} << 20;

// Whether a name below the folder is hidden by '.' or '_', as unfinished files of other programs are.
bool hidden(std::string_view path, size_t from) {
  for (size_t at = from; at < path.size();) {
    if (path[at] == '.' || path[at] == '_') return true;
    const size_t slash = path.find('/', at);
    if (slash == std::string_view::npos) break;
    at = slash + 1;
  }
  return false;
}

}  // namespace

std::vector<FileInfo> findFiles(Files& files, const std::string& path, bool mayCome) {
  if (isGlob(path)) {
    std::vector<FileInfo> found = files.glob(path);
    std::erase_if(found, [](const FileInfo& file) { return hidden(file.path, file.path.rfind('/') + 1); });
    if (found.empty() && !mayCome) {
      throw Error(ErrorKind::kUser,
                  "no file matches '" + path +
                      "': check the pattern and the folder you run in (a pattern means files; "
                      "write folder/** for all files below a folder)");
    }
    return found;
  }
  const std::optional<FileInfo> info = files.stat(path);
  if (!info && !mayCome) {
    throw Error(ErrorKind::kUser, "there is no file or folder '" + path +
                                      "': check the path, and the folder you run in if the path is relative");
  }
  if (!info) return {};
  if (!info->isFolder) return {*info};
  std::vector<FileInfo> found = files.listFiles(path);
  const size_t below = path.size() + (path.ends_with('/') ? 0 : 1);
  std::erase_if(found, [&](const FileInfo& file) { return hidden(file.path, below); });
  return found;
}

FileEnumerator::FileEnumerator(std::vector<std::string> paths, std::shared_ptr<const FileFormat> format,
                               const FileSourceOptions& options, FileEnumeratorState restored)
    : paths_(std::move(paths)),
      format_(std::move(format)),
      options_(options),
      listed_(restored.listed),
      seen_(std::move(restored.seen)),
      unassigned_(restored.unassigned.begin(), restored.unassigned.end()) {}

void FileEnumerator::start(EnumeratorContext<FileSplit>& context) {
  context_ = &context;
  if (!listed_ || continuous()) list();
}

void FileEnumerator::list() {
  auto found = std::make_shared<std::vector<FileInfo>>();
  context_->callAsync(
      "list files",
      [found, paths = paths_, mayCome = continuous(), &files = context_->env().files] {
        for (const std::string& path : paths) {
          std::vector<FileInfo> some = findFiles(files, path, mayCome);
          found->insert(found->end(), std::make_move_iterator(some.begin()),
                        std::make_move_iterator(some.end()));
        }
      },
      [this, found] {
        take(*found);
        if (continuous()) context_->callAfter(options_.discoveryInterval, [this] { list(); });
      });
}

void FileEnumerator::take(const std::vector<FileInfo>& files) {
  std::map<std::string, Timestamp> seen;
  std::vector<const FileInfo*> fresh;
  uint64_t total = 0;
  for (const FileInfo& file : files) {
    // A file that two paths lead to is read once.
    if (!seen.emplace(file.path, file.modified).second) continue;
    const auto before = seen_.find(file.path);
    if (before != seen_.end() && before->second == file.modified) continue;
    fresh.push_back(&file);
    total += file.size;
  }
  // Files that are gone are forgotten.
  if (continuous()) seen_ = std::move(seen);
  const auto readers = static_cast<uint64_t>(std::max(1, context_->parallelism()));
  const uint64_t balanced = std::max(kLeastBalanced, (total + readers - 1) / readers);
  const uint64_t splitSize = std::max<uint64_t>(1, std::min(options_.splitSize.bytes, balanced));
  for (const FileInfo* file : fresh) cut(*file, splitSize);
  listed_ = true;
  handOut();
}

void FileEnumerator::cut(const FileInfo& file, uint64_t splitSize) {
  if (file.size == 0) return;
  if (!format_->splittable(file.path)) {
    unassigned_.push_back({.path = file.path});
    return;
  }
  for (uint64_t begin = 0; begin < file.size;) {
    // The rest is not left alone when it is small.
    const uint64_t left = file.size - begin;
    const uint64_t size = left < splitSize + splitSize / 10 ? left : splitSize;
    unassigned_.push_back({.path = file.path, .begin = begin, .end = begin + size});
    begin += size;
  }
}

void FileEnumerator::handleSplitRequest(SubtaskIndex reader) {
  waiting_.push_back(reader);
  handOut();
}

void FileEnumerator::handOut() {
  while (!waiting_.empty() && !unassigned_.empty()) {
    context_->assign(waiting_.front(), unassigned_.front());
    waiting_.pop_front();
    unassigned_.pop_front();
  }
  if (!listed_ || continuous()) return;
  for (; !waiting_.empty(); waiting_.pop_front()) context_->signalNoMoreSplits(waiting_.front());
}

void FileEnumerator::addSplitsBack(std::vector<FileSplit> splits, SubtaskIndex reader) {
  std::erase(waiting_, reader);  // what it asked for died with it
  unassigned_.insert(unassigned_.begin(), std::make_move_iterator(splits.begin()),
                     std::make_move_iterator(splits.end()));
  handOut();
}

FileEnumeratorState FileEnumerator::snapshot() const {
  return {.listed = listed_, .seen = seen_, .unassigned = {unassigned_.begin(), unassigned_.end()}};
}

}  // namespace flott
