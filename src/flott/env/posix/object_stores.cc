// Object stores through Arrow's file systems. That of S3 is a library of its own, loaded when it is first
// needed.
#include <arrow/buffer.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/config.h>
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "flott/base/options.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

bool isS3(const std::string& uri) { return schemeOf(uri).starts_with("s3"); }

// "s3://bucket" of "s3://bucket/a/b".
std::string rootOf(const std::string& uri) { return uri.substr(0, uri.find('/', uri.find("//") + 2)); }

std::string escaped(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    out += plain ? std::string(1, c) : std::string({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

// The wheel has the file system of S3 in a library beside its libarrow; Debian's libarrow has it inside.
void loadS3() {
  static const bool loaded = [] {
    constexpr char kArrow[] = "libarrow.so." ARROW_SO_VERSION;
    std::string folder;
    if (void* arrow = dlopen(kArrow, RTLD_LAZY | RTLD_NOLOAD)) {
      Dl_info info{};
      const void* symbol = dlsym(arrow, "_ZN5arrow2fs15EnsureFinalizedEv");
      if (symbol != nullptr && dladdr(symbol, &info) != 0) folder = info.dli_fname;
      dlclose(arrow);
    }
    folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/') + 1);
    const std::string library = folder + "libarrow_s3.so." ARROW_SO_VERSION;
    if (access(library.c_str(), R_OK) == 0) {
      const arrow::Status status = arrow::fs::LoadFileSystemFactories(library.c_str());
      if (!status.ok())
        throw Error(ErrorKind::kUser, "'" + library + "' cannot be loaded: " + status.message());
    }
    return true;
  }();
  (void)loaded;
}

// Its threads must end before its statics do, and it cannot begin anew: at the end of the process. It begins
// with the first file system, so this comes after it, for what is registered last runs first.
void finalizeAtExit() {
  static const bool registered = std::atexit([] { arrow::fs::EnsureFinalized(); }) == 0;
  FLOTT_CHECK(registered, "atexit() is full");
}

std::string setting(const StringMap& options, const ConfigOption<std::string>& option) {
  const auto found = options.find(std::string(option.key));
  return found == options.end() ? std::string() : found->second;
}

// As Arrow wants it: s3://key:secret@bucket?endpoint_override=host:port&scheme=http.
std::string s3Uri(const std::string& root, const StringMap& options) {
  const std::string key = setting(options, kS3AccessKey);
  std::string uri = "s3://";
  if (!key.empty()) uri += escaped(key) + ":" + escaped(setting(options, kS3SecretKey)) + "@";
  uri += root.substr(root.find("//") + 2) + "?allow_delayed_open=true";
  std::string endpoint = setting(options, kS3Endpoint);
  std::string region = setting(options, kS3Region);
  if (!endpoint.empty()) {
    const std::string scheme = endpoint.starts_with("http://") ? "http" : "https";
    if (const size_t slashes = endpoint.find("//"); slashes != std::string::npos)
      endpoint = endpoint.substr(slashes + 2);
    while (endpoint.ends_with('/')) endpoint.pop_back();
    uri += "&scheme=" + scheme + "&endpoint_override=" + escaped(endpoint);
    if (region.empty()) region = "us-east-1";
  }
  return region.empty() ? uri : uri + "&region=" + escaped(region);
}

class ArrowStore final : public ObjectStore {
 public:
  ArrowStore(std::string root, StringMap options) : root_(std::move(root)), options_(std::move(options)) {}

  std::unique_ptr<ObjectWriter> create(const std::string& uri) override {
    arrow::fs::FileSystem& files = connected(kWritten, uri);
    makeFolderFor(files, uri);
    return std::make_unique<Writer>(*this, uri, valueOf(files.OpenOutputStream(pathOf(uri)), kWritten, uri));
  }

  void copy(const std::string& from, const std::string& to) override {
    arrow::fs::FileSystem& files = connected(kWritten, to);
    makeFolderFor(files, to);
    check(files.CopyFile(pathOf(from), pathOf(to)), kWritten, to);
  }

  void put(const std::string& uri, std::span<const std::string> parts) override {
    const std::unique_ptr<ObjectWriter> writer = create(uri);
    for (const std::string& part : parts) writer->write(part);
    writer->close();
  }

  std::optional<uint64_t> size(const std::string& uri) override {
    constexpr const char* kDeed = "looked for";
    const auto info = valueOf(connected(kDeed, uri).GetFileInfo(pathOf(uri)), kDeed, uri);
    return info.IsFile() ? std::optional<uint64_t>(static_cast<uint64_t>(info.size())) : std::nullopt;
  }

  std::string read(const std::string& uri, uint64_t offset, uint64_t length) override {
    constexpr const char* kDeed = "read";
    const auto file = valueOf(connected(kDeed, uri).OpenInputFile(pathOf(uri)), kDeed, uri);
    const auto size = static_cast<uint64_t>(valueOf(file->GetSize(), kDeed, uri));
    if (offset >= size) return {};
    std::string bytes(std::min(length, size - offset), '\0');
    const int64_t got =
        valueOf(file->ReadAt(static_cast<int64_t>(offset), static_cast<int64_t>(bytes.size()), bytes.data()),
                kDeed, uri);
    bytes.resize(static_cast<size_t>(got));
    return bytes;
  }

  std::vector<ObjectInfo> list(const std::string& folder) override {
    constexpr const char* kDeed = "listed";
    arrow::fs::FileSelector below;
    below.base_dir = pathOf(folder);
    below.recursive = true;
    below.allow_not_found = true;
    std::vector<ObjectInfo> found;
    for (const arrow::fs::FileInfo& info :
         valueOf(connected(kDeed, folder).GetFileInfo(below), kDeed, folder)) {
      if (!info.IsFile()) continue;
      found.push_back(
          {folder + info.path().substr(below.base_dir.size()), static_cast<uint64_t>(info.size())});
    }
    std::sort(found.begin(), found.end(),
              [](const ObjectInfo& a, const ObjectInfo& b) { return a.uri < b.uri; });
    return found;
  }

  void remove(const std::string& uri) override {
    constexpr const char* kDeed = "removed";
    if (size(uri)) check(connected(kDeed, uri).DeleteFile(pathOf(uri)), kDeed, uri);
  }

  void removeFolder(const std::string& folder) override {
    constexpr const char* kDeed = "removed";
    arrow::fs::FileSystem& files = connected(kDeed, folder);
    const auto info = valueOf(files.GetFileInfo(pathOf(folder)), kDeed, folder);
    if (info.IsDirectory()) check(files.DeleteDir(pathOf(folder)), kDeed, folder);
  }

 private:
  static constexpr const char* kWritten = "written";

  class Writer final : public ObjectWriter {
   public:
    Writer(const ArrowStore& store, std::string uri, std::shared_ptr<arrow::io::OutputStream> out)
        : store_(store), uri_(std::move(uri)), out_(std::move(out)) {}
    ~Writer() override {
      if (!closed_) (void)out_->Abort();
    }
    void write(std::string_view bytes) override {
      store_.check(out_->Write(bytes.data(), static_cast<int64_t>(bytes.size())), kWritten, uri_);
    }
    void close() override {
      store_.check(out_->Close(), kWritten, uri_);
      closed_ = true;
    }

   private:
    const ArrowStore& store_;
    const std::string uri_;
    const std::shared_ptr<arrow::io::OutputStream> out_;
    bool closed_ = false;
  };

  // Others than S3 may have folders that must be there.
  void makeFolderFor(arrow::fs::FileSystem& files, const std::string& uri) {
    if (isS3(uri)) return;
    const std::string path = pathOf(uri);
    check(files.CreateDir(path.substr(0, path.rfind('/')), true), kWritten, uri);
  }
  arrow::fs::FileSystem& connected(const char* deed, const std::string& uri) {
    const std::lock_guard lock(mutex_);
    if (files_ == nullptr) {
      if (isS3(root_)) loadS3();
      files_ = valueOf(arrow::fs::FileSystemFromUri(isS3(root_) ? s3Uri(root_, options_) : root_ + "/"), deed,
                       uri);
      if (isS3(root_)) finalizeAtExit();
    }
    return *files_;
  }
  std::string pathOf(const std::string& uri) {
    if (isS3(uri)) return uri.substr(uri.find("//") + 2);
    return valueOf(connected("found", uri).PathFromUri(uri), "found", uri);
  }
  // Arrow's words may have the secret in them, where they are about the URI.
  void check(const arrow::Status& status, const char* deed, const std::string& uri) const {
    if (status.ok()) return;
    std::string reason = status.message();
    const std::string secret = setting(options_, kS3SecretKey);
    for (const std::string& hidden : {secret, escaped(secret)}) {
      for (size_t at; !hidden.empty() && (at = reason.find(hidden)) != std::string::npos;)
        reason.replace(at, hidden.size(), "…");
    }
    throw objectError(deed, uri, reason);
  }
  template <typename T>
  T valueOf(arrow::Result<T> result, const char* deed, const std::string& uri) const {
    check(result.status(), deed, uri);
    return std::move(result).ValueUnsafe();
  }

  const std::string root_;
  const StringMap options_;
  std::mutex mutex_;
  std::shared_ptr<arrow::fs::FileSystem> files_;
};

class ArrowStores final : public ObjectStores {
 public:
  std::shared_ptr<ObjectStore> open(const std::string& uri, const StringMap& options) override {
    checkScheme(uri);
    const std::lock_guard lock(mutex_);
    std::shared_ptr<ObjectStore>& store = stores_[{rootOf(uri), options}];
    if (store == nullptr) store = std::make_shared<ArrowStore>(rootOf(uri), options);
    return store;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, StringMap>, std::shared_ptr<ObjectStore>> stores_;
};

}  // namespace

std::unique_ptr<ObjectStores> makeObjectStores() { return std::make_unique<ArrowStores>(); }

}  // namespace flott::posix
