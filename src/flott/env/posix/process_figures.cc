#include "flott/env/posix/process_figures.h"

#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <mutex>

#include "flott/env/clock.h"
#include "flott/env/posix/memory_group.h"
#include "flott/env/posix/parts.h"

namespace flott {
namespace {

constexpr int64_t kWindowNanos = 5'000'000'000;

int64_t threadsOfThisProcess() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t threads = 0;
    if (word == "Threads:" && status >> threads) return threads;
  }
  return 0;
}

int64_t openFilesOfThisProcess() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int64_t count = -3;  // ".", ".." and the folder itself
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return std::max<int64_t>(count, 0);
}

int64_t mostFilesOfThisProcess() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<int64_t>(limit.rlim_cur) : 0;
}

}  // namespace

struct ProcessReader::Loads {
  struct Sample {
    int64_t nanos = 0;
    int64_t cpuNanos = 0;
  };

  double take(Sample now, int cores) {
    const std::lock_guard lock(mutex);
    if (now.nanos - newer.nanos >= kWindowNanos) older = std::exchange(newer, now);
    const int64_t elapsed = (now.nanos - older.nanos) * cores;
    if (elapsed <= 0) return 0;
    return std::clamp(static_cast<double>(now.cpuNanos - older.cpuNanos) / static_cast<double>(elapsed), 0.0,
                      1.0);
  }

  const std::unique_ptr<Clock> clock = posix::makeClock();
  const std::unique_ptr<System> system = posix::makeSystem();
  std::mutex mutex;
  Sample older{.nanos = clock->monotonicNanos(), .cpuNanos = system->processCpuNanos()};
  Sample newer = older;
};

ProcessReader::ProcessReader() : loads_(std::make_unique<Loads>()) {}
ProcessReader::~ProcessReader() = default;

ProcessFigures ProcessReader::read() {
  const System& system = *loads_->system;
  ProcessFigures figures;
  figures.cores = system.cpus();
  figures.cpuNanos = system.processCpuNanos();
  figures.cpuLoad = loads_->take({loads_->clock->monotonicNanos(), figures.cpuNanos}, figures.cores);
  figures.residentBytes = system.residentBytes();
  figures.anonymousBytes = system.anonymousBytes();
  const struct mallinfo2 heap = ::mallinfo2();
  figures.allocatedBytes = heap.uordblks + heap.hblkhd;
  figures.heapBytes = heap.arena + heap.hblkhd;
  figures.memoryLimit = posix::readMemoryGroup().limitBytes;
  figures.threads = threadsOfThisProcess();
  figures.openFiles = openFilesOfThisProcess();
  figures.mostFiles = mostFilesOfThisProcess();
  return figures;
}

std::string hostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace flott
