#include "flott/env/failures.h"

#include <cctype>
#include <cerrno>
#include <system_error>

namespace flott {
namespace {

const char* participle(FileDeed deed) {
  switch (deed) {
    case FileDeed::kRead:
      return "read";
    case FileDeed::kWrite:
      return "written";
    case FileDeed::kList:
      return "listed";
    case FileDeed::kRename:
      return "renamed";
    case FileDeed::kRemove:
      return "removed";
    case FileDeed::kMakeFolder:
      return "made";
  }
  return "used";
}

std::string missing(FileDeed deed, const std::string& named) {
  switch (deed) {
    case FileDeed::kWrite:
      return named + " cannot be written: its folder does not exist; make the folder first";
    case FileDeed::kMakeFolder:
      return named + " cannot be made: the folder above it does not exist";
    default:
      return named + " does not exist";
  }
}

}  // namespace

std::string systemReason(int errorNumber) {
  std::string text = std::generic_category().message(errorNumber);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

Error fileError(FileDeed deed, const std::string& path, int errorNumber) {
  const bool folder = deed == FileDeed::kList || deed == FileDeed::kMakeFolder;
  const std::string named = (folder ? "folder '" : "file '") + path + "'";
  const std::string cannot = named + " cannot be " + participle(deed) + ": " + systemReason(errorNumber);
  switch (errorNumber) {
    case ENOENT:
      return Error(ErrorKind::kUser, missing(deed, named));
    case EACCES:
    case EPERM:
    case EROFS:
      return Error(ErrorKind::kUser, named + " may not be " + participle(deed) + ": " +
                                         systemReason(errorNumber) +
                                         "; check its owner and mode, and those of the folders above it");
    case EISDIR:
      return Error(ErrorKind::kUser, "'" + path + "' is a folder, not a file");
    case ENOTDIR:
      if (deed == FileDeed::kList) return Error(ErrorKind::kUser, "'" + path + "' is a file, not a folder");
      return Error(ErrorKind::kUser, cannot + ": a part of the path is a file");
    case EEXIST:
      return Error(ErrorKind::kUser, cannot + "; there is a file of this name");
    case ENOTEMPTY:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
      return Error(ErrorKind::kUser, cannot);
    case ENOSPC:
    case EDQUOT:
      return Error(ErrorKind::kTransient, cannot + "; free some space there");
    case EMFILE:
    case ENFILE:
      return Error(ErrorKind::kTransient, cannot + "; raise the limit (ulimit -n)");
    default:
      return Error(ErrorKind::kTransient, cannot);
  }
}

std::string addressText(const std::string& host, uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Error connectError(const std::string& address, const std::string& reason) {
  return Error(ErrorKind::kTransient, "cannot connect to " + address + ": " + reason);
}

Error connectError(const std::string& address, int errorNumber, Duration timeout) {
  switch (errorNumber) {
    case ECONNREFUSED:
      return connectError(address, systemReason(errorNumber) + ": is a server listening there?");
    case ETIMEDOUT:
      return connectError(
          address, "no answer within " + toString(timeout) + ": is the address right, and a firewall open?");
    default:
      return connectError(address, systemReason(errorNumber));
  }
}

Error addressError(const std::string& address) {
  return Error(ErrorKind::kUser,
               "'" + address + "' is no numeric address: give one like 10.0.0.7 or fd00::7");
}

Error connectionBroken(const std::string& address, const char* doing, int errorNumber) {
  return Error(ErrorKind::kTransient,
               "the connection to " + address + " broke while " + doing + ": " + systemReason(errorNumber));
}

Error listenError(const std::string& address, int errorNumber) {
  const std::string text = "cannot listen on " + address + ": " + systemReason(errorNumber);
  switch (errorNumber) {
    case EADDRINUSE:
      return Error(ErrorKind::kTransient, text + "; another process has the port: give another one");
    case EACCES:
      return Error(ErrorKind::kUser, text + "; ports below 1024 need privileges: give a higher one");
    case EADDRNOTAVAIL:
      return Error(ErrorKind::kUser, text + "; give an address of this machine");
    default:
      return Error(ErrorKind::kTransient, text);
  }
}

}  // namespace flott
