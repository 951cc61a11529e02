#include "flott/cluster/manager/task_manager.h"

#include <algorithm>
#include <set>
#include <utility>

#include "flott/base/error.h"
#include "flott/cluster/manager/log_files.h"
#include "flott/cluster/manager/notice.h"
#include "flott/cluster/messages.h"
#include "flott/master/program_role.h"
#include "flott/state/folder_store.h"

namespace flott {
namespace {

constexpr int64_t kBetweenAttemptsNanos = 300 * kNanosPerMilli;
// How often processes are looked at, as long as there are some.
constexpr int64_t kBetweenLooksNanos = 20 * kNanosPerMilli;
constexpr Duration kConnectTimeout = Duration::seconds(5);
constexpr size_t kMostAnswer = 100;

bool wasDismissed(ChildProcess& worker) {
  try {
    return worker.tryAnswer(kMostAnswer) == std::optional<std::string>(kDismissed);
  } catch (const Error&) {  // it says what a worker does not say
    return false;
  }
}

}  // namespace

TaskManager::TaskManager(const Env& env, Processes& processes, MessageLoop& loop, ProgramStore& store,
                         TaskManagerOptions options)
    : env_(env),
      processes_(processes),
      loop_(loop),
      store_(store),
      options_(std::move(options)),
      mailbox_(waker()) {}

TaskManager::~TaskManager() = default;

void TaskManager::stop() {
  mailbox_.post([this] { end(std::nullopt); });
}

// --- the link ---

struct TaskManager::Link final : MessagePort::Receiver, std::enable_shared_from_this<Link> {
  Link(TaskManager& manager, std::unique_ptr<MessagePort> to) : owner(manager), port(std::move(to)) {}

  void onFrame(std::string frame) override {
    owner.mailbox_.post(
        [self = shared_from_this(), frame = std::move(frame)] { self->owner.received(*self, frame); });
  }
  void onClosed(std::string_view why) override {
    std::string text = why.empty() ? "it has closed the connection" : std::string(why);
    owner.mailbox_.post([self = shared_from_this(), text = std::move(text)] {
      if (self == self->owner.link_) self->owner.disconnected(text);
    });
  }

