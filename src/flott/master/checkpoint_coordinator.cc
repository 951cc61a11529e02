#include "flott/master/checkpoint_coordinator.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"

namespace flott {
namespace {

std::string nameOf(CheckpointId id) { return "checkpoint " + std::to_string(id.value); }

std::string nameOf(const CheckpointRecord& record) {
  return (record.kind == CheckpointKind::kSavepoint ? "savepoint " : "checkpoint ") +
         std::to_string(record.id.value);
}

/// The folder of another job's checkpoints, where a claimed one shares files.
std::string sharedElsewhere(const CheckpointStorage& storage, const CheckpointMetadata& metadata) {
  bool any = false;
  metadata.forEachShared([&any](const SharedFile&) { any = true; });
  if (!any || storage.sharesWith(metadata.folder)) return {};
  return metadata.folder.substr(0, metadata.folder.rfind('/'));
}

}  // namespace

CheckpointCoordinator::CheckpointCoordinator(const JobGraph& graph, CheckpointOptions options,
                                             CheckpointStorage& storage, Env& env, CheckpointHost& host)
    : graph_(graph), options_(options), storage_(storage), env_(env), host_(host) {}

Duration CheckpointCoordinator::since(int64_t nanos) const {
  return Duration::millis((env_.clock.monotonicNanos() - nanos) / 1'000'000);
}

// --- attempts ---

void CheckpointCoordinator::beginAttempt() {
  ++attempt_;
  running_ = true;
  tickWaits_ = false;
  awaitingFinal_.clear();
  failuresInARow_ = 0;
  tickAfter(interval());
}

void CheckpointCoordinator::abandonAttempt(const std::string& why) {
  running_ = false;
  std::vector<CheckpointId> unfinished;
  for (const auto& [id, pending] : pending_) {
    if (!pending.completing) unfinished.push_back(id);
  }
  for (const CheckpointId id : unfinished) abort(id, Error(ErrorKind::kCancelled, why), false);
  stopping_ = false;
  drainedInto_ = nullptr;
  const Error none(ErrorKind::kCancelled, "no savepoint was made: " + why);
  if (drainReply_) std::exchange(drainReply_, {})({.error = none});
  if (waiting_) std::exchange(waiting_, std::nullopt)->reply({.error = none});
}

void CheckpointCoordinator::pause(const std::string& why, const std::set<TaskKey>& cancelled) {
  abandonAttempt(why);
  for (const TaskKey& task : cancelled) awaitingFinal_.erase(task);
}

void CheckpointCoordinator::resume() {
  running_ = true;
  tickWaits_ = false;
  tickAfter(interval());
  triggerFinal();
}

bool CheckpointCoordinator::completing() const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [](const auto& pending) { return pending.second.completing; });
}

void CheckpointCoordinator::endAttempt() {
  abandonAttempt("the job's tasks have ended");
  for (const auto& [id, folder] : void_) discard(id, folder);
  void_.clear();
  sweepIfOwed();
}

