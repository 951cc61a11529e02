#include "flott/env/processes.h"

#include <csignal>

namespace flott {
namespace {

const char* nameOf(int signal) {
  switch (signal) {
    case SIGHUP:
      return "hangup";
    case SIGINT:
      return "interrupt";
    case SIGILL:
      return "illegal instruction";
    case SIGABRT:
      return "abort";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "arithmetic error";
    case SIGKILL:
      return "kill, by somebody or for want of memory";
    case SIGSEGV:
      return "segmentation fault";
    case SIGPIPE:
      return "broken pipe";
    case SIGTERM:
      return "termination";
    default:
      return nullptr;
  }
}

}  // namespace

std::string toString(const ProcessEnd& end) {
  if (end.signal == 0) return "exited with status " + std::to_string(end.status);
  const char* const name = nameOf(end.signal);
  std::string text = "was killed by signal " + std::to_string(end.signal);
  if (end.outOfMemory) return text + " (memory had run out)";
  if (name != nullptr) text += " (" + std::string(name) + ")";
  return text;
}

}  // namespace flott
