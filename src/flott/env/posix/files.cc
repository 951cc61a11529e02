#include "flott/env/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"
#include "flott/env/write_behind.h"

namespace flott::posix {
namespace {

constexpr size_t kWriteBuffer = 64 * 1024;

FileInfo infoOf(std::string path, const struct stat& status) {
  FileInfo info;
  info.path = std::move(path);
  info.size = static_cast<uint64_t>(status.st_size);
  info.modified = Timestamp(status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000);
  info.isFolder = S_ISDIR(status.st_mode);
  return info;
}

class PosixReader final : public FileReader {
 public:
  PosixReader(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  size_t read(uint64_t offset, std::span<char> into) override {
    const ssize_t got = retried(
        [&] { return ::pread(file_.number(), into.data(), into.size(), static_cast<off_t>(offset)); });
    if (got < 0) throw fileError(FileDeed::kRead, path_, errno);
    return static_cast<size_t>(got);
  }

  uint64_t size() const override {
    struct stat status;
    if (::fstat(file_.number(), &status) != 0) throw fileError(FileDeed::kRead, path_, errno);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  const std::string path_;
  const Descriptor file_;
};

class PosixWriter final : public FileWriter, public WritesBehind {
 public:
  PosixWriter(std::string path, Descriptor file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size), written_(size), started_(size) {
    buffer_.reserve(kWriteBuffer);
  }

  void write(std::string_view bytes) override {
    size_ += bytes.size();
    if (buffer_.size() + bytes.size() > kWriteBuffer) flush();
    if (bytes.size() >= kWriteBuffer) {
      writeThrough(bytes);
    } else {
      buffer_.append(bytes);
    }
  }

  void flush() override {
    writeThrough(buffer_);
    buffer_.clear();
  }

  void sync() override {
    flush();
    if (retried([&] { return ::fdatasync(file_.number()); }) != 0)
      throw fileError(FileDeed::kWrite, path_, errno);
  }

  void startSync() override {
    (void)::sync_file_range(file_.number(), static_cast<off64_t>(started_),
                            static_cast<off64_t>(written_ - started_), SYNC_FILE_RANGE_WRITE);
    started_ = written_;
  }

  void close() override {
    flush();
    const int number = file_.release();
    if (::close(number) != 0 && !wasInterrupted()) throw fileError(FileDeed::kWrite, path_, errno);
  }

  uint64_t size() const override { return size_; }

 private:
  void writeThrough(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = retried([&] { return ::write(file_.number(), bytes.data(), bytes.size()); });
      if (written < 0) throw fileError(FileDeed::kWrite, path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
      written_ += static_cast<uint64_t>(written);
    }
  }

  const std::string path_;
  Descriptor file_;
  uint64_t size_;
  uint64_t written_;  // of these, those that the system has
  uint64_t started_;  // and those that it was told to bring to the disk
  std::string buffer_;
};

class PosixFiles final : public Files {
 public:
  std::optional<FileInfo> stat(const std::string& path) override {
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      throw fileError(FileDeed::kRead, path, errno);
    }
    FileInfo info = infoOf(path, status);
    struct stat itself;
    info.isLink = ::lstat(path.c_str(), &itself) == 0 && S_ISLNK(itself.st_mode);
    return info;
  }

  std::vector<FileInfo> listFolder(const std::string& folder) override {
    DIR* stream = ::opendir(folder.c_str());
    if (stream == nullptr) throw fileError(FileDeed::kList, folder, errno);
    std::vector<FileInfo> found;
    const std::string prefix = folder.ends_with('/') ? folder : folder + "/";
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat status;
      // Fails for links that lead nowhere, and for files that somebody removes just now.
      if (::fstatat(::dirfd(stream), entry->d_name, &status, 0) != 0) continue;
      found.push_back(infoOf(prefix + std::string(name), status));
      found.back().isLink = entry->d_type == DT_LNK;
    }
    ::closedir(stream);
    std::sort(found.begin(), found.end(),
              [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
    return found;
  }

  std::unique_ptr<FileReader> open(const std::string& path) override {
    Descriptor file(retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    struct stat status;
    if (file.number() < 0 || ::fstat(file.number(), &status) != 0)
      throw fileError(FileDeed::kRead, path, errno);
    if (S_ISDIR(status.st_mode)) throw fileError(FileDeed::kRead, path, EISDIR);
    return std::make_unique<PosixReader>(path, std::move(file));
  }

  std::unique_ptr<FileWriter> create(const std::string& path, WriteMode mode) override {
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (mode == WriteMode::kAppend ? O_APPEND : O_TRUNC);
    Descriptor file(retried([&] { return ::open(path.c_str(), flags, 0666); }));
    struct stat status;
    if (file.number() < 0 || ::fstat(file.number(), &status) != 0)
      throw fileError(FileDeed::kWrite, path, errno);
    return std::make_unique<PosixWriter>(path, std::move(file), static_cast<uint64_t>(status.st_size));
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return;
    const int why = errno;
    const bool targetAtFault = why == ENOENT && stat(from).has_value();
    throw targetAtFault ? fileError(FileDeed::kWrite, to, why) : fileError(FileDeed::kRename, from, why);
  }

  void remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0 && errno != ENOENT) throw fileError(FileDeed::kRemove, path, errno);
  }

  void makeFolders(const std::string& path) override {
    for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      makeFolder(path.substr(0, slash));
    }
    makeFolder(path);
  }

  void syncFolder(const std::string& folder) override {
    const Descriptor opened(
        retried([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (opened.number() < 0) throw fileError(FileDeed::kWrite, folder, errno);
    // Some file systems have no such thing, and keep names in order by themselves.
    if (retried([&] { return ::fsync(opened.number()); }) != 0 && errno != EINVAL)
      throw fileError(FileDeed::kWrite, folder, errno);
  }

 private:
  void makeFolder(const std::string& path) {
    if (::mkdir(path.c_str(), 0777) == 0) return;
    const int why = errno;
    if (why == EEXIST) {
      const std::optional<FileInfo> info = stat(path);
      if (info && info->isFolder) return;
    }
    throw fileError(FileDeed::kMakeFolder, path, why);
  }
};

}  // namespace

std::unique_ptr<Files> makeFiles() { return std::make_unique<PosixFiles>(); }

}  // namespace flott::posix