void CheckpointCoordinator::endJob(JobStatus status) {
  for (const std::string& folder : std::exchange(foldersOwed_, {})) {
    host_.writeAsync(
        "remove what is left of a savepoint", [this, folder] { storage_.discard(folder); },
        [this, folder](const std::optional<Error>& error) {
          if (!error) return;
          env_.log.warn("checkpoints", "'" + graph_.jobName +
                                           "' leaves files of a savepoint that failed in " + folder +
                                           ", which nobody needs: " + error->what());
        });
  }
  const bool keep =
      (status == JobStatus::kFailed && options_.retention != CheckpointRetention::kNone) ||
      (status == JobStatus::kCancelled && options_.retention == CheckpointRetention::kOnCancellation);
  if (keep && latest() != nullptr) {
    env_.log.info("checkpoints",
                  "'" + graph_.jobName + "' leaves " + nameOf(latest()->id) + " in " + latest()->folder);
    return;
  }
  if (storage_.folder().empty()) return;
  // One after another, so that at last it can be seen whether the folder is empty.
  std::vector<std::string> folders;
  std::vector<SharedFile> useless;
  std::vector<std::string> foreign;
  for (const CheckpointMetadata& metadata : completed_) {
    folders.push_back(metadata.folder);
    for (SharedFile& file : shared_.letGo(metadata.id)) useless.push_back(std::move(file));
    if (const std::string elsewhere = sharedElsewhere(storage_, metadata); !elsewhere.empty())
      foreign.push_back(elsewhere);
  }
  std::optional<CheckpointSweep> sweep;
  if (sweepOwed_ && firstOwn_)
    sweep = {.upTo = last_.value,
             .ownAfter = firstOwn_->value - 1,
             .keep = damaged_,
             .keepShared = shared_.needed()};
  host_.writeAsync(
      "remove the job's checkpoints",
      [this, folders, useless, foreign, sweep] {
        for (const std::string& folder : folders) storage_.discard(folder);
        storage_.removeShared(useless);
        for (const std::string& folder : foreign) storage_.sweep(folder, {});
        if (sweep) storage_.sweep(storage_.folder(), *sweep);
        storage_.removeIfEmpty();
      },
      [this](const std::optional<Error>& error) {
        if (!error) return;
        env_.log.warn("checkpoints", "'" + graph_.jobName + "' leaves files of its checkpoints in " +
                                         storage_.folder() +
                                         ", which nobody needs any more: " + error->what());
      });
}

void CheckpointCoordinator::leaveDamaged(CheckpointId id, const Error& why) {
  const auto at = std::find_if(completed_.begin(), completed_.end(),
                               [id](const CheckpointMetadata& metadata) { return metadata.id == id; });
  FLOTT_CHECK(at != completed_.end(), nameOf(id));
  env_.log.error("checkpoints", "'" + graph_.jobName + "' does not use " + nameOf(id) + " in " + at->folder +
                                    ", whose files are left as they are: " + why.what() +
                                    ". Sinks that have published with it may publish the same again");
  damaged_.insert(id);
  completed_.erase(at);
}

void CheckpointCoordinator::claim(CheckpointMetadata checkpoint) {
  if (storage_.sharesWith(checkpoint.folder)) shared_.retain(checkpoint);
  completed_.push_front(std::move(checkpoint));
}

// --- triggers ---

void CheckpointCoordinator::setBacklog(bool backlog) {
  if (std::exchange(backlog_, backlog) == backlog || !running_ || tickWaits_) return;
  tickAfter(interval());
}

/// Zero: no longer at intervals.
void CheckpointCoordinator::tickAfter(Duration delay) {
  ++tickId_;
  if (delay == Duration()) return;
  host_.callAfter(delay, [this, id = tickId_] {
    if (id == tickId_) tick();
  });
}

void CheckpointCoordinator::tick() {
  if (!running_) return;
  if (stopping_) return tickAfter(interval());
  if (pending_.size() >= static_cast<size_t>(options_.maxConcurrent)) {
    tickWaits_ = true;
    return;
  }
  const Duration pause = lastEndedNanos_ == 0 ? options_.minPause : since(lastEndedNanos_);
  if (pause < options_.minPause) return tickAfter(options_.minPause - pause);
  tickAfter(interval());
  begin(nullptr, {});
}

