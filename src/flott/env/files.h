// Files and folders, as connectors and the checkpoint store need them.
//
// All calls block, so they run on off-load threads, never on a lane. A Files object may be used from any
// thread; a reader or a writer by one thread at a time. Whatever cannot be done throws an Error that names
// the file: kUser when the file is missing or its permissions forbid it, kTransient when the disk is full or
// fails.
//
//   auto reader = env.files.open("in/a.csv");
//   char block[65536];
//   for (uint64_t at = 0; size_t n = reader->read(at, block); at += n) parse({block, n});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/time.h"

namespace flott {

struct FileInfo {
  std::string path;
  uint64_t size = 0;
  /// Time of the last change.
  Timestamp modified;
  bool isFolder = false;
  /// The path is a symbolic link; the other fields tell about what it points to.
  bool isLink = false;
};

class FileReader {
 public:
  virtual ~FileReader() = default;
  /// Reads at most `into.size()` bytes from `offset` and returns how many: perhaps fewer than asked for, 0
  /// only at or behind the end of the file. Throws Error(kTransient) when the disk fails.
  virtual size_t read(uint64_t offset, std::span<char> into) = 0;
  /// Size now: a file may grow while it is read.
  virtual uint64_t size() const = 0;
};

/// Writes at the end of one file. A writer that dies without close() leaves a file of unknown length.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  /// All of `bytes`, through a buffer. Throws Error(kTransient): the file is then of unknown length.
  virtual void write(std::string_view bytes) = 0;
  /// Hands the buffer to the system: other readers see it, a crash of the machine may lose it.
  virtual void flush() = 0;
  /// Flushes, and returns when the bytes are on the disk.
  virtual void sync() = 0;
  /// Flushes and closes. Must be the last call.
  virtual void close() = 0;
  /// Bytes in the file once all is flushed, those of before an append included.
  virtual uint64_t size() const = 0;
};

enum class WriteMode : uint8_t {
  kCreate,  // empties the file if there is one
  kAppend,  // goes on at the end of the file if there is one
};

class Files {
 public:
  virtual ~Files() = default;

  /// Nothing when there is no such file or folder. Follows links.
  virtual std::optional<FileInfo> stat(const std::string& path) = 0;
  /// What lies directly in `folder`, by name. Links that lead nowhere are left out.
  virtual std::vector<FileInfo> listFolder(const std::string& folder) = 0;
  virtual std::unique_ptr<FileReader> open(const std::string& path) = 0;
  virtual std::unique_ptr<FileWriter> create(const std::string& path, WriteMode mode) = 0;
  /// Replaces `to` if it is there; atomic within one disk.
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// A file or an empty folder. No error when it is not there.
  virtual void remove(const std::string& path) = 0;
  /// The folder and those above it. No error when they are there.
  virtual void makeFolders(const std::string& path) = 0;
  /// Returns when the names in the folder are on the disk, as renaming and removing have left them.
  virtual void syncFolder(const std::string& /*folder*/) {}

  /// All files under `path`, sorted; the file itself when `path` is one. Does not go into folders behind
  /// links.
  std::vector<FileInfo> listFiles(const std::string& path);
  /// The files that match a pattern, sorted: `*` and `?` stand for any characters but '/', `[a-z]` and
  /// `[!a-z]` for one of a set, `**` as a whole component for any number of folders. A path without these is
  /// that file.
  std::vector<FileInfo> glob(const std::string& pattern);
};

/// Whether the text has a wildcard of glob() in it.
bool isGlob(std::string_view text);

}  // namespace flott
