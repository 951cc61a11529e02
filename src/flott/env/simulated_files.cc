#include "flott/env/simulated_files.h"

#include <algorithm>
#include <cerrno>

#include "flott/base/error.h"
#include "flott/env/failures.h"

namespace flott {
namespace {

// "a//b/" and "./a/b" are the file "a/b".
std::string normalised(const std::string& path) {
  std::string out = path.starts_with('/') ? "/" : "";
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = std::string_view(path).substr(at, end - at);
    if (!part.empty() && part != ".") {
      if (!out.empty() && out.back() != '/') out += '/';
      out += part;
    }
    at = end + 1;
  }
  return out.empty() ? "." : out;
}

std::string folderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

struct SimulatedFiles::Node {
  bool isFolder = false;
  FileFault fault = FileFault::kNone;
  Timestamp modified;
  std::string content;
};

class SimulatedFiles::Reader final : public FileReader {
 public:
  Reader(SimulatedFiles& files, std::string path, std::shared_ptr<Node> node)
      : files_(files), path_(std::move(path)), node_(std::move(node)) {}

  size_t read(uint64_t offset, std::span<char> into) override {
    if (node_->fault == FileFault::kReadFails) throw fileError(FileDeed::kRead, path_, EIO);
    if (offset >= node_->content.size() || into.empty()) return 0;
    size_t size = std::min<size_t>(into.size(), node_->content.size() - offset);
    if (node_->fault == FileFault::kShortReads) size = 1;
    if (files_.random_.below(4) == 0) size = 1 + files_.random_.below(size);
    node_->content.copy(into.data(), size, offset);
    return size;
  }
  uint64_t size() const override { return node_->content.size(); }

 private:
  SimulatedFiles& files_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
};

class SimulatedFiles::Writer final : public FileWriter {
 public:
  Writer(SimulatedFiles& files, std::string path, std::shared_ptr<Node> node)
      : files_(files), path_(std::move(path)), node_(std::move(node)) {}

  void write(std::string_view bytes) override { buffer_.append(bytes); }
  void flush() override {
    files_.mayFail(path_);
    files_.append(*node_, path_, buffer_);
    buffer_.clear();
    files_.mayFail(path_);
  }
  void sync() override { flush(); }
  void close() override { flush(); }
  uint64_t size() const override { return node_->content.size() + buffer_.size(); }

