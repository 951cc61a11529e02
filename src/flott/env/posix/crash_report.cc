#include "flott/env/posix/crash_report.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "flott/env/deed.h"
#include "flott/env/posix/parts.h"
#include "flott/env/posix/symbols.h"

namespace flott {
namespace {

using posix::Symbol;
using posix::Symbols;

constexpr struct {
  int number;
  const char* words;
} kSignals[] = {{SIGSEGV, "segmentation fault"},
                {SIGBUS, "bus error"},
                {SIGILL, "illegal instruction"},
                {SIGFPE, "arithmetic error"},
                {SIGABRT, "abort"}};

constexpr int kMostFrames = 64;
constexpr int kMostHandlerFrames = 8;  // of the report itself
constexpr size_t kMostPath = 160;
constexpr size_t kMostName = 160;
constexpr size_t kMostDeed = 512;
constexpr size_t kStackBytes = size_t{64} << 10;
// An access so far from the stack's end that fails is one beyond it.
constexpr uintptr_t kNearStack = uintptr_t{64} << 10;

static_assert(kMostFrames * (kMostPath + kMostName + 64) + 2048 < kMostCrashReportBytes);

// A signal handler reaches nothing but globals.
char processName[201] = "";
char programPath[1024] = "";
std::atomic<bool> installed{false};
std::atomic<int> reporter{0};  // the thread that writes the report
char reportText[kMostCrashReportBytes];

/// Text in a fixed place. What does not fit is left out, but for the last line.
class Report {
 public:
  void add(const char* text, size_t most = kMostCrashReportBytes) {
    for (size_t i = 0; text[i] != '\0'; ++i) {
      if (i == most) return add("…");
      if (size_ < kRoom)
        reportText[size_++] = text[i] == '\n' && most != kMostCrashReportBytes ? ' ' : text[i];
    }
  }
  void addNumber(uint64_t number, unsigned base) {
    char digits[20];
    char* at = digits + sizeof digits;
    do {
      *--at = "0123456789abcdef"[number % base];
      number /= base;
    } while (number > 0);
    for (; at < digits + sizeof digits; ++at)
      if (size_ < kRoom) reportText[size_++] = *at;
  }
  void addHex(uint64_t number) {
    add("0x");
    addNumber(number, 16);
  }
  void write() {
    for (const char c : kCrashReportEnd) reportText[size_++] = c;
    reportText[size_++] = '\n';
    for (size_t done = 0; done < size_;) {
      const ssize_t n = ::write(STDERR_FILENO, reportText + done, size_ - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      done += static_cast<size_t>(n);
    }
  }

 private:
  static constexpr size_t kRoom = kMostCrashReportBytes - kCrashReportEnd.size() - 1;
  size_t size_ = 0;
};

/// Where the thread was when the signal came.
struct Place {
  uintptr_t code = 0;
  uintptr_t stack = 0;
  bool known = false;
};

Place placeOf(const void* context) {
#if defined(__x86_64__)
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  return {static_cast<uintptr_t>(registers[REG_RIP]), static_cast<uintptr_t>(registers[REG_RSP]), true};
#else
  (void)context;
  return {};
#endif
}

void addFrame(Report& report, int number, uintptr_t address, bool returnsThere, Symbols& symbols) {
  report.add("  #");
  report.addNumber(static_cast<uint64_t>(number), 10);
  report.add(" ");
  // A return address is behind the call, perhaps in the next function.
  const Symbol symbol = symbols.find(address - (returnsThere ? 1 : 0));
  if (symbol.module == nullptr) {
    report.addHex(address);
    report.add(" (no code is there)\n");
    return;
  }
  report.add(symbol.module, kMostPath);
  report.add("+");
  report.addHex(symbol.offset);
  if (symbol.name != nullptr) {
    report.add(" ");
    report.add(symbol.name, kMostName);
  }
  report.add("\n");
}

void addStack(Report& report, const Place& place) {
  void* frames[kMostFrames + kMostHandlerFrames];
  const int count = ::backtrace(frames, kMostFrames + kMostHandlerFrames);
  Symbols symbols(programPath);
  int first = 0;
  while (first < count && reinterpret_cast<uintptr_t>(frames[first]) != place.code) ++first;
  int number = 0;
  if (first == count) {  // the way through the stack does not lead there
    first = place.known ? count : std::min(2, count);
    if (place.known) {
      addFrame(report, number++, place.code, false, symbols);
      // A call to where no code is has left the address that it was to return to.
      if (symbols.find(place.code).module == nullptr && place.stack % sizeof(uintptr_t) == 0)
        addFrame(report, number++, *reinterpret_cast<const uintptr_t*>(place.stack), true, symbols);
    }
  }
  for (int i = first; i < count && number < kMostFrames; ++i, ++number) {
    const auto address = reinterpret_cast<uintptr_t>(frames[i]);
    addFrame(report, number, address, address != place.code, symbols);
  }
}

void addSignal(Report& report, const siginfo_t& info, const Place& place) {
  report.add("signal ");
  report.addNumber(static_cast<uint64_t>(info.si_signo), 10);
  for (const auto& known : kSignals) {
    if (known.number != info.si_signo) continue;
    report.add(" (");
    report.add(known.words);
    report.add(")");
  }
  if (info.si_code > 0 && info.si_signo != SIGABRT) {
    const auto address = reinterpret_cast<uintptr_t>(info.si_addr);
    report.add(info.si_signo == SIGSEGV || info.si_signo == SIGBUS ? " for address " : " at ");
    report.addHex(address);
    const uintptr_t distance = std::max(address, place.stack) - std::min(address, place.stack);
    if (info.si_signo == SIGSEGV && place.known && distance < kNearStack)
      report.add(", at the end of the thread's stack: functions have called each other too deeply");
  } else if (info.si_code <= 0 && info.si_pid != ::getpid()) {
    report.add(" sent by process ");
    report.addNumber(static_cast<uint64_t>(info.si_pid), 10);
  }
}

void writeReport(const siginfo_t& info, const void* context) {
  const Place place = placeOf(context);
  Report report;
  report.add(kCrashReportBegin.data());
  report.add("\n");
  addSignal(report, info, place);
  char thread[16] = "";
  ::pthread_getname_np(::pthread_self(), thread, sizeof thread);
  report.add("\nin thread '");
  report.add(thread, sizeof thread);
  report.add("' of process ");
  report.addNumber(static_cast<uint64_t>(::getpid()), 10);
  report.add(", ");
  report.add(processName, sizeof processName);
  report.add("\n");
  if (const char* const deed = Deed::now()) {
    report.add("while it was at ");
    report.add(deed, kMostDeed);
    report.add("\n");
  }
  report.add("stack (names: c++filt; lines: addr2line -Cfpie FILE OFFSET):\n");
  addStack(report, place);
  report.write();
}

void onCrash(int number, siginfo_t* info, void* context) {
  const int thread = static_cast<int>(::syscall(SYS_gettid));
  int nobody = 0;
  if (reporter.compare_exchange_strong(nobody, thread)) {
    writeReport(*info, context);
  } else if (nobody != thread) {
    for (;;) ::pause();  // until the report of the other thread is out, and with it the process
  }
  // As if nobody had handled it, which takes effect on the return from here.
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(number, &action, nullptr);
  ::raise(number);
}

}  // namespace

void installCrashReport(std::string_view process) {
  std::memset(processName, 0, sizeof processName);
  std::memcpy(processName, process.data(), std::min(process.size(), sizeof processName - 1));
  if (installed.exchange(true)) return;
  const ssize_t size = ::readlink("/proc/self/exe", programPath, sizeof programPath - 1);
  programPath[std::max<ssize_t>(size, 0)] = '\0';
  void* frame = nullptr;
  ::backtrace(&frame, 1);  // loads what it needs
  static const posix::SignalStack ofMain;
  for (const auto& known : kSignals) {
    struct sigaction action {};
    if (::sigaction(known.number, nullptr, &action) != 0 || (action.sa_flags & SA_SIGINFO) != 0 ||
        action.sa_handler != SIG_DFL)
      continue;
    action.sa_sigaction = onCrash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(known.number, &action, nullptr);
  }
}

bool onMainThread() { return ::getpid() == static_cast<pid_t>(::syscall(SYS_gettid)); }

namespace posix {

SignalStack::SignalStack() {
  stack_t known{};
  if (::sigaltstack(nullptr, &known) != 0 || (known.ss_flags & SS_DISABLE) == 0) return;
  void* const memory =
      ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;  // a report without it is as good, but for an overflow
  stack_t own{};
  own.ss_sp = memory;
  own.ss_size = kStackBytes;
  if (::sigaltstack(&own, nullptr) != 0) {
    ::munmap(memory, kStackBytes);
    return;
  }
  memory_ = memory;
}

SignalStack::~SignalStack() {
  if (memory_ == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, kStackBytes);
}

}  // namespace posix
}  // namespace flott
