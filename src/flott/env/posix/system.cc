#include <fcntl.h>
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>
#include <ctime>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "flott/base/error.h"
#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

constexpr const char* kMemoryFile = "/proc/self/smaps_rollup";

// The figure behind `label` ("Rss:") in the kernel's sum over all mappings. Its per-process counters
// elsewhere in /proc are cheaper but off by up to some megabytes on machines with many cores.
uint64_t mappedBytes(std::string_view label) {
  const Descriptor file(retried([] { return ::open(kMemoryFile, O_RDONLY | O_CLOEXEC); }));
  char buffer[4096];
  const ssize_t size =
      file.number() < 0 ? -1 : retried([&] { return ::read(file.number(), buffer, sizeof buffer); });
  if (size < 0) throw fileError(FileDeed::kRead, kMemoryFile, errno);
  const std::string_view text(buffer, static_cast<size_t>(size));
  const size_t found = text.find("\n" + std::string(label));
  FLOTT_CHECK(found != std::string_view::npos, std::string(label));
  const size_t digits = std::min(text.find_first_not_of(' ', found + 1 + label.size()), text.size());
  uint64_t kilobytes = 0;
  std::from_chars(text.data() + digits, text.data() + text.size(), kilobytes);
  return kilobytes * 1024;
}

class PosixSystem final : public System {
 public:
  int cpus() const override {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
    return std::max(1,
                    static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));  // more cores than the set has room for
  }
  uint64_t residentBytes() const override { return mappedBytes("Rss:"); }
  uint64_t anonymousBytes() const override { return mappedBytes("Anonymous:"); }
  int64_t processCpuNanos() const override {
    timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
  }
  std::optional<std::string> environment(const std::string& name) const override {
    const char* value = getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
};

}  // namespace

std::unique_ptr<System> makeSystem() { return std::make_unique<PosixSystem>(); }

uint64_t randomSeed() {
  uint64_t seed = 0;
  const ssize_t got = retried([&] { return getrandom(&seed, sizeof seed, 0); });
  FLOTT_CHECK(got == sizeof seed, systemReason(errno));
  return seed;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

bool wasInterrupted() { return errno == EINTR; }

}  // namespace flott::posix
