#include "bench/counters.h"

#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace flott::bench {
namespace {

// One counter a thread, on a cache line of its own, written with a plain load and store: an atomic increment
// would cost as much as the allocation it counts. Threads beyond the array share counters and may lose counts
// when they run at once.
struct alignas(64) ThreadCount {
  std::atomic<uint64_t> allocations{0};
};
constexpr uint32_t kThreadCounts = 64;
ThreadCount counts[kThreadCounts];
std::atomic<uint32_t> threadsSeen{0};
constinit thread_local ThreadCount* ownCount = nullptr;

void countAllocation() {
  if (ownCount == nullptr)
    ownCount = &counts[threadsSeen.fetch_add(1, std::memory_order_relaxed) % kThreadCounts];
  const uint64_t before = ownCount->allocations.load(std::memory_order_relaxed);
  ownCount->allocations.store(before + 1, std::memory_order_relaxed);
}

double seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

uint64_t allocationCount() {
  uint64_t sum = 0;
  for (const ThreadCount& count : counts) sum += count.allocations.load(std::memory_order_relaxed);
  return sum;
}

double wallSeconds() { return seconds(CLOCK_MONOTONIC); }
double cpuSeconds() { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t peakResidentBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

InstructionCounter::InstructionCounter() {
  perf_event_attr event{};
  event.size = sizeof event;
  event.type = PERF_TYPE_HARDWARE;
  event.config = PERF_COUNT_HW_INSTRUCTIONS;
  event.exclude_kernel = 1;
  event.exclude_hv = 1;
  event.inherit = 1;
  fd_ = static_cast<int>(syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

InstructionCounter::~InstructionCounter() {
  if (fd_ >= 0) ::close(fd_);
}

int64_t InstructionCounter::read() const {
  int64_t count = 0;
  return fd_ >= 0 && ::read(fd_, &count, sizeof count) == sizeof count ? count : -1;
}

}  // namespace flott::bench

// The other forms of new and delete end in these.
void* operator new(size_t size) {
  flott::bench::countAllocation();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

void* operator new(size_t size, std::align_val_t alignment) {
  flott::bench::countAllocation();
  const size_t align = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
