// A JobManager and TaskManagers under virtual time, over simulated wires. Processes are the test's.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "flott/cluster/manager/job_manager.h"
#include "flott/cluster/manager/manager_messages.h"
#include "flott/cluster/manager/notice.h"
#include "flott/cluster/manager/task_manager.h"
#include "flott/cluster/manager/tests/fake_processes.h"
#include "flott/cluster/manager/unknown_end.h"
#include "flott/cluster/whole_files.h"
#include "flott/env/posix/real_env.h"
#include "flott/env/simulated.h"
#include "flott/env/simulated_async_network.h"
#include "flott/runtime/scheduler.h"

namespace flott {
namespace {

using Kind = ProgramRole::Kind;

const std::string kManager = "10.0.0.1";

/// Virtual time, real files.
Env mixed(SimulatedEnv& sim, RealEnv& real) {
  Env virtually = sim.env();
  Env really = real.env();
  return {.clock = virtually.clock,
          .random = virtually.random,
          .files = really.files,
          .network = virtually.network,
          .threads = virtually.threads,
          .offload = virtually.offload,
          .signals = virtually.signals,
          .console = virtually.console,
          .log = virtually.log,
          .system = virtually.system,
          .stores = virtually.stores};
}

class Managers : public testing::Test {
 protected:
  struct OneTaskManager {
    OneTaskManager(Managers& world, const std::string& id, int number, int slots)
        : address("10.0.0." + std::to_string(number)),
          folder(world.folder + "/" + id),
          network(world.wires.addHost(address)),
          store(world.env, folder + "/store"),
          loop(*network, world.env.log),
          manager(world.env, processes, loop, store,
                  {.about = {.id = id, .host = "host", .address = address, .slots = slots, .version = "1"},
                   .address = kManager,
                   .port = 6123,
                   .logFolder = world.makeFolder("/" + id + "/log"),
                   .localFolder = world.folder + "/" + id + "/localState",
                   .fetch = [this, &world](const manager_messages::Welcome&, const std::string& program) {
                     if (world.fetchFails || world.fetchFailsAt == folder)
                       throw Error(ErrorKind::kTransient, "the disk is full");
                     world.addProgram(store);
                     ASSERT_EQ(program, world.program);
                   }}) {
      world.scheduler.add(0, loop);
      world.scheduler.add(0, manager);
    }
    const std::string address;
    const std::string folder;
    FakeProcesses processes;
    std::unique_ptr<AsyncNetwork> network;
    ProgramStore store;
    MessageLoop loop;
    TaskManager manager;
  };

  Managers() {
    std::filesystem::remove_all(folder);
    makeFolder("");
    programs.emplace(env, folder + "/store");
    program = addProgram(*programs);
    startManager();
  }
  ~Managers() override {
    stopManager(true);
    for (const auto& one : taskManagers) one->manager.stop();
    pass(Duration::seconds(30));
    for (const auto& one : taskManagers) one->loop.stop();
    loop->stop();
    scheduler.join();
  }

  std::string makeFolder(const std::string& name) {
    std::filesystem::create_directories(folder + name);
    return folder + name;
  }
  std::string addProgram(ProgramStore& store) {
    const std::string file = store.uploadFolder() + "/one";
    std::ofstream(file) << "#!/bin/sh\nexit 0\n";
    const ProgramFile described{.name = "count", .hash = hashOfFile(env.files, file), .bytes = 17};
    store.addBlob(described.hash, file);
    return store.add({described}).id;
  }

