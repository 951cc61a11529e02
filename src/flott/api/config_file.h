// Reads a configuration file in Flink's format: YAML with nested keys, dotted keys, or both.
//
//   taskmanager:
//     network.memory.buffers-per-channel: 8
//   pipeline.name: clicks
//
// A list becomes a;b;c. Every entry remembers its line, for later messages. Whether a key is known is the
// registry's question, not this one's. Any thread; blocks on the file.
#pragma once

#include <string>

#include "flott/base/config.h"
#include "flott/env/files.h"

namespace flott {

/// Throws Error(kUser) with "file:line" when the file is missing, is no YAML, gives a key twice or without a
/// value.
Configuration loadConfigFile(Files& files, const std::string& path);

/// All bytes of a small file.
std::string readWholeFile(Files& files, const std::string& path);

}  // namespace flott
