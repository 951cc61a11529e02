#include "flott/env/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"

namespace flott {
namespace {

class Held final : public FileLock {
 public:
  explicit Held(posix::Descriptor file) : file_(std::move(file)) {}

 private:
  const posix::Descriptor file_;
};

}  // namespace

std::unique_ptr<FileLock> lockFile(const std::string& path) {
  posix::Descriptor file(
      posix::retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); }));
  if (file.number() < 0) throw fileError(FileDeed::kWrite, path, errno);
  if (posix::retried([&] { return ::flock(file.number(), LOCK_EX | LOCK_NB); }) == 0)
    return std::make_unique<Held>(std::move(file));
  if (errno != EWOULDBLOCK) throw fileError(FileDeed::kWrite, path, errno);
  return nullptr;
}

}  // namespace flott