  void startManager() {
    if (!network) {
      network = wires.addHost(kManager);
      loop.emplace(*network, env.log);
      loop->listen(kManager, 6123, [this](auto peer) {
        if (!manager->stopped()) manager->accept(std::move(peer));
      });
      scheduler.add(0, *loop);
    }
    managers.push_back(std::make_unique<JobManager>(
        env, processes, *loop, *programs,
        JobManagerOptions{.address = kManager,
                          .bindAddress = kManager,
                          .port = 6123,
                          .heartbeatInterval = Duration::seconds(1),
                          .heartbeatTimeout = Duration::seconds(5),
                          .jobDefaults = {{"parallelism.default", "7"}, {"pipeline.name", "default"}},
                          .jobFolder = makeFolder("/jobs"),
                          .archiveFolder = makeFolder("/archives"),
                          .logFolder = makeFolder("/log"),
                          .keptJobs = 3}));
    manager = managers.back().get();
    scheduler.add(0, *manager);
  }
  void stopManager(bool all) {
    manager->stop(all);
    pass(Duration::seconds(1));
  }
  OneTaskManager& addTaskManager(const std::string& id, int slots) {
    const int number = 2 + static_cast<int>(taskManagers.size());
    taskManagers.push_back(std::make_unique<OneTaskManager>(*this, id, number, slots));
    pass(Duration(500));
    return *taskManagers.back();
  }

  void pass(Duration time) {
    const int64_t until = sim.clock().monotonicNanos() + time.ms * 1'000'000;
    for (;;) {
      scheduler.runUntilIdle();
      if (sim.offload().runOne()) continue;
      const int64_t next = scheduler.nextDeadline();
      if (next > until) break;
      sim.clock().advanceTo(next);
    }
    sim.clock().advanceTo(until);
    scheduler.runUntilIdle();
  }

  void submit(std::map<std::string, std::string> options = {}) {
    submissions.emplace_back();
    manager->submit(
        {.program = program, .arguments = {"--top", "3"}, .options = std::move(options)},
        [this, i = submissions.size() - 1](Submission what) { submissions[i] = std::move(what); });
    pass(Duration(50));
  }
  std::shared_ptr<FakeProcess> master() {
    const auto running = processes.running(Kind::kMaster);
    EXPECT_FALSE(running.empty());
    return running.empty() ? std::make_shared<FakeProcess>() : running.back();
  }
  std::shared_ptr<FakeProcess> masterThatServes(int slots) {
    const auto process = master();
    process->answer = MasterAnswer{.jobId = process->role.master.jobId,
                                   .jobName = "Count",
                                   .port = 4000,
                                   .restPort = 4001,
                                   .slots = slots}
                          .encode();
    pass(Duration(100));
    return process;
  }
  /// A job with `slots` that has its workers, if there are slots for them.
  std::shared_ptr<FakeProcess> runningJob(int slots) {
    submit();
    return masterThatServes(slots);
  }
  /// As a master does at the end of its job.
  void leaveArchive(const FakeProcess& master, JobStatus status) {
    std::ofstream(master.role.master.archive)
        << archiveOfUnknownEnd(env, *parseJobId(master.role.master.jobId), "Count", status,
                               Error(ErrorKind::kUser, "why"), Timestamp(1), Timestamp(2));
  }
  const JobView& onlyJob() {
    view = manager->view();
    EXPECT_EQ(view->jobs.size(), 1u);
    static const JobView kNone{};
    return view->jobs.empty() ? kNone : view->jobs.front();
  }
  int freeSlots() {
    int free = 0;
    for (const TaskManagerView& one : manager->view()->taskManagers) free += one.freeSlots;
    return free;
  }
  size_t workers() {
    size_t count = 0;
    for (const auto& one : taskManagers) count += one->processes.running(Kind::kWorker).size();
    return count;
  }
  std::string logged(const std::string& part) {
    for (const std::string& line : sim.log().lines())
      if (line.find(part) != std::string::npos) return line;
    return "not logged: " + part;
  }