// Savepoints wait for no checkpoint; one at a time bounds what is under way.
std::optional<Error> CheckpointCoordinator::refuses(CheckpointKind kind) const {
  if (auto refusal = refusesCheckpoints(graph_)) return refusal;
  const bool savepoint = kind == CheckpointKind::kSavepoint;
  const std::string nothing =
      std::string("no ") + (savepoint ? "savepoint" : "checkpoint") + " was triggered: ";
  if (stopping_)
    return Error(ErrorKind::kTransient, nothing + "the job is stopping with a savepoint already");
  if (!running_ || host_.runningTasks().empty())
    return Error(ErrorKind::kTransient, nothing + "the job does not run");
  if (!savepoint && pending_.size() >= static_cast<size_t>(options_.maxConcurrent)) {
    return Error(ErrorKind::kTransient, nothing + std::to_string(pending_.size()) +
                                            " under way already. Wait for its end, or raise "
                                            "execution.checkpointing.max-concurrent-checkpoints");
  }
  if (savepoint && (waiting_ || std::any_of(pending_.begin(), pending_.end(), [](const auto& pending) {
                      return pending.second.isSavepoint();
                    }))) {
    return Error(ErrorKind::kTransient, nothing + "one is under way already. Wait for its end");
  }
  return std::nullopt;
}

void CheckpointCoordinator::trigger(SharedCheckpointProperties properties, Reply reply) {
  const CheckpointKind kind = properties ? properties->kind : CheckpointKind::kCheckpoint;
  if (auto refusal = refuses(kind)) return reply({.error = std::move(refusal)});
  beginWhenAlone(std::move(properties), std::move(reply));
}

void CheckpointCoordinator::beginWhenAlone(SharedCheckpointProperties properties, Reply reply) {
  if (!options_.unaligned || pending_.empty()) return begin(std::move(properties), std::move(reply));
  waiting_ = Waiting{std::move(properties), std::move(reply)};
}

void CheckpointCoordinator::beginWaiting() {
  if (!waiting_ || !pending_.empty() || !running_) return;
  Waiting next = *std::exchange(waiting_, std::nullopt);
  if (host_.runningTasks().empty()) {
    stopping_ = false;
    return next.reply({.error = Error(ErrorKind::kTransient, "no savepoint was made: the job does not run")});
  }
  begin(std::move(next.properties), std::move(next.reply));
}

Timestamp CheckpointCoordinator::overtakesFrom(const Pending& pending) const {
  if (!options_.unaligned || pending.isSavepoint()) return Timestamp::max();
  if (options_.alignedFor == Duration()) return Timestamp::min();
  if (options_.alignedFor.ms > Timestamp::max().ms - pending.record.triggered.ms) return Timestamp::max();
  return pending.record.triggered + options_.alignedFor;
}

void CheckpointCoordinator::begin(SharedCheckpointProperties properties, Reply reply) {
  if (!running_ || host_.runningTasks().empty()) return;
  const CheckpointId id(last_.value + 1);
  last_ = id;
  if (!firstOwn_) firstOwn_ = id;
  Pending& pending = pending_[id];
  if (properties == nullptr) properties = ordinary();
  if (properties != nullptr && properties->base != CheckpointId()) shared_.hold(properties->base);
  pending.waitingFor = host_.runningTasks();
  pending.triggeredNanos = env_.clock.monotonicNanos();
  pending.record = {.id = id,
                    .kind = properties ? properties->kind : CheckpointKind::kCheckpoint,
                    .triggered = env_.clock.wallTime()};
  pending.properties = properties;
  pending.reply = std::move(reply);
  ++statistics_.triggered;
  host_.callAfter(options_.timeout, [this, id] {
    const auto late = pending_.find(id);
    if (late == pending_.end() || late->second.completing) return;
    const auto& [vertex, subtask] = *late->second.waitingFor.begin();
    abort(id,
          Error(ErrorKind::kTransient,
                "not complete after " + toString(options_.timeout) + ": " +
                    std::to_string(late->second.waitingFor.size()) +
                    " tasks have not acknowledged it, among them '" +
                    graph_.vertices[static_cast<size_t>(vertex)].name + "' " + std::to_string(subtask + 1) +
                    ". See what holds them up, or raise execution.checkpointing.timeout"),
          true);
  });
  pending.enumerators = host_.triggerTasks({.checkpoint = id,
                                            .triggered = pending.record.triggered,
                                            .properties = std::move(properties),
                                            .overtakesFrom = overtakesFrom(pending)});
}

