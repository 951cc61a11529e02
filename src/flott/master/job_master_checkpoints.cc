// The master's part in checkpoints: the way between their coordinator, the tasks and the store.
#include <cstdio>

#include "flott/master/job_master.h"

namespace flott {

struct JobMaster::Write {
  std::string what;
  MoveFunction<void()> work;
  MoveFunction<void(std::optional<Error>)> done;
  std::optional<Error> error;
};

void JobMaster::acknowledgeCheckpoint(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot) {
  mailbox_.post([this, task, checkpoint, snapshot = std::move(snapshot)]() mutable {
    checkpoints_.acknowledge(task, checkpoint, std::move(snapshot));
  });
}

void JobMaster::declineCheckpoint(TaskId task, CheckpointId checkpoint, Error reason) {
  mailbox_.post([this, task, checkpoint, reason = std::move(reason)] {
    checkpoints_.decline(task, checkpoint, reason);
  });
}

void JobMaster::awaitFinalCheckpoint(TaskId task) {
  mailbox_.post([this, task] {
    if (running_.contains(keyOf(task))) checkpoints_.awaitFinal(task);
  });
}

void JobMaster::triggerCheckpoint(MoveFunction<void(CheckpointOutcome)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable { checkpoints_.trigger(std::move(reply)); });
}

void JobMaster::triggerSavepoint(std::string dir, MoveFunction<void(CheckpointOutcome)> reply) {
  stopWithSavepoint(std::move(dir), StopMode::kGoOn, std::move(reply));
}

void JobMaster::stopWithSavepoint(std::string dir, StopMode mode,
                                  MoveFunction<void(CheckpointOutcome)> reply) {
  mailbox_.post([this, dir = std::move(dir), mode, reply = std::move(reply)]() mutable {
    SharedCheckpointProperties properties;
    try {
      properties = savepointIn(savepointFolder(dir), mode);
    } catch (const Error& error) {
      return reply({.error = error});
    }
    if (mode == StopMode::kGoOn) return checkpoints_.trigger(std::move(properties), std::move(reply));
    checkpoints_.stop(std::move(properties), std::move(reply));
  });
}

std::string JobMaster::savepointFolder(const std::string& dir) {
  const std::string& chosen = dir.empty() ? options_.savepointDir : dir;
  if (chosen.empty()) {
    throw Error(ErrorKind::kUser,
                "no savepoint was triggered: nothing says where to. Give triggerSavepoint() a folder, or set "
                "execution.checkpointing.savepoint-dir");
  }
  char name[16];
  std::snprintf(name, sizeof name, "%012llx",
                static_cast<unsigned long long>(savepointNames_.next() & 0xffff'ffff'ffff));
  return locatedFolder(chosen) + "/savepoint-" + options_.jobId.substr(0, 6) + "-" + name;
}

void JobMaster::readCheckpoints(MoveFunction<void(CheckpointStatistics)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable { reply(checkpoints_.statistics()); });
}

// Splits that an enumerator has assigned are on their way to readers already, before the trigger.
std::map<int, std::string> JobMaster::triggerTasks(const Barrier& barrier) {
  std::map<int, std::string> enumerators;
  for (const auto& [vertex, coordinator] : coordinators_)
    enumerators[vertex] = coordinator->snapshot(barrier.checkpoint);
  for (const TaskKey& key : running_) {
    task(key.first, SubtaskIndex(key.second)).triggerCheckpoint(barrier);
  }
  return enumerators;
}

void JobMaster::tellTasks(CheckpointId checkpoint, bool completed) {
  for (const TaskKey& key : running_) {
    task(key.first, SubtaskIndex(key.second)).endCheckpoint(checkpoint, completed);
  }
}

void JobMaster::checkpointCompleted(CheckpointId checkpoint) {
  for (const auto& [vertex, coordinator] : coordinators_) coordinator->checkpointCompleted(checkpoint);
}

void JobMaster::drainTasks() {
  for (const TaskKey& key : running_) task(key.first, SubtaskIndex(key.second)).drain();
}

void JobMaster::writeAsync(std::string what, MoveFunction<void()> work,
                           MoveFunction<void(std::optional<Error>)> done) {
  toWrite_.push_back(std::make_shared<Write>(
      Write{.what = std::move(what), .work = std::move(work), .done = std::move(done), .error = {}}));
  submitWrites();
}

void JobMaster::submitWrites() {
  while (!toWrite_.empty()) {
    const std::string& what = toWrite_.front()->what;
    const bool taken = env_.offload.submit(what, [this, write = toWrite_.front()]() mutable {
      try {
        write->work();
      } catch (...) {
        write->error = currentError();
      }
      mailbox_.post([this, write = std::move(write)] {
        --writing_;
        write->done(std::move(write->error));
      });
    });
    if (!taken) return;
    ++writing_;
    toWrite_.pop_front();
  }
}

}  // namespace flott
