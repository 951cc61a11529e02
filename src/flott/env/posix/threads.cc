#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <system_error>
#include <thread>

#include "flott/base/error.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

class FutexParker final : public Parker {
 private:
  void sleep(int64_t deadlineNanos) override {
    timespec deadline{deadlineNanos / 1'000'000'000, deadlineNanos % 1'000'000'000};
    if (deadlineNanos < 0) deadline = {0, 0};  // long past: the system refuses negative times
    // FUTEX_WAIT_BITSET takes an absolute time of the monotonic clock. An early return needs no loop: park()
    // promises nothing about the reason.
    syscall(SYS_futex, word(), FUTEX_WAIT_BITSET_PRIVATE, kParked,
            deadlineNanos == kNoDeadline ? nullptr : &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
  }
  void wake() override {
    timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) == 0)
      wokenAt_.store(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec, std::memory_order_relaxed);
    syscall(SYS_futex, word(), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  uint32_t* word() { return reinterpret_cast<uint32_t*>(&state_); }
};
static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "the futex is the atomic itself");

int64_t cpuNanosOf(clockid_t id, int64_t otherwise) {
  timespec used;
  if (clock_gettime(id, &used) != 0) return otherwise;
  return static_cast<int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
}

class PosixThread final : public Thread {
 public:
  PosixThread(ThreadOptions options, MoveFunction<void()> body)
      : options_(std::move(options)), body_(std::move(body)), thread_([this] { run(); }) {}
  ~PosixThread() override {
    FLOTT_CHECK(!thread_.joinable(), "thread '" + options_.name + "' was not joined");
  }

  void join() override {
    if (thread_.joinable()) thread_.join();
  }

  int64_t cpuNanos() const override {
    const int64_t final = finalCpuNanos_.load(std::memory_order_acquire);
    if (final >= 0) return final;
    clockid_t id;
    // The thread may end between the check and the look at its clock: then its own last word holds.
    const auto handle = const_cast<std::thread&>(thread_).native_handle();
    const int64_t running = pthread_getcpuclockid(handle, &id) == 0 ? cpuNanosOf(id, -1) : -1;
    return running >= 0 ? running : finalCpuNanos_.load(std::memory_order_acquire);
  }

 private:
  void run() {
    nameThisThread(options_.name);
    const SignalStack signals;
    // Sleeps end when they should, not up to 50 µs later so that the system can bundle its interrupts.
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    if (options_.core >= 0) {
      cpu_set_t cores;
      CPU_ZERO(&cores);
      CPU_SET(static_cast<size_t>(options_.core), &cores);
      pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
    }
    runOrAbort("thread '" + options_.name + "'", body_);
    body_.reset();
    finalCpuNanos_.store(cpuNanosOf(CLOCK_THREAD_CPUTIME_ID, 0), std::memory_order_release);
  }

  const ThreadOptions options_;
  MoveFunction<void()> body_;
  std::atomic<int64_t> finalCpuNanos_{-1};
  std::thread thread_;  // last: it uses the members above from its first moment
};

void checkCore(const ThreadOptions& options) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  if (options.core < CPU_SETSIZE && CPU_ISSET(static_cast<size_t>(options.core), &allowed)) return;
  std::string list;
  for (size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) list += (list.empty() ? "" : ", ") + std::to_string(core);
  }
  throw Error(ErrorKind::kUser, "thread '" + options.name + "' cannot run on core " +
                                    std::to_string(options.core) + ": this process may use the cores " +
                                    list);
}

class PosixThreads final : public Threads {
 public:
  std::unique_ptr<Thread> start(ThreadOptions options, MoveFunction<void()> body) override {
    if (options.core >= 0) checkCore(options);
    const std::string name = options.name;
    try {
      return std::make_unique<PosixThread>(std::move(options), std::move(body));
    } catch (const std::system_error& error) {
      throw Error(ErrorKind::kTransient,
                  "the system gives no thread for '" + name + "': " + error.what() +
                      "; look at the limits of processes and memory (ulimit -u, cgroup)");
    }
  }
  std::unique_ptr<Parker> makeParker() override { return std::make_unique<FutexParker>(); }
};

}  // namespace

std::unique_ptr<Threads> makeThreads() { return std::make_unique<PosixThreads>(); }

void nameThisThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

void runOrAbort(const std::string& what, MoveFunction<void()>& body) {
  try {
    body();
  } catch (...) {
    checkFailed("nothing is thrown", __FILE__, __LINE__, what + " threw: " + currentError().what());
  }
}

}  // namespace flott::posix