  const std::string folder = testing::TempDir() + "/flott-managers-test-" +
                             testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::unique_ptr<RealEnv> real = makeRealEnv();
  SimulatedEnv sim{7};
  const Env env = mixed(sim, *real);
  DeterministicScheduler scheduler{sim, 1, {.seed = 7}};
  SimulatedWires wires{sim.clock(), sim.random().fork("wires")};
  FakeProcesses processes;
  std::optional<ProgramStore> programs;
  std::string program;
  bool fetchFails = false;
  std::string fetchFailsAt;  // the folder of one
  std::unique_ptr<AsyncNetwork> network;
  std::optional<MessageLoop> loop;
  std::vector<std::unique_ptr<JobManager>> managers;
  JobManager* manager = nullptr;
  std::vector<std::unique_ptr<OneTaskManager>> taskManagers;
  std::deque<Submission> submissions;
  std::shared_ptr<const ClusterView> view;
};

TEST_F(Managers, RunAJobFromItsBeginningToItsEnd) {
  OneTaskManager& one = addTaskManager("a", 3);
  EXPECT_EQ(freeSlots(), 3);
  submit({{"parallelism.default", "2"}});
  const auto leading = master();
  EXPECT_EQ(leading->spec.arguments, (std::vector<std::string>{"--top", "3"}));
  EXPECT_EQ(leading->role.options,
            (std::map<std::string, std::string>{{"parallelism.default", "2"}, {"pipeline.name", "default"}}))
      << "those of the cluster are beneath the job's own";
  EXPECT_FALSE(leading->role.master.recovers);
  EXPECT_TRUE(leading->role.master.serves);
  EXPECT_EQ(onlyJob().status, "INITIALIZING");
  EXPECT_FALSE(submissions.front().job) << "it may still fail to start";
  masterThatServes(2);
  ASSERT_TRUE(submissions.front().job);
  EXPECT_EQ(toString(*submissions.front().job), leading->role.master.jobId);
  EXPECT_EQ(onlyJob().status, "RUNNING");
  EXPECT_EQ(onlyJob().name, "Count");
  EXPECT_EQ(onlyJob().restPort, 4001);

  ASSERT_EQ(workers(), 1u) << "one with both slots";
  const auto worker = one.processes.running(Kind::kWorker).front();
  EXPECT_EQ(worker->role.slots, 2);
  EXPECT_EQ(worker->role.port, 4000);
  EXPECT_EQ(worker->role.masterAddress, kManager);
  EXPECT_EQ(worker->role.dataAddress, one.address);
  EXPECT_EQ(worker->role.options, leading->role.options);
  EXPECT_EQ(worker->spec.arguments, leading->spec.arguments);
  EXPECT_EQ(freeSlots(), 1);

  leaveArchive(*leading, JobStatus::kFinished);
  worker->exit(kDismissed);
  pass(Duration::seconds(2));
  EXPECT_EQ(freeSlots(), 3);
  EXPECT_EQ(workers(), 0u) << "none takes its place";
  leading->exit();
  pass(Duration(100));
  EXPECT_EQ(onlyJob().status, "FINISHED");
  EXPECT_NE(onlyJob().archive, nullptr);
  EXPECT_EQ(onlyJob().restPort, 0);
  EXPECT_EQ(processes.all.size(), 1u);
}

TEST_F(Managers, AJobThatHasEndedIsToldOfWhileMainGoesOn) {
  OneTaskManager& one = addTaskManager("a", 1);
  const auto leading = runningJob(1);
  const std::string file = leading->role.master.archive;
  leaveArchive(*leading, JobStatus::kFinished);
  pass(Duration::seconds(10));
  EXPECT_EQ(onlyJob().archive, nullptr) << "its workers are not told yet";
  one.processes.running(Kind::kWorker).front()->exit(kDismissed);
  pass(Duration::seconds(2));
  EXPECT_EQ(onlyJob().status, "RUNNING") << "all documents are to come";
  const std::string path = "/jobs/" + toString(onlyJob().id) + "/vertices/more";
  std::string text = readFile(env.files, file);
  text.insert(text.find('[') + 1, R"({"path":")" + path + R"(","json":"{}"},)");
  replaceFile(env.files, file, text);
  pass(Duration(100));
  EXPECT_EQ(onlyJob().status, "FINISHED");
  ASSERT_NE(onlyJob().archive, nullptr);
  EXPECT_EQ(onlyJob().archive->find(path), "{}");
  EXPECT_EQ(onlyJob().restPort, 4001) << "main() goes on";
  EXPECT_EQ(onlyJob().program, program) << "which is not to be deleted";
  std::ofstream(file) << "damaged";
  pass(Duration(100));
  EXPECT_EQ(onlyJob().archive->find(path), "{}") << "what was read stays";
  replaceFile(env.files, file, text);
  leading->crash();
  pass(Duration(100));
  EXPECT_EQ(onlyJob().status, "FINISHED") << "the job has";
  EXPECT_EQ(onlyJob().restPort, 0);
  EXPECT_EQ(onlyJob().program, "");
}

TEST_F(Managers, ANewWorkerGoesWhereTheOneBeforeHasLeftItsCopies) {
  OneTaskManager& one = addTaskManager("a", 2);
  runningJob(1);
  OneTaskManager& other = addTaskManager("b", 8);
  pass(Duration::seconds(20));
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(one.processes.running(Kind::kWorker).size(), 1u) << "however many more slots the other has";
    EXPECT_EQ(one.processes.running(Kind::kWorker).front()->role.localFolder, folder + "/a/localState");
    one.processes.running(Kind::kWorker).front()->crash();
    pass(Duration::seconds(20));
  }
  wires.part(kManager, one.address);
  pass(Duration::seconds(8));
  EXPECT_EQ(other.processes.running(Kind::kWorker).size(), 1u) << "where else";
}

TEST_F(Managers, CopiesOfStateGoWithTheirJob) {
  const std::string old = makeFolder("/a/localState/of-a-job-that-ended-meanwhile");
  OneTaskManager& one = addTaskManager("a", 1);
  EXPECT_FALSE(std::filesystem::exists(old));
  const auto leading = runningJob(1);
  const std::string copies = makeFolder("/a/localState/" + leading->role.master.jobId + "/chk-1");
  one.processes.running(Kind::kWorker).front()->crash();
  wires.part(kManager, one.address);
  pass(Duration::seconds(8));
  wires.join(kManager, one.address);
  pass(Duration::seconds(20));
  EXPECT_TRUE(std::filesystem::exists(copies)) << "the job goes on";
  leaveArchive(*leading, JobStatus::kFinished);
  leading->exit();
  pass(Duration::seconds(1));
  EXPECT_FALSE(std::filesystem::exists(copies));
  EXPECT_FALSE(std::filesystem::exists(folder + "/a/localState/" + leading->role.master.jobId));
}

TEST_F(Managers, AMasterThatCannotLeaveAllDocumentsLeavesTheEnd) {
  OneTaskManager& one = addTaskManager("a", 1);
  const auto leading = runningJob(1);
  leaveArchive(*leading, JobStatus::kCancelled);
  one.processes.running(Kind::kWorker).front()->exit(kDismissed);
  pass(Duration::seconds(10));
  EXPECT_EQ(onlyJob().status, "CANCELED");
  EXPECT_EQ(onlyJob().restPort, 4001) << "main() goes on";
}

TEST_F(Managers, AWorkerThatEndsIsReplacedButNotWithoutPause) {
  OneTaskManager& one = addTaskManager("a", 1);
  runningJob(1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(workers(), 1u);
    one.processes.running(Kind::kWorker).front()->crash();
    pass(Duration(100));
    pass(Duration(600));
  }
  const size_t before = one.processes.all.size();
  for (int i = 0; i < 100; ++i) {  // one that ends at once
    for (const auto& worker : one.processes.running(Kind::kWorker)) worker->crash();
    pass(Duration(50));
  }
  EXPECT_GE(one.processes.all.size() - before, 8u);
  EXPECT_LE(one.processes.all.size() - before, 11u) << "5 s have passed";
  EXPECT_NE(logged("was killed by signal 11").find("worker 'a/w1'"), std::string::npos);
}

TEST_F(Managers, AJobGoesElsewhereFromWhereItsWorkersDoNotStart) {
  fetchFailsAt = folder + "/a";
  OneTaskManager& one = addTaskManager("a", 4);
  runningJob(1);
  pass(Duration::seconds(2));
  EXPECT_EQ(workers(), 0u);
  OneTaskManager& other = addTaskManager("b", 1);
  pass(Duration::seconds(2));
  EXPECT_EQ(other.processes.running(Kind::kWorker).size(), 1u);
  pass(Duration::seconds(20));
  other.processes.running(Kind::kWorker).front()->crash();
  pass(Duration::seconds(2));
  EXPECT_EQ(other.processes.all.size(), 2u) << "it had lived for long enough";
  fetchFailsAt.clear();
  wires.part(kManager, other.address);
  pass(Duration::seconds(8));
  EXPECT_EQ(one.processes.running(Kind::kWorker).size(), 1u) << "where else";
}

TEST_F(Managers, ATaskManagerThatIsLostTakesItsWorkersAlong) {
  OneTaskManager& one = addTaskManager("a", 2);
  OneTaskManager& other = addTaskManager("b", 2);
  runningJob(2);
  OneTaskManager& first = one.processes.all.empty() ? other : one;
  OneTaskManager& second = one.processes.all.empty() ? one : other;
  ASSERT_EQ(first.processes.running(Kind::kWorker).size(), 1u);
  wires.part(kManager, first.address);
  pass(Duration::seconds(8));
  EXPECT_EQ(second.processes.running(Kind::kWorker).size(), 1u) << "its slots are had elsewhere";
  EXPECT_EQ(first.processes.running(Kind::kWorker).size(), 0u) << "and it has killed those it had";
  wires.join(kManager, first.address);
  pass(Duration::seconds(20));
  EXPECT_EQ(manager->view()->taskManagers.size(), 2u) << "it is back";
  EXPECT_EQ(workers(), 1u);
}

TEST_F(Managers, AMasterThatCrashesIsReplacedAndItsWorkersWithIt) {
  OneTaskManager& one = addTaskManager("a", 1);
  const auto first = runningJob(1);
  const auto worker = one.processes.running(Kind::kWorker).front();
  first->crash();
  pass(Duration(100));
  EXPECT_FALSE(worker->runs());
  EXPECT_EQ(onlyJob().status, "RESTARTING");
  pass(Duration(600));
  const auto second = master();
  EXPECT_NE(second, first);
  EXPECT_TRUE(second->role.master.recovers);
  EXPECT_EQ(second->role.master.jobId, first->role.master.jobId);
  masterThatServes(1);
  EXPECT_EQ(workers(), 1u);
  EXPECT_EQ(onlyJob().status, "RUNNING");
}

TEST_F(Managers, AMasterThatCrashesAgainAndAgainIsGivenUp) {
  runningJob(1)->crash();
  for (int i = 0; i < 1000 && onlyJob().archive == nullptr; ++i) {
    pass(Duration::seconds(1));
    for (const auto& process : processes.running(Kind::kMaster)) process->crash();
  }
  EXPECT_EQ(onlyJob().status, "FAILED");
  EXPECT_EQ(processes.all.size(), 11u);
  const std::string why = *onlyJob().archive->find("/jobs/" + toString(onlyJob().id) + "/exceptions");
  EXPECT_NE(why.find("crashes again and again"), std::string::npos) << why;
  EXPECT_NE(why.find("segmentation fault"), std::string::npos) << why;
}

TEST_F(Managers, TheNextJobManagerTakesUpTheJobs) {
  addTaskManager("a", 1);
  const auto first = runningJob(1);
  const JobId id = onlyJob().id;
  stopManager(false);
  EXPECT_FALSE(first->runs());
  EXPECT_TRUE(manager->stopped());
  startManager();
  pass(Duration::seconds(1));
  EXPECT_EQ(onlyJob().id, id);
  EXPECT_TRUE(master()->role.master.recovers);
  EXPECT_EQ(master()->spec.arguments, first->spec.arguments);
  masterThatServes(1);
  pass(Duration::seconds(2));
  EXPECT_EQ(workers(), 1u) << "TaskManagers come back by themselves";
  leaveArchive(*master(), JobStatus::kCancelled);
  master()->exit();
  pass(Duration(100));
  stopManager(false);
  startManager();
  pass(Duration::seconds(1));
  EXPECT_EQ(onlyJob().status, "CANCELED");
  EXPECT_TRUE(processes.running(Kind::kMaster).empty());
}

TEST_F(Managers, AProgramThatStartsNoJobIsToldOf) {
  submit();
  std::ofstream(master()->spec.outputFile) << "no such database\n";
  master()->end = ProcessEnd{.status = 2};
  pass(Duration(100));
  EXPECT_STREQ(submissions.at(0).problem->what(), "the program exited with status 2:\nno such database");
  submit();
  master()->exit();
  pass(Duration(100));
  EXPECT_NE(std::string(submissions.at(1).problem->what()).find("ended without starting a job"),
            std::string::npos);
  submit();
  pass(Duration::seconds(61));
  EXPECT_NE(std::string(submissions.at(2).problem->what()).find("has not come to start a job after 1 min"),
            std::string::npos)
      << submissions.at(2).problem->what();
  EXPECT_TRUE(processes.running(Kind::kMaster).empty());
  EXPECT_TRUE(manager->view()->jobs.empty()) << "none has been a job";
  manager->submit({.program = "0123456789abcdef"},
                  [&](Submission what) { submissions[0] = std::move(what); });
  pass(Duration(10));
  EXPECT_STREQ(submissions[0].problem->what(),
               "there is no program '0123456789abcdef': it was not uploaded, or has been deleted");
}

TEST_F(Managers, AJobCanBeEndedBeforeItsMasterIsThere) {
  submit();
  manager->kill(onlyJob().id);
  pass(Duration(100));
  EXPECT_EQ(onlyJob().status, "CANCELED");
  EXPECT_TRUE(processes.running(Kind::kMaster).empty());
  EXPECT_TRUE(submissions.front().problem);
}

TEST_F(Managers, AWorkerThatItsMasterHasGivenUpIsKilled) {
  OneTaskManager& one = addTaskManager("a", 1);
  const auto leading = runningJob(1);
  const auto worker = one.processes.running(Kind::kWorker).front();
  sendNotice(*loop, kManager, 6123,
             encodeFrame(ToJobManager(
                 manager_messages::LostWorker{leading->role.master.jobId, worker->role.worker})));
  pass(Duration::seconds(2));
  EXPECT_EQ(worker->end, (ProcessEnd{.signal = 9}));
  EXPECT_EQ(workers(), 1u) << "another one";
}

TEST_F(Managers, AWorkerThatDoesNotComeToItsMasterIsGivenUp) {
  OneTaskManager& one = addTaskManager("a", 1);
  const auto leading = runningJob(1);
  const auto hangs = one.processes.running(Kind::kWorker).front();
  OneTaskManager& other = addTaskManager("b", 1);
  pass(Duration::seconds(58));
  EXPECT_FALSE(hangs->end);
  pass(Duration::seconds(2));
  EXPECT_EQ(hangs->end, (ProcessEnd{.signal = 9}));
  EXPECT_EQ(logged("has not come to its master after 1 min"), logged("is given up"));
  ASSERT_EQ(other.processes.running(Kind::kWorker).size(), 1u) << "another TaskManager is tried";
  EXPECT_EQ(workers(), 1u);
  EXPECT_EQ(freeSlots(), 1);

  const auto comes = other.processes.running(Kind::kWorker).front();
  sendNotice(*loop, kManager, 6123,
             encodeFrame(ToJobManager(
                 manager_messages::WorkerRegistered{leading->role.master.jobId, comes->role.worker})));
  pass(Duration::seconds(200));
  EXPECT_FALSE(comes->end);
  EXPECT_EQ(workers(), 1u);
}

TEST_F(Managers, JobsWaitForSlots) {
  addTaskManager("a", 2);
  runningJob(3);
  EXPECT_EQ(workers(), 0u) << "all or nothing";
  runningJob(2);
  EXPECT_EQ(workers(), 1u) << "one that fits goes ahead";
  addTaskManager("b", 1);
  addTaskManager("c", 2);
  EXPECT_EQ(workers(), 3u) << "on two TaskManagers";
  EXPECT_EQ(freeSlots(), 0);
}

TEST_F(Managers, AProgramThatCannotBeFetchedIsAWorkerThatEnds) {
  fetchFails = true;
  addTaskManager("a", 1);
  runningJob(1);
  pass(Duration::seconds(1));
  EXPECT_EQ(workers(), 0u);
  EXPECT_NE(logged("was not started: the disk is full").find("WARN"), std::string::npos);
  fetchFails = false;
  pass(Duration::seconds(1));
  EXPECT_EQ(workers(), 1u);
}

TEST_F(Managers, OldJobsAreForgotten) {
  for (int i = 0; i < 5; ++i) {
    submit();
    const auto leading = masterThatServes(1);
    leaveArchive(*leading, JobStatus::kFinished);
    leading->exit();
    pass(Duration(100));
  }
  EXPECT_EQ(manager->view()->jobs.size(), 3u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder + "/archives"), {}), 3);
}

