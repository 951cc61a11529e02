// What a process says when it crashes. Each crash is that of a child of the test.
#include "flott/env/posix/crash_report.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "flott/env/deed.h"
#include "flott/env/posix/real_env.h"

namespace flott {
namespace {

// The sanitizer has its own report.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnReports = false;
#else
constexpr bool kOwnReports = true;
#endif

class CrashReport : public testing::Test {
 protected:
  void SetUp() override {
    if (!kOwnReports) GTEST_SKIP() << "the sanitizer handles crashes";
    testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
};

// Not inlined, so that it is a function of the stack.
[[gnu::noinline]] void writeTo(volatile int* place) { *place = 1; }

[[gnu::noinline]] int endless(int depth) {
  volatile char room[512];
  room[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : endless(depth + 1) + room[0];
}

void crashInThread(MoveFunction<void()> body) {
  const std::unique_ptr<RealEnv> real = makeRealEnv();
  real->env().threads.start({.name = "worker-7"}, std::move(body))->join();
}

TEST_F(CrashReport, NamesTheSignalTheDeedAndTheFunction) {
  const auto crash = [] {
    installCrashReport("the test");
    crashInThread([] {
      const std::string text = "operator 'sum', subtask 1/2";
      const Deed deed(text.c_str());
      writeTo(reinterpret_cast<volatile int*>(16));
    });
  };
  EXPECT_EXIT(crash(), testing::KilledBySignal(SIGSEGV),
              "crash report of a Flott process(.|\n)*signal 11 \\(segmentation fault\\) for address 0x10\n"
              "in thread 'worker-7' of process [0-9]+, the test\n"
              "while it was at operator 'sum', subtask 1/2\n"
              "stack (.|\n)*  #0 [^\n]*flott_env_test\\+0x[0-9a-f]+ _Z[^\n]*writeTo(.|\n)*"
              "  #1 (.|\n)*end of the crash report");
}

TEST_F(CrashReport, ComesWhereTheStackIsFull) {
  const auto crash = [] {
    installCrashReport("the test");
    crashInThread([] { std::exit(endless(0)); });
  };
  EXPECT_EXIT(crash(), testing::KilledBySignal(SIGSEGV),
              "at the end of the thread's stack: functions have called each other too deeply\n"
              "(.|\n)*endless(.|\n)*endless(.|\n)*end of the crash report");
}

TEST_F(CrashReport, ComesForAnAbortAndForACallToNowhere) {
  const auto abort = [] {
    installCrashReport("before");
    installCrashReport("after");
    std::abort();
  };
  EXPECT_EXIT(abort(), testing::KilledBySignal(SIGABRT),
              "signal 6 \\(abort\\)\nin thread (.|\n)*, after\nstack (.|\n)*end of the crash report");
  const auto nowhere = [] {
    installCrashReport("the test");
    void (*volatile function)() = nullptr;
    function();
  };
  EXPECT_EXIT(nowhere(), testing::KilledBySignal(SIGSEGV),
              "  #0 0x0 \\(no code is there\\)\n  #1 [^\n]*flott_env_test\\+0x");
}

TEST_F(CrashReport, LeavesSignalsToWhoHandlesThem) {
  const auto crash = [] {
    std::signal(SIGSEGV, [](int) { std::_Exit(3); });
    installCrashReport("the test");
    writeTo(nullptr);
  };
  EXPECT_EXIT(crash(), testing::ExitedWithCode(3), "^$");
}

TEST(FoundCrashReport, IsTheLastCompleteOne) {
  const std::string begin(kCrashReportBegin);
  const std::string end(kCrashReportEnd);
  EXPECT_EQ(findCrashReport("a log line\n"), std::nullopt);
  EXPECT_EQ(findCrashReport("a log line\n" + begin + "\nsignal 11"), std::nullopt) << "cut off";
  EXPECT_EQ(findCrashReport(end + "\n"), std::nullopt) << "begins before the text";
  const std::string two = "log\n" + begin + "\nfirst\n" + end + "\nlog\n" + begin + "\nsecond\n" + end + "\n";
  EXPECT_EQ(findCrashReport(two), "second\n");
  EXPECT_EQ(findCrashReport(two + begin + "\nthird"), "second\n");
}

TEST(FoundCrashReport, HasReadableNames) {
  const auto inReport = [](const std::string& text) {
    return findCrashReport(std::string(kCrashReportBegin) + "\n" + text + std::string(kCrashReportEnd));
  };
  EXPECT_EQ(inReport("  #0 /bin/job+0x12 _ZN5flott4Task4stepEv\n  #1 /bin/job+0x2 main\n"),
            "  #0 /bin/job+0x12 flott::Task::step()\n  #1 /bin/job+0x2 main\n");
  EXPECT_EQ(inReport("  #0 /bin/job+0x12 _Znonsense\n"), "  #0 /bin/job+0x12 _Znonsense\n");
}

}  // namespace
}  // namespace flott
