#include "flott/cluster/manager/log_files.h"

#include <gtest/gtest.h>

#include <csignal>

#include "flott/env/posix/crash_report.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

class LastWords : public testing::Test {
 protected:
  std::string of(const std::string& text, ProcessEnd end) {
    env_.files.makeFolders("/log");
    const std::string path = "/log/" + std::to_string(++files_);
    const auto writer = env_.files.create(path, WriteMode::kCreate);
    writer->write(text);
    writer->close();
    return lastWords(env_.files, path, end);
  }

  SimulatedEnv simulated_{1};
  Env env_ = simulated_.env();
  int files_ = 0;
};

const std::string kReport = std::string(kCrashReportBegin) +
                            "\nsignal 11\nstack:\n  #0 /job+0x1 _ZN1a1bEv\n" + std::string(kCrashReportEnd) +
                            "\n";

TEST_F(LastWords, AreTheLastLines) {
  EXPECT_EQ(of("", {.status = 1}), "");
  EXPECT_EQ(lastWords(env_.files, "/log/none", {.status = 1}), "");
  EXPECT_EQ(of("one\ntwo\n\n", {.status = 1}), ":\none\ntwo");
  std::string many;
  for (int i = 0; i < 10000; ++i) many += "line " + std::to_string(i) + "\n";
  const std::string last = of(many, {.status = 1});
  EXPECT_LE(last.size(), 4002u);
  EXPECT_TRUE(last.starts_with(":\nline 9") && last.ends_with("\nline 9999")) << last.substr(0, 40);
}

TEST_F(LastWords, AreTheReportOfACrash) {
  const std::string written = "log\n" + kReport + "log of another thread\n";
  EXPECT_EQ(of(written, {.signal = SIGSEGV}), ":\nsignal 11\nstack:\n  #0 /job+0x1 a::b()");
  EXPECT_TRUE(of(written, {.signal = SIGKILL}).ends_with("another thread")) << "the report is an older one";
  EXPECT_TRUE(of(written, {.status = 1}).ends_with("another thread"));
  std::string frames;
  for (int i = 0; i < 1000; ++i) frames += "  #" + std::to_string(i) + " /job+0x1\n";
  const std::string cut =
      of(std::string(kCrashReportBegin) + "\nsignal 6\n" + frames + std::string(kCrashReportEnd),
         {.signal = SIGABRT});
  EXPECT_LE(cut.size(), 4002u);
  EXPECT_TRUE(cut.starts_with(":\nsignal 6\n  #0 ") && cut.ends_with(" /job+0x1")) << cut;
}

}  // namespace
}  // namespace flott