TEST_F(Managers, ASecondTaskManagerOfOneNameTakesTheFirstOnesPlace) {
  OneTaskManager& one = addTaskManager("a", 1);
  addTaskManager("a", 4);
  EXPECT_EQ(freeSlots(), 4);
  pass(Duration::seconds(1));
  EXPECT_STREQ(one.manager.error()->what(),
               "the JobManager refuses this TaskManager: another process has registered under its name");
  EXPECT_EQ(manager->view()->taskManagers.size(), 1u);
}

TEST_F(Managers, WhoDoesNotSayWhoItIsIsRefusedAtItsFirstWord) {
  const auto stranger = wires.addHost("10.0.0.9");
  MessageLoop other(*stranger, env.log);
  scheduler.add(0, other);
  sendNotice(other, kManager, 6123, encodeFrame(ToJobManager(manager_messages::Heartbeat())));
  pass(Duration::seconds(1));
  EXPECT_NE(logged("it did not say who it is").find("was refused"), std::string::npos);
  other.stop();
  pass(Duration::seconds(30));
}

TEST_F(Managers, AnArchiveThatTellsNoEndIsLeftOut) {
  stopManager(false);
  for (const char* state : {"7", "\"RUNNING\"", "null"}) {
    std::ofstream(folder + "/archives/0123456789abcdef0123456789abcdef.json")
        << R"({"archive":[{"path":"/jobs/overview","json":"{\"jobs\":[{\"name\":\"x\",\"state\":)"
        << (state[0] == '"' ? "\\\"RUNNING\\\"" : state) << R"(}]}"}]})";
    startManager();
    pass(Duration(100));
    EXPECT_TRUE(manager->view()->jobs.empty()) << state;
    EXPECT_NE(logged("is left out").find("does not tell its end"), std::string::npos) << state;
    stopManager(false);
  }
  startManager();
}