/// Null: there is nothing to say.
SharedCheckpointProperties CheckpointCoordinator::ordinary() const {
  if (!options_.incremental) return nullptr;
  CheckpointProperties properties{.folder = {}, .incremental = true};
  if (latest() != nullptr && storage_.sharesWith(latest()->folder)) properties.base = latest()->id;
  return std::make_shared<const CheckpointProperties>(std::move(properties));
}

// --- what tasks say ---

// What comes too late may just have written a file.
void CheckpointCoordinator::acknowledge(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot) {
  const auto at = pending_.find(checkpoint);
  const TaskKey key{task.vertex, task.subtask.value};
  if (at == pending_.end() || at->second.completing) {
    if (const auto late = void_.find(checkpoint); late != void_.end()) discard(checkpoint, late->second);
    return;
  }
  Pending& pending = at->second;
  if (pending.waitingFor.erase(key) == 0) return;
  pending.record.stateBytes += snapshot.bytes();
  pending.record.sharedBytes += snapshot.sharedBytes;
  pending.record.tasks.push_back({.vertex = task.vertex,
                                  .subtask = task.subtask,
                                  .durations = snapshot.durations,
                                  .inFlight = snapshot.inFlight,
                                  .stateBytes = snapshot.bytes(),
                                  .sharedBytes = snapshot.sharedBytes,
                                  .acknowledgedAfter = since(pending.triggeredNanos)});
  pending.tasks.emplace(key, std::move(snapshot));
  progress(at);
}

void CheckpointCoordinator::decline(TaskId task, CheckpointId checkpoint, const Error& reason) {
  if (!pending_.contains(checkpoint)) {
    if (const auto late = void_.find(checkpoint); late != void_.end()) discard(checkpoint, late->second);
    return;
  }
  abort(checkpoint,
        Error(reason).at("task '" + graph_.vertices[static_cast<size_t>(task.vertex)].name + "' " +
                         std::to_string(task.subtask.value + 1)),
        true);
}

void CheckpointCoordinator::taskFinished(TaskId task) {
  for (auto at = pending_.begin(); at != pending_.end();) {
    const auto here = at++;
    if (here->second.waitingFor.erase({task.vertex, task.subtask.value}) > 0) progress(here);
  }
  awaitingFinal_.erase({task.vertex, task.subtask.value});
  triggerFinal();
}

// After a failed one the next comes at its interval.
void CheckpointCoordinator::triggerFinal() {
  if (!running_ || !pending_.empty() || awaitingFinal_.empty() || !stoppedWith_.empty()) return;
  if (failuresInARow_ > 0 && drainedInto_ == nullptr) return;
  if (awaitingFinal_ == host_.runningTasks())
    begin(std::exchange(drainedInto_, {}), std::exchange(drainReply_, {}));
}

void CheckpointCoordinator::stop(SharedCheckpointProperties properties, Reply reply) {
  if (auto refusal = refuses(properties->kind)) return reply({.error = std::move(refusal)});
  stopping_ = true;
  if (properties->stop == StopMode::kSuspend) return beginWhenAlone(std::move(properties), std::move(reply));
  drainedInto_ = std::move(properties);
  drainReply_ = std::move(reply);
  host_.drainTasks();
}

// Tasks that end by it have not finished: no other checkpoint may take them for such.
void CheckpointCoordinator::stopped(CheckpointId id, const std::string& folder) {
  stoppedWith_ = folder;
  std::vector<CheckpointId> others;
  for (const auto& [other, pending] : pending_) {
    if (other != id && !pending.completing) others.push_back(other);
  }
  for (const CheckpointId other : others) {
    abort(other, Error(ErrorKind::kCancelled, "the job stops with a savepoint"), false);
  }
}

