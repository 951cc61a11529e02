// What a process says on standard error when it crashes: the signal, what the thread was doing, and where in
// the program.
//
// For SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, so also for exceptions that nobody catches and for broken
// invariants. Then the signal takes its course: whoever waits for the process sees by what it died, and a
// core is dumped where that is switched on. The report allocates nothing and takes no lock, since the process
// may have crashed anywhere; it is at most kMostCrashReportBytes long. Threads of Env have a stack for it, so
// that it comes when theirs has overflowed. Called by who owns the process.
//
//   installCrashReport("worker 'w1'");
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flott {

/// The first and the last line of a report.
inline constexpr std::string_view kCrashReportBegin = "*** crash report of a Flott process ***";
inline constexpr std::string_view kCrashReportEnd = "*** end of the crash report ***";
/// No report is longer, with both lines: whoever looks for one reads so much of the end of a file, and what
/// may follow a report.
inline constexpr size_t kMostCrashReportBytes = size_t{28} << 10;

/// From now on, for all threads; `process` says what the process is, of which the first 200 bytes are kept. A
/// later call only changes that. A signal that somebody else handles already stays theirs.
void installCrashReport(std::string_view process);

/// The last report in what a process has written, without its first and last line; nothing when there is none
/// that is complete. Names of functions are as people write them.
std::optional<std::string> findCrashReport(std::string_view text);

/// Whether this is the thread that runs main().
bool onMainThread();

namespace posix {

/// While it lives, signals of this thread are handled on a stack of their own, unless they are already.
class SignalStack {
 public:
  SignalStack();
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace posix
}  // namespace flott
