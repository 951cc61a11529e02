// The JobManager: which jobs there are, which TaskManagers, and which workers of these work for which job.
//
// A job is led by a master, a process of the job's own program (master/program_role.h) that is a child of
// this one. When it is there the JobManager has TaskManagers start workers until the job has its slots, and
// starts others for those that are lost. What is to survive lies in a folder: a JobManager that comes back
// starts the masters of the jobs that ran, which go on from their newest checkpoints. Documents about a job
// are its master's business, and those of one that has ended are in the archive that the master has left.
//
// An actor. Its thread is that of the masters, which die with it. Others read what there is from view(), a
// value that is replaced when something changes, and ask for the rest by calls that only post mail.
//
//   JobManager manager(env, processes, loop, programs, options);
//   loop.listen(…, [&](auto port) { manager.accept(std::move(port)); });
//   scheduler.add(0, manager);
//   manager.submit({.program = id}, [](Submission what) { … });
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/function.h"
#include "flott/cluster/manager/manager_messages.h"
#include "flott/cluster/manager/program_store.h"
#include "flott/cluster/message_loop.h"
#include "flott/cluster/slot_assignment.h"
#include "flott/env/env.h"
#include "flott/env/processes.h"
#include "flott/master/job_id.h"
#include "flott/master/job_status.h"
#include "flott/rest/job_archive.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/runnable.h"

namespace flott {

struct JobManagerOptions {
  /// By which others reach this process and the masters, and which these listen on; numeric.
  std::string address = "127.0.0.1";
  std::string bindAddress = "127.0.0.1";
  uint16_t port = 0;
  /// What TaskManagers are told.
  std::string restAddress = "127.0.0.1";
  uint16_t restPort = 0;
  Duration heartbeatInterval = Duration::seconds(10);
  Duration heartbeatTimeout = Duration::seconds(50);
  Duration programStartTimeout = Duration::seconds(60);
  SlotSpread slotSpread = SlotSpread::kPacked;
  /// Options of the engine for all jobs, beneath their own.
  std::map<std::string, std::string> jobDefaults = {};
  /// Folders that are there.
  std::string jobFolder;
  std::string archiveFolder;
  std::string logFolder;
  size_t keptJobs = 200;  // that have ended
  size_t keptLogs = 400;
};

struct JobRequest {
  std::string program;  // id in the store
  std::vector<std::string> arguments = {};
  std::map<std::string, std::string> options = {};
};

/// What became of a request: the job, or why there is none.
struct Submission {
  std::optional<JobId> job;
  std::optional<Error> problem;
};

/// A job as the JobManager sees it.
struct JobView {
  JobId id;
  std::string name;     // empty before its master has said it
  std::string program;  // its id in the store; empty once the job has ended
  std::string status;   // INITIALIZING, RUNNING, RESTARTING, or how it has ended
  Timestamp submitted;
  uint16_t restPort = 0;  // of its master on this machine; 0: there is none, or it has said nothing yet
  int slots = 0;          // that it takes
  int workers = 0;
  /// Of one that has ended. With a restPort main() goes on after it.
  std::shared_ptr<const JobArchive> archive;
};

struct TaskManagerView {
  manager_messages::Register about;
  int freeSlots = 0;
  Timestamp lastHeard;
  std::vector<std::pair<JobId, int>> jobs;  // slots of each
};

struct ClusterView {
  std::vector<JobView> jobs;  // newest first
  std::vector<TaskManagerView> taskManagers;

  const JobView* find(const JobId& id) const;
  const TaskManagerView* find(std::string_view taskManager) const;
};

class JobManager final : public Runnable {
 public:
  /// Takes up the jobs in the folder. What is referred to outlives it. Throws Error(kUser) for heartbeats
  /// that are slower than their time-out.
  JobManager(const Env& env, Processes& processes, MessageLoop& loop, ProgramStore& programs,
             JobManagerOptions options);
  ~JobManager() override;

  /// Before the first step: where TaskManagers get programs.
  void serveAt(std::string address, uint16_t port);

  // Any thread.
  void accept(std::unique_ptr<MessagePort> port);
  /// `reply` is called on the actor's lane when the program has started its job, or has not.
  void submit(JobRequest request, MoveFunction<void(Submission)> reply);
  /// For a job whose master does not answer: it is ended. No error when there is none.
  void kill(const JobId& job);
  /// Ends, and the masters with it; the jobs are taken up again by the next JobManager. `all`: TaskManagers
  /// end, too.
  void stop(bool all);
  /// It takes no mail any more.
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  std::shared_ptr<const ClusterView> view() const { return std::atomic_load(&view_); }

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override { return "JobManager"; }

 private:
  /// A connection: of a TaskManager, or of somebody with one message.
  struct Peer;
  struct Job;
  struct Worker {
    JobId job;
    std::string taskManager;
    std::string name;
    int slots = 1;
    int64_t startedNanos = 0;
    bool registered = false;  // with its master
  };

  void received(Peer& peer, std::string_view frame);
  void closed(Peer& peer, const std::string& why);
  void on(Peer& peer, manager_messages::Heartbeat&&);
  void on(Peer& peer, manager_messages::Register&& message);
  void on(Peer& peer, manager_messages::WorkerEnded&& message);
  void on(Peer& peer, manager_messages::LostWorker&& message);
  void on(Peer& peer, manager_messages::WorkerRegistered&& message);
  void lose(Peer& peer, const std::string& why);
  void refuse(Peer& peer, const std::string& why);
  Peer* findTaskManager(std::string_view id);

  void load();
  Job* find(const JobId& id);
  std::map<std::string, std::string> optionsOf(const Job& job) const;
  void startMaster(Job& job, bool recovers);
  void look(Job& job, int64_t now);
  void masterAnswered(Job& job, const std::string& answer);
  void masterEnded(Job& job, const ProcessEnd& end);
  void masterCrashed(Job& job, const std::string& how);
  void failToStart(Job& job, const Error& why);
  void lookForEnd(Job& job);
  void takeArchive(Job& job, JobArchive archive);
  void endJob(Job& job, const std::string& archive);
  void endWithout(Job& job, JobStatus status, const Error& why);
  void forgetOldJobs();
  std::string specFile(const JobId& id) const;
  std::string archiveFile(const JobId& id) const;
  std::string logFile(const JobId& id) const;

  void assign(Job& job, int64_t now);
  bool assign(Job& job, const std::vector<Peer*>& taskManagers);
  void startWorker(Job& job, Peer& taskManager, int slots);
  void stopWorkers(const JobId& job);
  void giveUpSilentWorkers(int64_t now);
  void workerEnded(uint64_t number, bool dismissed);
  int freeSlots(const Peer& taskManager) const;

  void beat(int64_t now);
  void publish();

  const Env env_;
  Processes& processes_;
  MessageLoop& loop_;
  ProgramStore& programs_;
  JobManagerOptions options_;
  Mailbox mailbox_;
  std::vector<std::shared_ptr<Peer>> peers_;
  std::vector<std::unique_ptr<Job>> jobs_;  // oldest first
  std::map<uint64_t, Worker> workers_;      // by their numbers
  uint64_t lastWorker_ = 0;
  int64_t nextBeat_ = 0;
  int64_t nextLook_ = 0;
  int64_t lastStep_ = 0;
  bool changed_ = true;  // since the view was made
  bool stopping_ = false;
  int64_t endNanos_ = 0;
  std::atomic<bool> stopped_{false};
  std::shared_ptr<const ClusterView> view_;  // with atomic_load, atomic_store
};

}  // namespace flott
