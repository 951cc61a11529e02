// A worker as the master sees it: from its connection to its loss or dismissal.
//
// It registers, offers slots, gets tasks, and sends heartbeats; what its tasks have to say is handed to the
// MasterGateway. Who says nothing for too long, sends what cannot be read, or is disconnected, is lost for
// good, and so are its tasks: it may come back as a new worker. What comes for a task that is not there (of
// an earlier attempt, or ended as far as the master is concerned) is not listened to. Owned by the deployer;
// on the master's lane only, but for what the port calls.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "flott/cluster/message_port.h"
#include "flott/cluster/messages.h"
#include "flott/cluster/remote_task.h"
#include "flott/env/env.h"
#include "flott/master/failover_regions.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/master_gateway.h"

namespace flott {

class RemoteWorker;

/// What a worker needs from the deployer around it.
class WorkerHost {
 public:
  /// Throws Error(kUser) when the worker cannot belong to the job.
  virtual void registered(RemoteWorker& worker, const messages::Register& about) = 0;
  /// A task of the worker has ended, or all have because it is lost.
  virtual void slotsChanged() = 0;
  virtual void linksOpened(RemoteWorker& worker, messages::LinksOpened opened) = 0;
  /// The connection of a worker that belongs to the job is gone: it is to be lost, now or soon.
  virtual void disconnected(RemoteWorker& worker, const std::string& what) = 0;
  /// A worker that belonged to the job does so no more.
  virtual void lost(const RemoteWorker& worker) = 0;
  /// Somebody knows how a worker has ended.
  virtual void workerEnded(const messages::WorkerEnded& ended) = 0;

 protected:
  ~WorkerHost() = default;
};

class RemoteWorker final : public WorkerLink,
                           private MessagePort::Receiver,
                           public std::enable_shared_from_this<RemoteWorker> {
 public:
  enum class State : uint8_t {
    kConnected,   // has not said who it is
    kRegistered,  // belongs to the job
    kGone,        // lost, refused or dismissed: the port is closed
  };

  /// `mailbox` is of the lane that makes all calls.
  RemoteWorker(std::unique_ptr<MessagePort> port, Mailbox& mailbox, Env& env, WorkerHost& host,
               MasterGateway& master);
  /// Opens the port.
  void begin();

  void send(const ToWorker& message) override;
  std::string name() const { return "worker '" + id_ + "'"; }

  State state() const { return state_; }
  const std::string& id() const override { return id_; }
  /// Monotonic, when it was last heard of.
  int64_t heardNanos() const { return heardNanos_; }
  int slots() const { return slots_; }
  int freeSlots() const;

  /// The answer to its registration.
  void welcome(const messages::Register& about, const messages::Welcome& answer);
  void refuse(const std::string& why);
  /// Takes the slots for a region whose tasks are yet to be deployed.
  void reserve(size_t region, int slots) { reserved_[region] = slots; }
  void release(size_t region) { reserved_.erase(region); }
  /// Tasks of a region; the slots that they take are free again when all of them have ended.
  void deploy(const messages::Deploy& message, const std::map<TaskKey, RemoteTask*>& tasks, int slots);
  /// Some task of the region has not ended.
  bool runs(size_t region) const;
  /// Its tasks fail. Harmless when it is gone already.
  void lose(const Error& why);
  void dismiss();

 private:
  struct Placed {
    RemoteTask* task = nullptr;
    size_t region = 0;
    int slots = 0;  // of all tasks of the region in this worker
  };

  // MessagePort::Receiver
  void onFrame(std::string frame) override;
  void onClosed(std::string_view why) override;

  void received(std::string_view frame);
  /// Null: such a task is not, or not any more, in this worker.
  RemoteTask* find(TaskId id);

  void on(messages::Heartbeat&&) {}
  void on(messages::Register&& message);
  void on(messages::Reports&& message);
  void on(messages::TaskEnded&& message);
  void on(messages::Damaged&& message);
  void on(messages::SplitRequest&& message);
  void on(messages::EventOfReader&& message);
  void on(messages::WatermarkOfTask&& message);
  void on(messages::Acknowledgement&& message);
  void on(messages::AwaitsFinalCheckpoint&& message);
  void on(messages::Decline&& message);
  void on(messages::Times&& message);
  void on(messages::AccumulatorsOfTask&& message);
  void on(messages::LinksOpened&& message);
  void on(messages::WorkerEnded&& message);

  const std::unique_ptr<MessagePort> port_;
  Mailbox& mailbox_;
  Env& env_;
  WorkerHost& host_;
  MasterGateway& master_;
  State state_ = State::kConnected;
  std::string id_;
  int slots_ = 0;
  int64_t heardNanos_;
  std::map<TaskKey, Placed> tasks_;  // that have not ended
  std::map<size_t, int> reserved_;   // slots, by region
};

}  // namespace flott
