// A TaskManager: offers slots to the JobManager, and runs worker processes in them.
//
// It registers over a link that it opens, fetches the programs that it is to run from the JobManager's store,
// starts each worker as a process of its own, and tells the JobManager and the job's master how it has ended.
// When the link breaks, or the JobManager says nothing for too long, its workers are killed, since others may
// take their place, and it registers anew. An actor: its thread is that of its workers, which die with it.
//
//   TaskManager manager(env, processes, loop, store, options);
//   scheduler.add(0, manager);
//   scheduler.join();
//   if (manager.error()) …;
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "flott/base/error.h"
#include "flott/base/function.h"
#include "flott/cluster/manager/manager_messages.h"
#include "flott/cluster/manager/program_store.h"
#include "flott/cluster/message_loop.h"
#include "flott/env/env.h"
#include "flott/env/processes.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/runnable.h"

namespace flott {

struct TaskManagerOptions {
  /// With what it registers.
  manager_messages::Register about;
  /// Of the JobManager.
  std::string address = "127.0.0.1";
  uint16_t port = 6123;
  /// How long the JobManager is looked for.
  Duration registrationTimeout = Duration::seconds(300);
  /// Where what workers write goes, a file each; it is there.
  std::string logFolder;
  size_t keptLogs = 400;
  /// Where workers may keep copies of state, a folder in it for each job; empty: nowhere.
  std::string localFolder = {};
  /// Gets a program into the store, unless it is there. Called on off-load threads; throws Error.
  MoveFunction<void(const manager_messages::Welcome&, const std::string& program)> fetch;
};

class TaskManager final : public Runnable {
 public:
  /// What is referred to outlives it.
  TaskManager(const Env& env, Processes& processes, MessageLoop& loop, ProgramStore& store,
              TaskManagerOptions options);
  ~TaskManager() override;

  /// Any thread: kills its workers, and ends.
  void stop();

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override { return "TaskManager '" + options_.about.id + "'"; }

  /// After its last step: why it has ended; nothing when it was told to.
  const std::optional<Error>& error() const { return error_; }

 private:
  enum class State : uint8_t {
    kAway,         // no link; the next attempt comes
    kRegistering,  // waits for the answer
    kServing,
    kEnding,
  };
  struct Worker {
    manager_messages::StartWorker about;
    std::string logFile;
    std::unique_ptr<ChildProcess> process;  // null: its program is being fetched
    bool stopped = false;
  };

  /// One connection to the JobManager: what comes out of it is mail.
  struct Link;

  void connect(int64_t now);
  void disconnected(const std::string& why);
  void dropLink();
  void received(const Link& link, std::string_view frame);
  void send(const ToJobManager& message);
  void on(manager_messages::Heartbeat&&) {}
  void on(manager_messages::Welcome&& message);
  void on(manager_messages::Refused&& message);
  void on(manager_messages::StartWorker&& message);
  void on(manager_messages::StopWorker&& message);
  void on(manager_messages::Shutdown&& message);
  void on(manager_messages::JobEnded&& message);

  void dropCopies();
  void fetched(uint64_t number, const std::optional<Error>& problem);
  void start(Worker& worker);
  void look();
  void ended(Worker& worker, bool dismissed, const std::string& how);
  void end(std::optional<Error> why);

  const Env env_;
  Processes& processes_;
  MessageLoop& loop_;
  ProgramStore& store_;
  TaskManagerOptions options_;
  Mailbox mailbox_;
  State state_ = State::kAway;
  std::shared_ptr<Link> link_;  // what comes of an earlier one is not listened to
  manager_messages::Welcome welcome_;
  std::set<std::string> jobs_;          // that have not ended, as far as it is told
  std::map<uint64_t, Worker> workers_;  // by their numbers
  int fetching_ = 0;                    // off-loaded work that has not come back
  int64_t nextAttempt_ = 0;
  int64_t searchedSince_ = 0;
  int64_t heardNanos_ = 0;
  int64_t nextBeat_ = 0;
  int64_t nextLook_ = 0;
  std::string lastProblem_;  // of a connection, which is logged once
  std::optional<Error> error_;
};

}  // namespace flott
