#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "flott/base/error.h"
#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

class PosixConsole final : public Console {
 public:
  void out(std::string_view text) override { writeAll(STDOUT_FILENO, "standard output", text, outMutex_); }
  void err(std::string_view text) override { writeAll(STDERR_FILENO, "standard error", text, errMutex_); }
  bool isTerminal() const override { return isatty(STDOUT_FILENO) == 1; }

 private:
  static void writeAll(int descriptor, const char* name, std::string_view text, std::mutex& mutex) {
    std::lock_guard lock(mutex);
    while (!text.empty()) {
      const ssize_t written = retried([&] { return ::write(descriptor, text.data(), text.size()); });
      if (written < 0) {
        throw Error(ErrorKind::kTransient, std::string(name) + " cannot be written: " + systemReason(errno));
      }
      text.remove_prefix(static_cast<size_t>(written));
    }
  }

  // Nobody may read standard output, and what is to be said of that must not wait for it.
  std::mutex outMutex_;
  std::mutex errMutex_;
};

}  // namespace

std::unique_ptr<Console> makeConsole() { return std::make_unique<PosixConsole>(); }

}  // namespace flott::posix
