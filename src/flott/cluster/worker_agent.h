// A worker process of a job: takes tasks from the master, runs them, and says what becomes of them.
//
// It registers with the slots it offers and what its program has built, makes a Worker for each region of
// tasks that it is given, or for its part of one, with links to the workers that have the rest, and passes
// the calls of both sides on as messages. When the master says nothing for too long, or the link breaks, it
// cancels its tasks and ends: by then, or soon after, the master counts it as lost. An actor on a lane of its
// own; the tasks run on the lanes before it.
//
//   WorkerAgent agent(graph, {.name = "w1", .slots = 2}, env, scheduler, network.connect(master));
//   scheduler.add(1, agent);
//   scheduler.join();
//   if (agent.error()) …;
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/config.h"
#include "flott/cluster/data_plane.h"
#include "flott/cluster/message_port.h"
#include "flott/cluster/messages.h"
#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/master_gateway.h"
#include "flott/runtime/runnable.h"
#include "flott/runtime/scheduler.h"
#include "flott/runtime/worker.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

class ColdMemory;

struct WorkerAgentOptions {
  std::string name;
  int slots = 1;
  /// That tasks run on, from lane 0 of the scheduler on.
  int lanes = 1;
  /// How long the answer to the registration may take.
  Duration registrationTimeout = Duration::seconds(50);
  /// For channels to other workers; outlives the agent. Null: it has no part of a region, but all or nothing.
  DataPlane* dataPlane = nullptr;
  /// For copies of checkpoints, of all jobs of this machine; empty: there are none unless the configuration
  /// names a folder.
  std::string localFolder = {};
};

class WorkerAgent final : public Runnable, private MasterGateway, private MessagePort::Receiver {
 public:
  /// What is referred to outlives the agent.
  WorkerAgent(const JobGraph& graph, WorkerAgentOptions options, Env& env, Scheduler& scheduler,
              std::unique_ptr<MessagePort> port);
  ~WorkerAgent() override;

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override { return "worker '" + options_.name + "'"; }

  /// After its last step: why it has ended; nothing when the master has dismissed it.
  const std::optional<Error>& error() const { return error_; }

 private:
  using TaskKey = std::pair<int, int>;
  enum class State : uint8_t {
    kNew,
    kRegistering,  // waits for the answer
    kServing,
    kLeaving,  // tasks are being cancelled; nothing is sent or listened to
  };
  // What runs of one attempt of a region.
  struct Attempt {
    ~Attempt() {
      if (links != nullptr) links->end();
    }
    void stopLinks() {
      if (links != nullptr) links->links().stop();
    }
    uint64_t number = 0;                 // of the links
    std::unique_ptr<OpenedLinks> links;  // null: all of the region is here
    std::unique_ptr<Worker> worker;
  };
  struct Region {
    std::unique_ptr<Attempt> newest;
    std::unique_ptr<Attempt> before;  // its lanes may just be done with it
  };
  struct Deployed {
    Task* task = nullptr;
    int64_t sinceNanos = 0;
  };

  // MasterGateway: on the tasks' lanes.
  void onTaskEnded(TaskId task, TaskState state, std::optional<Error> error,
                   Accumulators accumulators) override;
  void reportDamaged(TaskId task, Error what) override;
  void requestSplit(TaskId task) override { post(messages::SplitRequest{task}); }
  void sendSourceEvent(TaskId task, std::string event) override {
    post(messages::EventOfReader{task, std::move(event)});
  }
  void reportWatermark(TaskId task, Timestamp time) override { post(messages::WatermarkOfTask{task, time}); }
  void acknowledgeCheckpoint(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot) override {
    post(messages::Acknowledgement{task, checkpoint, std::move(snapshot)});
  }
  void awaitFinalCheckpoint(TaskId task) override { post(messages::AwaitsFinalCheckpoint{task}); }
  void declineCheckpoint(TaskId task, CheckpointId checkpoint, Error reason) override {
    post(messages::Decline{task, checkpoint, messages::Failure::of(reason)});
  }

  // MessagePort::Receiver
  void onFrame(std::string frame) override;
  void onClosed(std::string_view why) override;

  void post(ToMaster message);
  void send(const ToMaster& message);
  void begin();
  void received(std::string_view frame);
  void leave(std::optional<Error> why);
  void beat();
  void report();
  messages::TaskReport reportOf(const Deployed& deployed) const;
  bool allOpen() const;

  void on(messages::Heartbeat&&) {}
  void on(messages::Welcome&& message);
  void on(messages::Refused&& message);
  void on(messages::Deploy&& message);
  void on(messages::Dismiss&& message);
  void on(messages::Cancel&& message);
  void on(messages::Splits&& message);
  void on(messages::NoMoreSplits&& message);
  void on(messages::EventForReader&& message);
  void on(messages::WatermarkLimit&& message);
  void on(messages::Trigger&& message);
  void on(messages::CheckpointEnd&& message);
  void on(messages::Drain&& message);
  void on(messages::ReadTimes&& message);
  void on(messages::ReadAccumulators&& message);
  void on(messages::OpenLinks&& message);
  void on(messages::CloseLinks&& message);

  void check(const messages::Deploy& message) const;
  std::unique_ptr<Attempt> make(messages::Deploy& message);
  std::unique_ptr<OpenedLinks> linksFor(const messages::Deploy& message);
  Placement placement(const messages::Deploy& message);
  void taskEnded(TaskId task, TaskState state, std::optional<messages::Failure> failure,
                 Accumulators accumulators);
  /// Null: no such task runs here, or not any more.
  Task* find(TaskId id);
  /// Throws Error(kBug) for one that reads no splits.
  Task* findReader(TaskId id);

  const JobGraph& graph_;
  const WorkerAgentOptions options_;
  Env& env_;
  Scheduler& scheduler_;
  const std::unique_ptr<MessagePort> port_;
  Mailbox mailbox_;
  State state_ = State::kNew;
  StepTime now_;
  std::string jobId_;
  Configuration configuration_;
  Duration interval_;  // of heartbeats
  Duration patience_;  // with a master that says nothing
  std::optional<LocalCopies> copies_;
  std::optional<CheckpointStorage> storage_;
  std::shared_ptr<ColdMemory> coldMemory_;
  std::map<uint32_t, Region> regions_;
  std::map<uint64_t, std::unique_ptr<OpenedLinks>> opened_;  // for tasks to come, by number
  std::map<TaskKey, Deployed> running_;                      // tasks that have not ended
  std::map<std::pair<std::string, int>, int> laneOf_;        // by slot sharing group and subtask
  int64_t heardNanos_ = 0;
  int64_t nextBeat_ = 0;
  int64_t nextLook_ = 0;  // whether tasks that were deployed have opened
  std::optional<Error> error_;
};

}  // namespace flott
