// What a failed system call means to a user: one wording for the real and the simulated environment.
//
// Errors name the file or the address, the reason and, where there is one, the way out. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "flott/base/error.h"
#include "flott/base/time.h"

namespace flott {

/// "permission denied": the system's words for an error number, as the end of a sentence.
std::string systemReason(int errorNumber);

/// What was to be done with the path.
enum class FileDeed : uint8_t { kRead, kWrite, kList, kRename, kRemove, kMakeFolder };

/// kUser when the path or its permissions are at fault, kTransient when the disk is.
Error fileError(FileDeed deed, const std::string& path, int errorNumber);

/// "localhost:9999".
std::string addressText(const std::string& host, uint16_t port);
Error connectError(const std::string& address, const std::string& reason);
/// `timeout` is how long an answer was waited for.
Error connectError(const std::string& address, int errorNumber, Duration timeout);
/// For what takes numeric addresses only.
Error addressError(const std::string& address);
/// For a connection that was up: `doing` is "reading" or "writing".
Error connectionBroken(const std::string& address, const char* doing, int errorNumber);
Error listenError(const std::string& address, int errorNumber);

}  // namespace flott