void CheckpointCoordinator::notStopped(StopMode mode, const Error& why) {
  stopping_ = false;
  if (mode != StopMode::kDrain || !running_) return;
  host_.failAttempt(Error(
      ErrorKind::kTransient,
      std::string("its sources were ended, but the savepoint to stop with came to nothing: ") + why.what()));
}

void CheckpointCoordinator::awaitFinal(TaskId task) {
  awaitingFinal_.insert({task.vertex, task.subtask.value});
  triggerFinal();
}

// What the finished subtasks had of the list is nowhere, and the others must not start without it.
std::optional<Error> CheckpointCoordinator::lacksUnionLists(const Pending& pending) const {
  for (const JobVertex& vertex : graph_.vertices) {
    int finished = vertex.parallelism;
    std::string_view withUnion;
    for (const auto& [task, snapshot] : pending.tasks) {
      if (task.first != vertex.id) continue;
      --finished;
      for (size_t i = 0; i < snapshot.operators.size(); ++i) {
        if (snapshot.operators[i].unionList) withUnion = vertex.chain[i].name;
      }
    }
    if (finished == 0 || withUnion.empty()) continue;
    return Error(
        ErrorKind::kTransient,
        std::to_string(finished) + " of " + std::to_string(vertex.parallelism) + " subtasks of operator '" +
            std::string(withUnion) +
            "' have finished, and what they had of its union list is in no checkpoint. There will be "
            "checkpoints again when all of them have finished. Use a list that is split");
  }
  return std::nullopt;
}

void CheckpointCoordinator::progress(std::map<CheckpointId, Pending>::iterator at) {
  Pending& pending = at->second;
  if (!pending.waitingFor.empty() || pending.completing) return;
  if (pending.tasks.empty()) {
    return abort(at->first, Error(ErrorKind::kTransient, "all tasks finished before they could be cut"),
                 false);
  }
  if (const auto lacking = lacksUnionLists(pending)) return abort(at->first, *lacking, false);
  complete(pending);
}

// --- the end of a checkpoint ---

CheckpointMetadata CheckpointCoordinator::metadataOf(Pending& pending) const {
  CheckpointMetadata metadata{.id = pending.record.id,
                              .triggered = pending.record.triggered,
                              .jobName = graph_.jobName,
                              .kind = pending.record.kind,
                              .operators = {},
                              .channels = {},
                              .folder = pending.properties ? pending.properties->folder : std::string()};
  for (const JobVertex& vertex : graph_.vertices) {
    for (size_t i = 0; i < vertex.chain.size(); ++i) {
      const ChainedOperator& op = vertex.chain[i];
      OperatorSnapshot& snapshot = metadata.operators.emplace_back();
      snapshot.id = op.id;
      snapshot.name = op.name;
      snapshot.uid = op.uid;
      snapshot.maxParallelism = static_cast<uint32_t>(vertex.maxParallelism);
      if (op.source != nullptr) snapshot.enumerator = pending.enumerators[vertex.id];
      for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
        SubtaskSnapshot& share = snapshot.subtasks.emplace_back();
        const auto task = pending.tasks.find({vertex.id, subtask});
        share.finished = task == pending.tasks.end();
        if (share.finished) continue;
        share.keyed = std::move(task->second.operators[i].keyed);
        share.operatorState = std::move(task->second.operators[i].operatorState);
        share.cold = std::move(task->second.operators[i].cold);
      }
    }
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
      const auto task = pending.tasks.find({vertex.id, subtask});
      if (task == pending.tasks.end() || task->second.channels.empty()) continue;
      metadata.channels.push_back({.task = vertex.chain.front().id,
                                   .subtask = static_cast<uint32_t>(subtask),
                                   .elements = std::move(task->second.channels)});
    }
  }
  return metadata;
}

