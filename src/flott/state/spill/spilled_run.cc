#include "flott/state/spill/spilled_run.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/env/env.h"

namespace flott {
namespace {

/// Before each block.
struct BlockHeader {
  uint64_t size;
  uint64_t hash;
};

std::vector<std::string> foldersIn(std::string_view list) {
  std::vector<std::string> folders;
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find_first_of(",|:", at), list.size());
    if (end > at) folders.emplace_back(list.substr(at, end - at));
    at = end + 1;
  }
  return folders;
}

std::string hex(uint64_t number) {
  std::array<char, 16> digits;
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), number, 16).ptr};
}

}  // namespace

std::string folderFor(std::string_view folders, int subtask) {
  const std::vector<std::string> all = foldersIn(folders);
  return all.empty() ? std::string() : all[static_cast<size_t>(subtask) % all.size()];
}

SpillPlace SpillPlace::in(Env& env, std::string_view folders, int subtask, const void* owner) {
  const std::string folder = folderFor(folders, subtask);
  if (folder.empty())
    throw Error(ErrorKind::kUser, "io.tmp.dirs names no folder: give one that records can be spilled to");
  // The number is the process's own, and no two objects that live in it have one address.
  const uint64_t process = env.random.fork("spilled runs").next();
  return SpillPlace(env.files,
                    folder + "/flott-spill-" + hex(process) + "-" + hex(reinterpret_cast<uintptr_t>(owner)));
}

RunWriter::RunWriter(Files& files, std::string path) : files_(files), path_(std::move(path)) {
  const size_t slash = path_.rfind('/');
  if (slash != std::string::npos && slash > 0) files_.makeFolders(path_.substr(0, slash));
  file_ = files_.create(path_, WriteMode::kCreate);
}

RunWriter::~RunWriter() {
  if (file_ == nullptr) return;
  file_.reset();
  try {
    files_.remove(path_);
  } catch (const Error&) {
    // What ended the run early is being reported already.
  }
}

void RunWriter::writeBlock() {
  const BlockHeader header{.size = block_.size(), .hash = hashBytes(block_)};
  file_->write({reinterpret_cast<const char*>(&header), sizeof header});
  file_->write(block_);
  bytes_ += sizeof header + block_.size();
  block_.clear();
}

SpilledRun RunWriter::finish() {
  if (!block_.empty()) writeBlock();
  file_->close();
  SpilledRun run{.path = path_, .file = files_.open(path_), .bytes = bytes_};
  files_.remove(path_);
  file_.reset();
  return run;
}

bool RunReader::readBlock() {
  if (at_ == run_.bytes) return false;
  BlockHeader header;
  readInto(reinterpret_cast<char*>(&header), sizeof header);
  if (header.size > run_.bytes - at_) fail("a block is longer than the file");
  block_.resize(header.size);
  readInto(block_.data(), block_.size());
  if (hashBytes(block_) != header.hash) fail("the checksum of a block is wrong");
  in_.emplace(block_);
  return true;
}

void RunReader::readInto(char* to, size_t count) {
  while (count > 0) {
    const size_t got = run_.file->read(at_, {to, count});
    if (got == 0) fail("it ends early");
    at_ += got;
    to += got;
    count -= got;
  }
}

void RunReader::fail(const char* why) const {
  throw Error(ErrorKind::kCorruption, "records spilled to '" + run_.path + "' cannot be read back: " + why +
                                          ". Check the disk, or let io.tmp.dirs name a folder on another");
}

}  // namespace flott
