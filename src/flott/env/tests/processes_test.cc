// Child processes: what they are given, what comes back, and how they end.
#include "flott/env/processes.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "flott/base/tests/error_text.h"
#include "flott/env/posix/processes.h"
#include "flott/env/posix/real_env.h"

namespace flott {
namespace {

const Duration kLong = Duration::seconds(60);

class ProcessesTest : public testing::Test {
 protected:
  /// A shell that runs this text.
  static ProcessSpec shell(const std::string& script) {
    return {.program = "/bin/sh", .arguments = {"-c", script}};
  }
  std::string outputOf(ProcessSpec spec) {
    spec.output = ProcessSpec::Output::kToFile;
    spec.outputFile = file_;
    std::filesystem::remove(file_);
    EXPECT_EQ(processes->start(spec)->wait(kLong), ProcessEnd{});
    std::ostringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }

  std::unique_ptr<RealEnv> real = makeRealEnv();
  std::unique_ptr<Processes> processes = makeProcesses(real->env().clock);

 private:
  const std::string file_ = testing::TempDir() + "/flott-processes-test-" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(ProcessesTest, TheirEndsAreTold) {
  EXPECT_EQ(processes->start(shell("exit 3"))->wait(kLong), (ProcessEnd{.status = 3}));
  const auto killed = processes->start(shell("kill -SEGV $$; sleep 100"));
  EXPECT_EQ(killed->wait(kLong), (ProcessEnd{.signal = SIGSEGV}));
  EXPECT_EQ(killed->wait(Duration()), (ProcessEnd{.signal = SIGSEGV})) << "again";
  EXPECT_EQ(toString(*killed->wait(Duration())), "was killed by signal 11 (segmentation fault)");
  EXPECT_EQ(toString(ProcessEnd{.status = 3}), "exited with status 3");
  EXPECT_EQ(toString(ProcessEnd{.signal = SIGKILL, .outOfMemory = true}),
            "was killed by signal 9 (memory had run out)");
  EXPECT_TRUE(ProcessEnd{}.succeeded());
  EXPECT_FALSE(ProcessEnd{.signal = SIGKILL}.succeeded());
}

TEST_F(ProcessesTest, AnswersCanBeLookedForWithoutWaiting) {
  ProcessSpec spec = shell("read -r go <\"$GATE\"; printf done >&\"$(echo \"$FLOTT_ROLE\" | cut -d, -f3)\"");
  const std::string gate = testing::TempDir() + "/flott-processes-test-gate";
  std::filesystem::remove(gate);
  ASSERT_EQ(processes->start(shell("mkfifo " + gate))->wait(kLong), ProcessEnd{});
  spec.environment = {{"GATE", gate}};
  spec.role = "any";
  const auto child = processes->start(spec);
  EXPECT_EQ(child->tryAnswer(100), std::nullopt) << "it waits at the gate";
  std::ofstream(gate) << "go\n";
  ASSERT_EQ(child->wait(kLong), ProcessEnd{});
  EXPECT_EQ(child->tryAnswer(100), "done");
  const auto silent = processes->start(shell("exit 0"));
  ASSERT_EQ(silent->wait(kLong), ProcessEnd{});
  EXPECT_EQ(silent->tryAnswer(100), "");
}

TEST_F(ProcessesTest, ThatAreToOutliveThisOneDo) {
  ProcessSpec spec = shell("exec sleep 1000");
  spec.outlives = true;
  auto child = processes->start(spec);
  const auto id = static_cast<pid_t>(child->id());
  child.reset();
  ASSERT_EQ(::kill(id, 0), 0) << "it runs";
  EXPECT_EQ(::kill(id, SIGKILL), 0);
}

TEST_F(ProcessesTest, ThatRunCanBeAskedToEnd) {
  const auto child = processes->start(shell("exec sleep 1000"));
  EXPECT_EQ(child->wait(Duration()), std::nullopt);
  EXPECT_GT(child->id(), 0);
  child->terminate();
  EXPECT_EQ(child->wait(kLong), (ProcessEnd{.signal = SIGTERM}));
  child->kill();  // it has ended
}

TEST_F(ProcessesTest, GoWithWhoeverHoldsThem) {
  int64_t id = 0;
  {
    const auto child = processes->start(shell("trap '' TERM; exec sleep 1000"));
    id = child->id();
  }
  EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(id)));
}

TEST_F(ProcessesTest, GetArgumentsVariablesAndAFolder) {
  ProcessSpec spec = shell("echo \"$0|$1\"; echo \"$COLOUR\"; pwd; cat; echo to error >&2");
  spec.arguments.insert(spec.arguments.end(), {"a b", "'c'"});
  spec.environment = {{"COLOUR", "red"}};
  spec.folder = "/";
  ::setenv("COLOUR", "green", 1);
  EXPECT_EQ(outputOf(spec), "a b|'c'\nred\n/\nto error\n");
  EXPECT_EQ(real->env().system.environment("COLOUR"), "green");
}

TEST_F(ProcessesTest, InheritNoDescriptors) {
  const std::ifstream open("/etc/passwd");
  EXPECT_EQ(outputOf(shell("ls /proc/$$/fd; true")), "0\n1\n2\n");
}

TEST_F(ProcessesTest, FindTheirRoleAndAnswer) {
  const std::string role(300'000, 'r');
  ProcessSpec spec = shell("IFS=,; set -- $FLOTT_ROLE; wc -c < /proc/self/fd/$2 >&$3");
  spec.role = role;
  const auto child = processes->start(spec);
  EXPECT_EQ(child->answer(1000, kLong), "300000\n");
  EXPECT_EQ(child->wait(kLong), ProcessEnd{});
}

TEST_F(ProcessesTest, WithoutARoleTheirAnswerIsEmpty) {
  ::setenv("FLOTT_ROLE", "1000,1001", 1);
  EXPECT_EQ(outputOf(shell("echo \"[$FLOTT_ROLE]\"")), "[]\n") << "a role is not passed on";
  ::unsetenv("FLOTT_ROLE");
  EXPECT_EQ(processes->start(shell("exit 0"))->answer(10, kLong), "");
}

TEST_F(ProcessesTest, ThatSayTooMuchOrNothingAreKilled) {
  ProcessSpec spec = shell("IFS=,; set -- $FLOTT_ROLE; yes >&$3");
  spec.role = "";
  auto child = processes->start(spec);
  EXPECT_EQ(errorText([&] { child->answer(100'000, kLong); }, ErrorKind::kTransient),
            "program '/bin/sh' answers with more than 100000 bytes");
  EXPECT_EQ(child->wait(Duration()), (ProcessEnd{.signal = SIGKILL}));
  spec = shell("exec sleep 1000");
  spec.role = "";
  child = processes->start(spec);
  EXPECT_EQ(errorText([&] { child->answer(100, Duration(1)); }, ErrorKind::kTransient),
            "program '/bin/sh' has not answered after 1 ms");
}

TEST_F(ProcessesTest, ThatCannotBeRunAreRefused) {
  const auto refusal = [&](const ProcessSpec& spec) {
    return errorText([&] { (void)processes->start(spec); });
  };
  EXPECT_EQ(refusal({.program = "/no/such", .arguments = {}}),
            "program '/no/such' cannot be run: no such file or directory");
  const std::string text = testing::TempDir() + "/flott-no-program";
  std::filesystem::remove(text);
  std::ofstream(text) << "text";
  EXPECT_EQ(refusal({.program = text, .arguments = {}}),
            "program '" + text + "' cannot be run: permission denied");
  std::filesystem::permissions(text, std::filesystem::perms::owner_all);
  EXPECT_EQ(refusal({.program = text, .arguments = {}}),
            "program '" + text + "' cannot be run: exec format error: it is not built for this machine");
  ProcessSpec spec = shell("exit 0");
  spec.output = ProcessSpec::Output::kToFile;
  spec.outputFile = "/no/such/folder/log";
  EXPECT_NE(refusal(spec).find("'/no/such/folder/log'"), std::string::npos);
}

TEST_F(ProcessesTest, ARoleIsForTheOneWhomItWasGivenTo) {
  EXPECT_EQ(processes->role(), nullptr);
  // Of the process that started this one, which a user did not.
  ::setenv("FLOTT_ROLE", "1,3,4", 1);
  EXPECT_EQ(processes->role(), nullptr);
  std::string parent;  // the fourth word, behind the name in brackets
  std::ifstream("/proc/self/stat") >> parent >> parent >> parent >> parent;
  for (const std::string& wrong : {std::string(), std::string("x"), parent, parent + ",999999,999998"}) {
    ::setenv("FLOTT_ROLE", wrong.c_str(), 1);
    EXPECT_EQ(errorText([&] { (void)processes->role(); }),
              "the environment variable FLOTT_ROLE is '" + wrong +
                  "', which tells programs what Flott has started them for: unset it");
  }
  ::unsetenv("FLOTT_ROLE");
}

}  // namespace
}  // namespace flott