void CheckpointCoordinator::complete(Pending& pending) {
  pending.completing = true;
  const CheckpointId id = pending.record.id;
  auto metadata = std::make_shared<CheckpointMetadata>(metadataOf(pending));
  host_.writeAsync(
      "complete " + nameOf(pending.record), [this, metadata] { storage_.complete(*metadata); },
      [this, metadata, id](std::optional<Error> error) {
        if (error) return abort(id, *error, true);
        completed(id, std::move(*metadata));
      });
}

void CheckpointCoordinator::completed(CheckpointId id, CheckpointMetadata metadata) {
  Pending pending = std::move(pending_.extract(id).mapped());
  pending.record.folder = metadata.folder;
  ++statistics_.completed;
  if (!pending.isSavepoint()) retain(id, std::move(metadata));
  letGoOfBase(pending);
  env_.log.log(pending.isSavepoint() ? LogLevel::kInfo : LogLevel::kDebug, "checkpoints",
               "'" + graph_.jobName + "': " + nameOf(pending.record) + " is complete, " +
                   std::to_string(pending.record.stateBytes) + " bytes in " +
                   toString(since(pending.triggeredNanos)) +
                   (pending.isSavepoint() ? ", in " + pending.record.folder : ""));
  const bool stops = pending.stop() != StopMode::kGoOn;
  if (stops) stopped(id, pending.record.folder);
  tellTasks(id, stops || !pending.isSavepoint());
  sweepIfOwed();
  ended(std::move(pending), CheckpointStatus::kCompleted);
}

void CheckpointCoordinator::retain(CheckpointId id, CheckpointMetadata metadata) {
  failuresInARow_ = 0;
  if (storage_.sharesWith(metadata.folder)) shared_.retain(metadata);
  if (latest() == nullptr || latest()->id < id) {
    completed_.push_back(std::move(metadata));
    host_.checkpointCompleted(id);
  } else {  // an older one took longer
    drop(metadata);
  }
  while (completed_.size() > options_.retained) {
    const CheckpointId oldest = completed_.front().id;
    drop(completed_.front());
    completed_.pop_front();
    for (CheckpointRecord& record : statistics_.history) record.discarded |= record.id == oldest;
  }
}

std::string CheckpointCoordinator::folderOf(const Pending& pending) const {
  return pending.properties != nullptr && !pending.properties->folder.empty()
             ? pending.properties->folder
             : storage_.folderOf(pending.record.id);
}

// Those that still wait for one say so again.
void CheckpointCoordinator::tellTasks(CheckpointId id, bool completed) {
  awaitingFinal_.clear();
  host_.tellTasks(id, completed);
}

void CheckpointCoordinator::abort(CheckpointId id, const Error& why, bool counts) {
  Pending pending = std::move(pending_.extract(id).mapped());
  pending.record.failure = why.what();
  ++statistics_.failed;
  const std::string folder = void_[id] = folderOf(pending);
  discard(id, folder);
  letGoOfBase(pending);
  tellTasks(id, false);
  env_.log.warn("checkpoints",
                "'" + graph_.jobName + "': " + nameOf(pending.record) + " is void: " + why.what());
  if (pending.reply) {
    pending.reply({.id = id, .folder = {}, .error = Error(why).at(nameOf(pending.record))});
    pending.reply.reset();
  }
  counts &= !pending.isSavepoint();
  const StopMode stop = pending.stop();
  ended(std::move(pending), CheckpointStatus::kFailed);
  if (stop != StopMode::kGoOn) notStopped(stop, why);
  if (counts && running_) countFailure(id, why);
}

void CheckpointCoordinator::ended(Pending pending, CheckpointStatus status) {
  pending.record.status = status;
  pending.record.duration = since(pending.triggeredNanos);
  if (!pending.isSavepoint()) lastEndedNanos_ = env_.clock.monotonicNanos();
  if (pending.reply) pending.reply({.id = pending.record.id, .folder = pending.record.folder, .error = {}});
  std::vector<CheckpointRecord>& history = statistics_.history;
  history.insert(history.begin(), std::move(pending.record));
  if (history.size() > options_.history) history.resize(options_.history);
  beginWaiting();
  if (std::exchange(tickWaits_, false)) tick();
}

