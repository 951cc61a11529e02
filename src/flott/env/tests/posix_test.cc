// What only the real environment has: threads, parkers, signals, a log file, the process's figures.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "flott/base/tests/error_text.h"
#include "flott/env/job_scope.h"
#include "flott/env/posix/real_env.h"
#include "flott/env/write_behind.h"

namespace flott {
namespace {

using Names = std::vector<std::string>;

// A door that threads wait at, without a time limit.
struct Gate {
  std::atomic<bool> isOpen{false};
  void open() {
    isOpen = true;
    isOpen.notify_all();
  }
  void pass() { isOpen.wait(false); }
};

class Posix : public testing::Test {
 protected:
  std::unique_ptr<RealEnv> real = makeRealEnv({.offloadThreads = 1, .offloadQueue = 2});
  Env env = real->env();
};

using PosixDeathTest = Posix;

TEST_F(Posix, ThreadsRunOnceAndTellTheirCpuTime) {
  int ran = 0;
  auto thread = env.threads.start({.name = "a name longer than the system keeps", .core = 0}, [&] {
    const int64_t until = env.clock.monotonicNanos() + 2'000'000;
    while (env.clock.monotonicNanos() < until) continue;
    ++ran;
  });
  EXPECT_GE(thread->cpuNanos(), 0);
  thread->join();
  thread->join();
  EXPECT_EQ(ran, 1);
  EXPECT_GT(thread->cpuNanos(), 100'000);
  EXPECT_EQ(thread->cpuNanos(), thread->cpuNanos());
}

TEST_F(Posix, CoresOutsideTheProcessAreRefused) {
  const std::string message = errorText([&] { env.threads.start({.name = "lane-0", .core = 5000}, [] {}); });
  EXPECT_TRUE(
      message.starts_with("thread 'lane-0' cannot run on core 5000: this process may use the cores 0"))
      << message;
}

TEST_F(PosixDeathTest, AThreadThatThrowsAbortsWithItsName) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto throwing = [&] {
    env.threads.start({.name = "lane-0"}, [] { throw Error(ErrorKind::kBug, "lost my way"); })->join();
  };
  EXPECT_DEATH(throwing(), "thread 'lane-0' threw: lost my way");
}

TEST_F(Posix, UnparkBeforeParkIsRemembered) {
  auto parker = env.threads.makeParker();
  parker->unpark();
  parker->unpark();
  parker->park(kNoDeadline);
  const int64_t deadline = env.clock.monotonicNanos() + 1'000'000;
  while (env.clock.monotonicNanos() < deadline)
    parker->park(deadline);  // the second unpark() was the same one
  parker->park(env.clock.monotonicNanos() - 1);
  parker->park(-1);
}

// Two threads take turns; how long each looks before it parks varies, so that unpark() meets every stage of
// park().
TEST_F(Posix, NoWakeUpIsLost) {
  constexpr int kRounds = 200'000;
  std::atomic<int> turn{0};
  std::unique_ptr<Parker> parkers[2] = {env.threads.makeParker(), env.threads.makeParker()};
  std::atomic<int> overdue{0};
  const auto play = [&](int me) {
    Random random = env.random.fork("player");
    for (int round = me; round < kRounds; round += 2) {
      uint64_t looks = random.below(2000);
      while (turn.load(std::memory_order_acquire) != round) {
        if (looks > 0) {
          --looks;
          continue;
        }
        const int64_t deadline = env.clock.monotonicNanos() + 20'000'000'000;
        parkers[me]->park(deadline);
        if (env.clock.monotonicNanos() >= deadline) ++overdue;
      }
      turn.store(round + 1, std::memory_order_release);
      parkers[1 - me]->unpark();
    }
  };
  auto other = env.threads.start({.name = "other"}, [&] { play(1); });
  play(0);
  other->join();
  EXPECT_EQ(turn, kRounds);
  EXPECT_EQ(overdue, 0);
}

TEST_F(Posix, OffloadIsBoundedAndRunsInOrder) {
  Gate started, gate;
  std::string order;
  ASSERT_TRUE(env.offload.submit("first", [&] {
    started.open();
    gate.pass();
    order += '1';
  }));
  started.pass();
  ASSERT_TRUE(env.offload.submit("second", [&] { order += '2'; }));
  Gate done;
  ASSERT_TRUE(env.offload.submit("third", [&] {
    order += '3';
    done.open();
  }));
  MoveFunction<void()> fourth = [&] { order += '4'; };
  EXPECT_FALSE(env.offload.submit("fourth", std::move(fourth)));
  EXPECT_TRUE(fourth);
  gate.open();
  done.pass();
  EXPECT_EQ(env.offload.stop(Duration::seconds(20)), Names{});
  EXPECT_EQ(order, "123");
}

TEST_F(Posix, WorkThatNeverReturnsIsNamed) {
  auto gate = std::make_shared<Gate>();
  auto started = std::make_shared<Gate>();
  auto ended = std::make_shared<Gate>();
  ASSERT_TRUE(env.offload.submit("read part-7.csv", [=] {
    started->open();
    gate->pass();
    ended->open();
  }));
  started->pass();
  ASSERT_TRUE(env.offload.submit("never begun", [] { ADD_FAILURE(); }));
  EXPECT_EQ(env.offload.stop(Duration::millis(1)), Names{"read part-7.csv"});
  gate->open();
  EXPECT_EQ(env.offload.stop(Duration::seconds(20)), Names{});
  ended->pass();
}

TEST_F(Posix, DestructionNamesWorkThatStillRuns) {
  auto gate = std::make_shared<Gate>();
  auto started = std::make_shared<Gate>();
  auto stuck = makeRealEnv({.offloadThreads = 2, .offloadStopTimeout = Duration::millis(1)});
  ASSERT_TRUE(stuck->env().offload.submit("stuck", [=] {
    started->open();
    gate->pass();
  }));
  started->pass();
  testing::internal::CaptureStderr();
  stuck.reset();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("WARN  [offload] 'stuck' has not returned 1 ms after it was asked to stop"),
            std::string::npos)
      << log;
  gate->open();
}

TEST_F(Posix, SignalsCallBackOnce) {
  std::atomic<int> seen{0};
  auto watch = env.signals.watch([&](int number) {
    seen = number;
    seen.notify_all();
  });
  std::raise(SIGTERM);
  seen.wait(0);
  EXPECT_EQ(seen, SIGTERM);
}

TEST_F(Posix, EveryWatchIsCalled) {
  std::atomic<int> calls{0};
  const auto count = [&](int) {
    ++calls;
    calls.notify_all();
  };
  auto one = env.signals.watch(count);
  auto two = env.signals.watch(count);
  auto gone = env.signals.watch([](int) { ADD_FAILURE(); });
  gone.reset();
  std::raise(SIGTERM);
  for (int n = calls; n < 2; n = calls) calls.wait(n);
}

volatile std::sig_atomic_t formerHandlerCalls = 0;

TEST_F(Posix, TheFormerHandlerComesBack) {
  const auto former = std::signal(SIGTERM, [](int) { formerHandlerCalls = formerHandlerCalls + 1; });
  env.signals.watch([](int) {}).reset();
  std::raise(SIGTERM);
  EXPECT_EQ(formerHandlerCalls, 1);
  std::signal(SIGTERM, former);
}

TEST_F(PosixDeathTest, ASecondSignalEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto hang = [&] {
    Gate called, never;
    auto watch = env.signals.watch([&](int) { called.open(); });
    std::raise(SIGTERM);
    called.pass();
    std::raise(SIGTERM);
    never.pass();
  };
  EXPECT_EXIT(hang(), testing::ExitedWithCode(130), "");
}

TEST_F(Posix, TheLogHasTextAndJson) {
  const std::string file = testing::TempDir() + "flott_log_" + std::to_string(env.random.seed());
  testing::internal::CaptureStderr();
  {
    auto json = makeRealEnv({.log = {.level = LogLevel::kWarn, .format = LogFormat::kJson, .file = file}});
    json->env().log.info("task", "not wanted");
    json->env().log.warn("task", "a \"quoted\"\nline\x01");
  }
  makeRealEnv({.log = {.level = LogLevel::kDebug}})->env().log.log(LogLevel::kDebug, "task", "a text");
  const std::string err = testing::internal::GetCapturedStderr();
  std::ifstream stream(file);
  const std::string kept(std::istreambuf_iterator<char>(stream), {});
  std::filesystem::remove(file);
  EXPECT_EQ(kept.substr(0, 11), "{\"time\":\"20");
  EXPECT_NE(kept.find(R"(","level":"warn","component":"task","text":"a \"quoted\"\nline\u0001"})"
                      "\n"),
            std::string::npos)
      << kept;
  EXPECT_EQ(kept.find("not wanted"), std::string::npos);
  EXPECT_EQ(err.substr(0, kept.size()), kept);
  EXPECT_NE(err.find("Z DEBUG [task] a text\n"), std::string::npos) << err;
}

