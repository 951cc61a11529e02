// What a JobManager knows of one connection and of one job. For its two sources only: job_manager.cc has the
// TaskManagers, workers and the course of things, job_manager_jobs.cc the jobs and their masters.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flott/cluster/manager/job_manager.h"
#include "flott/cluster/message_port.h"
#include "flott/master/program_role.h"

namespace flott {

struct JobManager::Peer final : MessagePort::Receiver, std::enable_shared_from_this<Peer> {
  // Of one peer that have come and are not read; whoever sends more is disconnected.
  static constexpr int kMostUnread = 10'000;
  enum class State : uint8_t { kStranger, kTaskManager, kGone };

  Peer(JobManager& manager, std::unique_ptr<MessagePort> to)
      : owner(manager), port(std::move(to)), heardNanos(owner.env_.clock.monotonicNanos()) {}

  void onFrame(std::string frame) override {
    const int before = unread.fetch_add(1, std::memory_order_relaxed);
    if (before > kMostUnread) return;
    owner.mailbox_.post([self = shared_from_this(), frame = std::move(frame), before] {
      if (before == kMostUnread) return self->owner.closed(*self, "it sends more than can be read");
      self->unread.fetch_sub(1, std::memory_order_relaxed);
      self->owner.received(*self, frame);
    });
  }
  void onClosed(std::string_view why) override {
    std::string text =
        why.empty() ? "it has closed the connection" : "the connection broke: " + std::string(why);
    owner.mailbox_.post(
        [self = shared_from_this(), text = std::move(text)] { self->owner.closed(*self, text); });
  }
  void send(const ToTaskManager& message) {
    if (state != State::kGone) port->send(encodeFrame(message));
  }

  JobManager& owner;
  const std::unique_ptr<MessagePort> port;
  State state = State::kStranger;
  manager_messages::Register about;
  int64_t heardNanos;
  Timestamp heard;
  std::atomic<int> unread{0};
};

struct JobManager::Job {
  enum class State : uint8_t {
    kStarting,  // its master has not said where it is
    kRunning,
    kPausing,  // its master has crashed; the next one is started later
    kEnded,
  };

  JobId id;
  JobRequest request;
  Timestamp submitted;
  std::string name;
  State state = State::kStarting;
  std::unique_ptr<ChildProcess> master;
  int64_t startedNanos = 0;  // the master
  MasterAnswer answer;       // empty before it
  int slots = 0;             // that it still takes
  int assigned = 0;          // those of its workers
  int workers = 0;
  std::vector<std::string>
      left;  // TaskManagers of workers that are no more, one for each slot, unless replaced
  int crashes = 0;
  bool known = false;  // it has run before: by itself, or for an earlier JobManager
  bool killed = false;
  int64_t nextStartNanos = 0;  // of the master
  int64_t nextWorkerNanos = 0;
  std::map<std::string, int64_t> avoided;  // TaskManagers, and until when
  std::string status;                      // of one that has ended
  std::shared_ptr<const JobArchive> archive;
  // Of its file, while main() goes on: how long it was when it was taken, and when it was seen first.
  uint64_t archiveBytes = 0;
  int64_t archiveSeenNanos = 0;
  MoveFunction<void(Submission)> reply;
  bool hasReply = false;

  void answerRequest(Submission what) {
    if (std::exchange(hasReply, false)) reply(std::move(what));
  }
};

}  // namespace flott