TEST_F(Managers, TheLogOfAJobThatRunsIsKept) {
  runningJob(1);
  const std::string kept = master()->spec.outputFile;
  std::ofstream(kept) << "of the first job";
  std::filesystem::last_write_time(kept, std::filesystem::file_time_type::min());
  for (int i = 0; i < 500; ++i)
    std::ofstream(folder + "/log/job-" + std::to_string(i) + "-master.out") << "old";
  runningJob(1);
  EXPECT_TRUE(std::filesystem::exists(kept));
  EXPECT_LE(std::distance(std::filesystem::directory_iterator(folder + "/log"), {}), 401);
}

TEST_F(Managers, WhatIsNoTaskManagerIsRefused) {
  const auto stranger = wires.addHost("10.0.0.9");
  MessageLoop other(*stranger, env.log);
  scheduler.add(0, other);
  sendNotice(other, kManager, 6123,
             encodeFrame(ToJobManager(manager_messages::Register{.id = "", .slots = 1})));
  sendNotice(other, kManager, 6123, std::string(200, 'x'));
  pass(Duration::seconds(1));
  EXPECT_TRUE(manager->view()->taskManagers.empty());
  EXPECT_NE(logged("needs a name and from 1 to 4096 slots, not 1").find("WARN"), std::string::npos);
  EXPECT_NE(logged("no message of Flott").find("was refused"), std::string::npos);
  other.stop();
  pass(Duration::seconds(30));
}

}  // namespace
}  // namespace flott