class LogFiles : public Posix {
 protected:
  LogFiles() { std::filesystem::remove_all(folder_); }
  ~LogFiles() override { std::filesystem::remove_all(folder_); }

  std::string textOf(const std::string& name) const {
    std::ifstream stream(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  size_t count() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  const std::string folder_ = testing::TempDir() + "flott_logs_" + std::to_string(env.random.seed());
};

TEST_F(LogFiles, AreBoundedInSizeAndNumber) {
  testing::internal::CaptureStderr();
  {
    auto real = makeRealEnv(
        {.log = {.file = folder_ + "/job.log", .fileBytes = 1000, .oldFiles = 2, .standardError = false}});
    for (int i = 0; i < 100; ++i) real->env().log.info("task", "line " + std::to_string(i));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(count(), 3u);
  EXPECT_NE(textOf("job.log").find("line 99\n"), std::string::npos);
  EXPECT_EQ(textOf("job.log").find("line 10\n"), std::string::npos);
  EXPECT_LE(textOf("job.1.log").size(), 1000u);
  EXPECT_NE(textOf("job.2.log"), "");
}

TEST_F(LogFiles, AreOfOneProcessAndSayTheJob) {
  testing::internal::CaptureStderr();
  {
    auto real = makeRealEnv({.log = {.format = LogFormat::kJson, .file = folder_ + "/job-%p.log"}});
    const JobScope job("0f");
    real->env().log.info("task", "one");
    makeRealEnv()->env().log.info("task", "two");
  }
  const std::string err = testing::internal::GetCapturedStderr();
  ASSERT_EQ(count(), 1u);
  const std::string name = std::filesystem::directory_iterator(folder_)->path().filename();
  EXPECT_EQ(name.find_first_not_of("0123456789", 4), name.size() - 4) << name << ": job-<digits>.log";
  const std::string kept = textOf(name);
  EXPECT_NE(kept.find(R"("component":"task","job":"0f","text":"one"})"), std::string::npos) << kept;
  EXPECT_NE(err.find("INFO  [task] [job 0f] two\n"), std::string::npos) << err;
}

TEST_F(Posix, ALogFileThatCannotBeOpenedIsNamed) {
  const std::string message = errorText([] { makeRealEnv({.log = {.file = "/proc/no/log"}}); });
  EXPECT_TRUE(message.starts_with("the log file '/proc/no/log' cannot be opened: ")) << message;
}

TEST_F(Posix, ConsoleWritesThrough) {
  testing::internal::CaptureStdout();
  env.console.out("one\n");
  env.console.out("two\n");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "one\ntwo\n");
}

TEST_F(Posix, DevicesFailAsDisksDo) {
  auto full = env.files.create("/dev/full", WriteMode::kAppend);
  full->write("x");
  EXPECT_EQ(errorText([&] { full->close(); }, ErrorKind::kTransient),
            "file '/dev/full' cannot be written: no space left on device; free some space there");
  auto memory = env.files.open("/proc/self/mem");
  char block[8];
  EXPECT_EQ(errorText([&] { memory->read(0, block); }, ErrorKind::kTransient),
            "file '/proc/self/mem' cannot be read: input/output error");
}

TEST_F(Posix, WhatIsWrittenBehindIsWhatWasWritten) {
  const std::string path = testing::TempDir() + "/flott-written-behind";
  std::string all;
  for (const WriteMode mode : {WriteMode::kCreate, WriteMode::kAppend}) {
    const std::unique_ptr<FileWriter> writer = env.files.create(path, mode);
    auto* const behind = dynamic_cast<WritesBehind*>(writer.get());
    ASSERT_NE(behind, nullptr);
    behind->startSync();
    for (const size_t size : {10u, 200'000u, 70'000u}) {
      const std::string part(size, static_cast<char>('a' + all.size() % 26));
      writer->write(part);
      behind->startSync();
      all += part;
    }
    writer->sync();
    behind->startSync();
    writer->close();
  }
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), all);
  env.files.remove(path);
}