  TaskManager& owner;
  const std::unique_ptr<MessagePort> port;
};

void TaskManager::connect(int64_t now) {
  if (searchedSince_ == 0) searchedSince_ = now;
  if (now - searchedSince_ > options_.registrationTimeout.ms * kNanosPerMilli) {
    return end(Error(ErrorKind::kTransient, "no JobManager at " + options_.address + ":" +
                                                std::to_string(options_.port) + " for " +
                                                toString(options_.registrationTimeout) +
                                                " (taskmanager.registration.timeout): " + lastProblem_));
  }
  link_ = std::make_shared<Link>(*this, loop_.connect(options_.address, options_.port, kConnectTimeout));
  link_->port->open(*link_);
  state_ = State::kRegistering;
  heardNanos_ = now;
  send(options_.about);
}

void TaskManager::disconnected(const std::string& why) {
  if (state_ == State::kAway || state_ == State::kEnding) return;
  if (state_ == State::kServing) {
    env_.log.warn("taskmanager",
                  "the JobManager is lost: " + why + (workers_.empty() ? "" : "; all workers are killed"));
  } else if (why != lastProblem_) {
    env_.log.info("taskmanager", "no JobManager yet: " + why);
  }
  lastProblem_ = why;
  state_ = State::kAway;
  dropLink();
  workers_.clear();
  nextAttempt_ = env_.clock.monotonicNanos() + kBetweenAttemptsNanos;
}

// It may have been asked for by mail that it is the owner of.
void TaskManager::dropLink() {
  if (link_ != nullptr) link_->port->close();
  link_.reset();
}

void TaskManager::received(const Link& link, std::string_view frame) {
  if (&link != link_.get() || state_ == State::kAway || state_ == State::kEnding) return;
  heardNanos_ = env_.clock.monotonicNanos();
  try {
    std::visit([this](auto&& any) { on(std::forward<decltype(any)>(any)); },
               decodeFrame<ToTaskManager>(frame));
  } catch (...) {
    const Error error = currentError();
    if (error.kind() == ErrorKind::kUser && state_ == State::kRegistering)
      return end(error);  // another version
    disconnected(error.what());
  }
}

void TaskManager::send(const ToJobManager& message) {
  if (link_ != nullptr) link_->port->send(encodeFrame(message));
}

void TaskManager::on(manager_messages::Welcome&& message) {
  if (state_ != State::kRegistering) throw Error(ErrorKind::kBug, "the JobManager welcomes twice");
  if (message.heartbeatIntervalMs < 1 || message.heartbeatTimeoutMs <= message.heartbeatIntervalMs)
    throw Error(ErrorKind::kBug, "the JobManager's heartbeats cannot be");
  welcome_ = std::move(message);
  state_ = State::kServing;
  jobs_ = {welcome_.jobs.begin(), welcome_.jobs.end()};
  dropCopies();
  searchedSince_ = 0;
  lastProblem_.clear();
  nextBeat_ = 0;
  env_.log.info("taskmanager", "'" + options_.about.id + "' is registered at " + options_.address + ":" +
                                   std::to_string(options_.port) + " with " +
                                   std::to_string(options_.about.slots) + " slots");
}

void TaskManager::on(manager_messages::Refused&& message) {
  end(Error(ErrorKind::kUser, "the JobManager refuses this TaskManager: " + message.why));
}

void TaskManager::on(manager_messages::Shutdown&&) { end(std::nullopt); }

void TaskManager::on(manager_messages::JobEnded&& message) {
  jobs_.erase(message.jobId);
  dropCopies();
}

// Copies of the state of jobs that have ended; those whose workers have not are left to the end of these.
void TaskManager::dropCopies() {
  if (options_.localFolder.empty()) return;
  std::set<std::string> kept = jobs_;
  for (const auto& [number, worker] : workers_) kept.insert(worker.about.jobId);
  const bool taken = env_.offload.submit("remove local copies of state", [this, kept = std::move(kept)] {
    try {
      if (env_.files.stat(options_.localFolder)) {
        for (const FileInfo& folder : env_.files.listFolder(options_.localFolder)) {
          const std::string job = folder.path.substr(folder.path.rfind('/') + 1);
          if (!kept.contains(job)) FolderStore(env_.files).removeFolder(folder.path);
        }
      }
    } catch (const Error& error) {
      env_.log.warn("taskmanager", std::string("local copies of state are not removed: ") + error.what());
    }
    mailbox_.post([this] { --fetching_; });
  });
  if (taken) ++fetching_;
}

// --- workers ---

void TaskManager::on(manager_messages::StartWorker&& message) {
  if (state_ != State::kServing) throw Error(ErrorKind::kBug, "a worker is asked for before the welcome");
  const uint64_t number = message.worker;
  const std::string program = message.program;
  jobs_.insert(message.jobId);
  Worker& worker = workers_[number];
  worker.about = std::move(message);
  const bool taken = env_.offload.submit("fetch program " + program,
                                         [this, number, program, welcome = welcome_, link = link_] {
                                           std::optional<Error> problem;
                                           try {
                                             options_.fetch(welcome, program);
                                           } catch (...) {
                                             problem = currentError();
                                           }
                                           mailbox_.post([this, number, link, problem = std::move(problem)] {
                                             --fetching_;
                                             if (link == link_) fetched(number, problem);
                                           });
                                         });
  if (taken) {
    ++fetching_;
  } else {
    ended(worker, false, "was not started: too much is to be done at once");
    workers_.erase(number);
  }
}

void TaskManager::fetched(uint64_t number, const std::optional<Error>& problem) {
  const auto found = workers_.find(number);
  if (found == workers_.end()) return;
  Worker& worker = found->second;
  try {
    if (worker.stopped) throw Error(ErrorKind::kTransient, "it was stopped");
    if (problem) throw Error(*problem);
    start(worker);
  } catch (...) {
    ended(worker, false, std::string("was not started: ") + currentError().what());
    workers_.erase(found);
  }
}

void TaskManager::start(Worker& worker) {
  const manager_messages::StartWorker& about = worker.about;
  const std::optional<StoredProgram> program = store_.find(about.program);
  if (!program) throw Error(ErrorKind::kTransient, "its program is gone");
  const ProgramRole role{.kind = ProgramRole::Kind::kWorker,
                         .options = about.options,
                         .worker = about.name,
                         .slots = about.slots,
                         .masterAddress = about.masterAddress,
                         .port = about.masterPort,
                         .dataAddress = options_.about.address,
                         .localFolder = options_.localFolder};
  ProcessSpec spec{
      .program = store_.executable(*program), .arguments = about.arguments, .role = role.encode()};
  spec.environment = libraryPath(env_, store_.libraryFolder(*program));
  spec.output = ProcessSpec::Output::kToFile;
  std::set<std::string> inUse;
  for (const auto& [number, other] : workers_) inUse.insert(other.logFile);
  dropOldLogs(env_.files, options_.logFolder, options_.keptLogs, inUse);
  worker.logFile =
      options_.logFolder + "/job-" + about.jobId + "-worker-" + std::to_string(about.worker) + ".out";
  spec.outputFile = worker.logFile;
  worker.process = processes_.start(spec);
  env_.log.info("taskmanager", "worker '" + about.name + "' of job " + about.jobId + " runs as process " +
                                   std::to_string(worker.process->id()));
}

void TaskManager::on(manager_messages::StopWorker&& message) {
  const auto found = workers_.find(message.worker);
  if (found == workers_.end()) return;
  found->second.stopped = true;
  if (found->second.process != nullptr) found->second.process->kill();
}

void TaskManager::look() {
  bool last = false;  // of a job that has ended
  for (auto at = workers_.begin(); at != workers_.end();) {
    Worker& worker = at->second;
    const std::optional<ProcessEnd> end =
        worker.process != nullptr ? worker.process->wait(Duration()) : std::nullopt;
    if (!end) {
      ++at;
      continue;
    }
    const bool dismissed = end->succeeded() && wasDismissed(*worker.process);
    std::string how = worker.stopped ? "was stopped: its job has ended, or its master had heard nothing of it"
                                     : toString(*end);
    if (!dismissed && !worker.stopped) how += lastWords(env_.files, worker.logFile, *end);
    ended(worker, dismissed, how);
    last = last || !jobs_.contains(worker.about.jobId);
    at = workers_.erase(at);
  }
  if (last) dropCopies();
}

void TaskManager::ended(Worker& worker, bool dismissed, const std::string& how) {
  const manager_messages::StartWorker& about = worker.about;
  const std::string text = "worker '" + about.name + "' of job " + about.jobId + " ";
  if (dismissed)
    env_.log.info("taskmanager", text + "has done its work");
  else
    env_.log.warn("taskmanager", text + how);
  send(manager_messages::WorkerEnded{about.worker, dismissed, how});
  if (!dismissed)
    sendNotice(loop_, about.masterAddress, about.masterPort,
               frameOf(ToMaster(messages::WorkerEnded{about.name, how})));
}

// --- the course of things ---

void TaskManager::end(std::optional<Error> why) {
  if (state_ == State::kEnding) return;
  state_ = State::kEnding;
  error_ = std::move(why);
  workers_.clear();  // which kills them
  dropLink();
}

Runnable::Progress TaskManager::step(StepTime now) {
  mailbox_.drain();
  if (state_ == State::kAway && now.nanos >= nextAttempt_) connect(now.nanos);
  const int64_t patience = state_ == State::kServing ? welcome_.heartbeatTimeoutMs * kNanosPerMilli
                                                     : kConnectTimeout.ms * 2 * kNanosPerMilli;
  if ((state_ == State::kServing || state_ == State::kRegistering) && now.nanos - heardNanos_ >= patience)
    disconnected("it has said nothing for " + toString(Duration(patience / kNanosPerMilli)));
  if (state_ == State::kServing && now.nanos >= nextBeat_) {
    send(manager_messages::Heartbeat());
    nextBeat_ = now.nanos + welcome_.heartbeatIntervalMs * kNanosPerMilli;
  }
  if (!workers_.empty() && now.nanos >= nextLook_) {
    look();
    nextLook_ = now.nanos + kBetweenLooksNanos;
  }
  if (state_ != State::kEnding || fetching_ > 0) return Progress::kIdle;
  return mailbox_.settled() && mailbox_.empty() ? Progress::kDone : Progress::kMore;
}

int64_t TaskManager::deadlineNanos() const {
  int64_t deadline = kNoDeadline;
  switch (state_) {
    case State::kAway:
      deadline = nextAttempt_;
      break;
    case State::kRegistering:
      deadline = heardNanos_ + kConnectTimeout.ms * 2 * kNanosPerMilli;
      break;
    case State::kServing:
      deadline = std::min(nextBeat_, heardNanos_ + welcome_.heartbeatTimeoutMs * kNanosPerMilli);
      break;
    case State::kEnding:
      return kNoDeadline;
  }
  return workers_.empty() ? deadline : std::min(deadline, nextLook_);
}

}  // namespace flott