void CheckpointCoordinator::countFailure(CheckpointId id, const Error& why) {
  if (++failuresInARow_ <= options_.tolerableFailures) return;
  host_.failAttempt(
      Error(why.kind(), why.what() + std::string(" (execution.checkpointing.tolerable-failed-checkpoints: ") +
                            std::to_string(options_.tolerableFailures) + ")")
          .at(nameOf(id)));
}

void CheckpointCoordinator::letGoOfBase(const Pending& pending) {
  if (pending.properties == nullptr || pending.properties->base == CheckpointId()) return;
  removeShared(shared_.letGo(pending.properties->base));
}

void CheckpointCoordinator::removeShared(std::vector<SharedFile> files) {
  if (files.empty()) return;
  host_.writeAsync(
      "remove shared files", [this, files = std::move(files)] { storage_.removeShared(files); },
      [this](const std::optional<Error>& error) { sweepOwed_ |= error.has_value(); });
}

void CheckpointCoordinator::drop(const CheckpointMetadata& metadata) {
  removeFiles(metadata.id, metadata.folder,
              [this, folder = metadata.folder, useless = shared_.letGo(metadata.id),
               elsewhere = sharedElsewhere(storage_, metadata)] {
                storage_.discard(folder);
                storage_.removeShared(useless);
                if (!elsewhere.empty()) storage_.sweep(elsewhere, {});
              });
}

void CheckpointCoordinator::discard(CheckpointId id, const std::string& folder) {
  const bool shares = options_.incremental && folder == storage_.folderOf(id);
  removeFiles(id, folder, [this, id, folder, shares] {
    storage_.discard(folder);
    if (shares) storage_.discardShared(id);
  });
}

void CheckpointCoordinator::removeFiles(CheckpointId id, const std::string& folder,
                                        MoveFunction<void()> remove) {
  if (folder.empty()) return;
  host_.writeAsync(
      "discard " + nameOf(id), std::move(remove), [this, id, folder](const std::optional<Error>& error) {
        if (!error) return;
        const bool isSavepoint = folder != storage_.folderOf(id);
        sweepOwed_ |= !isSavepoint;
        if (isSavepoint) foldersOwed_.insert(folder);
        env_.log.log(LogLevel::kDebug, "checkpoints", nameOf(id) + " was not removed yet: " + error->what());
      });
}

void CheckpointCoordinator::sweepIfOwed() {
  for (const std::string& folder : std::exchange(foldersOwed_, {})) {
    host_.writeAsync(
        "remove what is left of a savepoint", [this, folder] { storage_.discard(folder); },
        [this, folder](const std::optional<Error>& error) {
          if (error) foldersOwed_.insert(folder);
        });
  }
  if (!firstOwn_ || !std::exchange(sweepOwed_, false)) return;
  CheckpointSweep sweep{.upTo = last_.value,
                        .ownAfter = firstOwn_->value - 1,
                        .keep = damaged_,
                        .keepShared = shared_.needed()};
  for (const auto& [id, pending] : pending_) sweep.keep.insert(id);
  for (const CheckpointMetadata& metadata : completed_) sweep.keep.insert(metadata.id);
  host_.writeAsync(
      "remove files of old checkpoints", [this, sweep] { storage_.sweep(storage_.folder(), sweep); },
      [this](const std::optional<Error>& error) { sweepOwed_ |= error.has_value(); });
}

CheckpointStatistics CheckpointCoordinator::statistics() const {
  CheckpointStatistics all = statistics_;
  all.inProgress = static_cast<int64_t>(pending_.size());
  for (const auto& [id, pending] : pending_) {
    CheckpointRecord record = pending.record;
    record.duration = since(pending.triggeredNanos);
    all.history.insert(all.history.begin(), std::move(record));
  }
  return all;
}

}  // namespace flott
