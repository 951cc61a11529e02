// The real world, on Linux.
//
// Made by the outermost edge only. Destroying it stops the off-load threads; everything that uses the Env
// must be gone before.
//
//   auto real = makeRealEnv({.log = {.level = LogLevel::kDebug}});
//   runJob(real->env());
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "flott/env/env.h"

namespace flott {

enum class LogFormat : uint8_t {
  kText,  // 2026-01-31T12:00:00.000Z INFO  [task] [job 0123…] text
  kJson,  // {"time":"2026-01-31T12:00:00.000Z","level":"info","component":"task","job":"0123…","text":"text"}
};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  /// None when empty. %p in its name is the id of the process.
  std::string file = {};
  /// A file that has so many bytes is put aside, as `name.1.ext`, and so many of these are kept.
  uint64_t fileBytes = uint64_t{100} << 20;
  size_t oldFiles = 10;
  /// Whether lines go to standard error; they do in any case when there is no file.
  bool standardError = true;
};

struct RealEnvOptions {
  LogOptions log = {};
  /// At most so many off-load threads; they start when needed.
  int offloadThreads = 16;
  /// Works that may wait for an off-load thread.
  int offloadQueue = 1024;
  /// How long destruction waits for off-loaded work; what still runs then is named in the log.
  Duration offloadStopTimeout = Duration::seconds(5);
};

class RealEnv {
 public:
  virtual ~RealEnv() = default;
  virtual Env env() = 0;
};

/// Throws Error(kUser) when the log file cannot be opened.
std::unique_ptr<RealEnv> makeRealEnv(const RealEnvOptions& options = {});

}  // namespace flott