TEST_F(Posix, LinkedFoldersAreNotWalkedTwice) {
  const std::string folder = testing::TempDir() + "flott_links_" + std::to_string(env.random.seed());
  env.files.makeFolders(folder + "/d");
  env.files.create(folder + "/d/a", WriteMode::kCreate)->close();
  std::filesystem::create_directory_symlink("..", folder + "/d/up");
  std::filesystem::create_symlink("d/a", folder + "/link");
  std::filesystem::create_symlink("nowhere", folder + "/broken");
  Names found;
  for (const FileInfo& info : env.files.listFiles(folder)) found.push_back(info.path.substr(folder.size()));
  EXPECT_EQ(found, (Names{"/d/a", "/link"}));
  EXPECT_EQ(env.files.glob(folder + "/**/a").size(), 1u);
  std::filesystem::remove_all(folder);
}

TEST_F(Posix, UnknownHostsAreNamed) {
  EXPECT_TRUE(errorText([&] { env.network.connect("no.such.host.invalid", 1, Duration::seconds(5)); },
                        ErrorKind::kTransient)
                  .starts_with("cannot connect to no.such.host.invalid:1: the host name "));
}

TEST_F(Posix, CloseEndsAReadOfAnotherThread) {
  auto listener = env.network.listen("127.0.0.1", 0);
  auto client = env.network.connect("127.0.0.1", listener->port(), Duration::seconds(5));
  auto server = listener->accept(Duration::seconds(5));
  auto reading = env.threads.start({.name = "reader"}, [&] {
    char block[4];
    EXPECT_EQ(client->read(block), 0u);
  });
  auto accepting = env.threads.start({.name = "acceptor"},
                                     [&] { EXPECT_EQ(listener->accept(Duration::seconds(60)), nullptr); });
  client->close();
  listener->close();
  reading->join();
  accepting->join();
}

TEST_F(Posix, TheProcessHasFigures) {
  EXPECT_GE(env.system.cpus(), 1);
  const uint64_t before = env.system.anonymousBytes();
  std::vector<char> memory(8'000'000, 'x');
  EXPECT_GE(env.system.anonymousBytes(), before + 7'900'000);
  EXPECT_GE(env.system.residentBytes(), env.system.anonymousBytes());
  EXPECT_GT(env.system.processCpuNanos(), 0);
  EXPECT_EQ(memory[5], 'x');
  setenv("FLOTT_TEST_VARIABLE", "yes", 1);
  EXPECT_EQ(env.system.environment("FLOTT_TEST_VARIABLE"), "yes");
  EXPECT_EQ(env.system.environment("FLOTT_NO_SUCH_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace flott