 private:
  SimulatedFiles& files_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
  std::string buffer_;
};

SimulatedFiles::SimulatedFiles(const Clock& clock, Random random) : clock_(clock), random_(random) {
  for (const char* root : {"/", "."}) {
    nodes_[root] =
        std::make_shared<Node>(Node{.isFolder = true, .modified = clock.wallTime(), .content = {}});
  }
}

SimulatedFiles::~SimulatedFiles() = default;

void SimulatedFiles::put(const std::string& path, std::string content) {
  makeFolders(folderOf(normalised(path)));
  Node& node = *(nodes_[normalised(path)] = std::make_shared<Node>());
  node.modified = clock_.wallTime();
  node.content = std::move(content);
}

std::string SimulatedFiles::content(const std::string& path) const {
  const Node* node = find(path);
  FLOTT_CHECK(node != nullptr && !node->isFolder, "no file '" + path + "'");
  return node->content;
}

void SimulatedFiles::setFault(const std::string& path, FileFault fault) {
  Node* node = find(path);
  FLOTT_CHECK(node != nullptr, "no file '" + path + "'");
  node->fault = fault;
}

std::optional<FileInfo> SimulatedFiles::stat(const std::string& path) {
  const Node* node = find(path);
  return node == nullptr ? std::nullopt : std::optional<FileInfo>(infoOf(path, *node));
}

std::vector<FileInfo> SimulatedFiles::listFolder(const std::string& folder) {
  mayFail(folder);
  const Node* node = find(folder);
  if (node == nullptr) throw fileError(FileDeed::kList, folder, ENOENT);
  if (!node->isFolder) throw fileError(FileDeed::kList, folder, ENOTDIR);
  if (node->fault == FileFault::kUnreadable) throw fileError(FileDeed::kList, folder, EACCES);
  const std::string wanted = normalised(folder);
  const std::string prefix = folder.ends_with('/') ? folder : folder + "/";
  std::vector<FileInfo> found;
  for (const auto& [path, entry] : nodes_) {
    if (path == "/" || path == "." || folderOf(path) != wanted) continue;
    found.push_back(infoOf(prefix + path.substr(path.rfind('/') + 1), *entry));
  }
  std::sort(found.begin(), found.end(), [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  return found;
}

std::unique_ptr<FileReader> SimulatedFiles::open(const std::string& path) {
  mayFail(path);
  const auto found = nodes_.find(normalised(path));
  if (found == nodes_.end()) throw fileError(FileDeed::kRead, path, ENOENT);
  if (found->second->isFolder) throw fileError(FileDeed::kRead, path, EISDIR);
  if (found->second->fault == FileFault::kUnreadable) throw fileError(FileDeed::kRead, path, EACCES);
  return std::make_unique<Reader>(*this, path, found->second);
}

std::unique_ptr<FileWriter> SimulatedFiles::create(const std::string& path, WriteMode mode) {
  mayFail(path);
  if (!hasFolderFor(path)) throw fileError(FileDeed::kWrite, path, ENOENT);
  std::shared_ptr<Node>& node = nodes_[normalised(path)];
  if (node == nullptr) node = std::make_shared<Node>();
  if (node->isFolder) throw fileError(FileDeed::kWrite, path, EISDIR);
  if (node->fault == FileFault::kReadOnly) throw fileError(FileDeed::kWrite, path, EACCES);
  if (mode == WriteMode::kCreate) node->content.clear();
  node->modified = clock_.wallTime();
  mayFail(path);
  return std::make_unique<Writer>(*this, path, node);
}

void SimulatedFiles::rename(const std::string& from, const std::string& to) {
  mayFail(from);
  const std::string source = normalised(from);
  const std::string target = normalised(to);
  if (find(from) == nullptr) throw fileError(FileDeed::kRename, from, ENOENT);
  if (!hasFolderFor(to)) throw fileError(FileDeed::kWrite, to, ENOENT);
  std::map<std::string, std::shared_ptr<Node>> kept;
  for (auto& [path, node] : nodes_) {
    if (path == source || path.starts_with(source + "/")) {
      kept[target + path.substr(source.size())] = node;
    } else if (path != target) {
      kept.try_emplace(path, node);
    }
  }
  nodes_ = std::move(kept);
  mayFail(to);
}

void SimulatedFiles::remove(const std::string& path) {
  mayFail(path);
  const Node* node = find(path);
  if (node == nullptr) return;
  if (node->isFolder && !listFolder(path).empty()) throw fileError(FileDeed::kRemove, path, ENOTEMPTY);
  nodes_.erase(normalised(path));
  mayFail(path);
}

void SimulatedFiles::makeFolders(const std::string& path) {
  const std::string folder = normalised(path);
  if (const Node* node = find(folder)) {
    if (!node->isFolder) throw fileError(FileDeed::kMakeFolder, path, EEXIST);
    return;
  }
  makeFolders(folderOf(folder));
  nodes_[folder] =
      std::make_shared<Node>(Node{.isFolder = true, .modified = clock_.wallTime(), .content = {}});
}

void SimulatedFiles::mayFail(const std::string& path) {
  if (failCount_ == 0 || random_.below(failEvery_) != 0) return;
  --failCount_;
  throw fileError(FileDeed::kWrite, path, EIO);
}

SimulatedFiles::Node* SimulatedFiles::find(const std::string& path) const {
  const auto found = nodes_.find(normalised(path));
  return found == nodes_.end() ? nullptr : found->second.get();
}

bool SimulatedFiles::hasFolderFor(const std::string& path) const {
  const Node* folder = find(folderOf(normalised(path)));
  return folder != nullptr && folder->isFolder;
}

FileInfo SimulatedFiles::infoOf(const std::string& path, const Node& node) const {
  FileInfo info;
  info.path = path;
  info.size = node.content.size();
  info.modified = node.modified;
  info.isFolder = node.isFolder;
  return info;
}

void SimulatedFiles::append(Node& node, const std::string& path, std::string_view bytes) {
  if (node.fault == FileFault::kWriteFails && !bytes.empty()) throw fileError(FileDeed::kWrite, path, EIO);
  const size_t fits = std::min<uint64_t>(bytes.size(), freeBytes_);
  node.content.append(bytes.substr(0, fits));
  node.modified = clock_.wallTime();
  if (freeBytes_ != ~uint64_t{0}) freeBytes_ -= fits;
  if (fits < bytes.size()) throw fileError(FileDeed::kWrite, path, ENOSPC);
}

}  // namespace flott
