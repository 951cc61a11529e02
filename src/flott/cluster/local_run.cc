#include "flott/cluster/local_run.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/time.h"

namespace flott {
namespace {

constexpr Duration kForListening = Duration::seconds(60);
constexpr Duration kLook = Duration(20);
constexpr Duration kForDismissal = Duration::seconds(5);
constexpr size_t kMostAnswer = size_t{1} << 20;
constexpr int kBrokenPipeSignal = 13;
// A worker that ends at once, again and again, is not to keep the machine busy.
constexpr int64_t kBetweenReplacementsNanos = 500'000'000;

class Run {
 public:
  Run(const Env& env, Processes& processes, const LocalRun& run)
      : env_(env), processes_(processes), run_(run) {}

  int serve();

 private:
  struct Worker {
    std::string name;
    int64_t replacedNanos = 0;
    std::unique_ptr<ChildProcess> process;  // null: to be started
  };

  void startMaster();
  void keepWorkers();
  int ended(const ProcessEnd& end);
  ProcessSpec spec(ProgramRole role) const {
    if (const auto file = role.options.find("flott.log.file"); file != role.options.end())
      file->second =
          logFileOf(file->second, role.kind == ProgramRole::Kind::kMaster ? "master" : role.worker);
    return {.program = run_.call.program, .arguments = run_.call.arguments, .role = role.encode()};
  }
  void say(const std::string& text) const {
    try {
      env_.console.err("flott: " + text + "\n");
    } catch (const Error&) {  // nobody listens, and the job is more than that
    }
  }

  Env env_;
  Processes& processes_;
  const LocalRun& run_;
  std::unique_ptr<ChildProcess> master_;
  uint16_t port_ = 0;
  std::vector<Worker> workers_;
  int started_ = 0;
};

void Run::startMaster() {
  master_ = processes_.start(spec({.kind = ProgramRole::Kind::kMaster, .options = run_.call.options}));
  const std::string answer = master_->answer(kMostAnswer, kForListening);
  if (answer.empty()) failWithoutJob(run_.call.program, master_->wait(kForDismissal));
  try {
    port_ = MasterAnswer::decode(answer).port;
  } catch (Error& error) {
    throw std::move(error).at("the answer of program '" + run_.call.program + "'");
  }
}

void Run::keepWorkers() {
  const int64_t now = env_.clock.monotonicNanos();
  for (Worker& worker : workers_) {
    if (worker.process != nullptr) {
      const std::optional<ProcessEnd> end = worker.process->wait(Duration());
      if (!end) continue;
      const bool dismissed = end->succeeded() && worker.process->answer(100, kLook) == kDismissed;
      worker.process.reset();
      if (dismissed) {  // the job is at its end
        worker.replacedNanos = kNoDeadline;
        continue;
      }
      if (end->signal == kBrokenPipeSignal) {  // nobody reads what the job prints
        say("worker '" + worker.name + "' " + toString(*end) + ": the job is cancelled");
        worker.replacedNanos = kNoDeadline;
        master_->terminate();
        continue;
      }
      if (master_->wait(kLook)) return;  // it was the master that ended
      say("worker '" + worker.name + "' " + toString(*end) + "; another one takes its place");
    }
    if (worker.replacedNanos > now) continue;
    worker.replacedNanos = now + kBetweenReplacementsNanos;
    worker.name = "w" + std::to_string(++started_);
    try {
      worker.process = processes_.start(spec({.kind = ProgramRole::Kind::kWorker,
                                              .options = run_.call.options,
                                              .worker = worker.name,
                                              .slots = run_.slots,
                                              .port = port_}));
    } catch (const Error& error) {
      say("worker '" + worker.name + "' does not start: " + error.what());
    }
  }
}

int Run::ended(const ProcessEnd& end) {
  const int64_t until = deadlineAfter(env_.clock, kForDismissal);
  for (Worker& worker : workers_) {
    const int64_t left = std::max<int64_t>(0, until - env_.clock.monotonicNanos());
    if (worker.process != nullptr) worker.process->wait(Duration(left / 1'000'000));
  }
  if (end.signal == 0) return end.status;
  throw Error(ErrorKind::kUser, "the master of program '" + run_.call.program + "' " + toString(end) +
                                    ": the job has ended with it");
}

int Run::serve() {
  std::atomic<int> signals{0};
  const auto watch = env_.signals.watch([&signals](int) { ++signals; });
  startMaster();
  workers_.resize(static_cast<size_t>(run_.workers));
  while (!master_->wait(kLook)) {
    keepWorkers();
    if (signals.exchange(0) > 0) master_->terminate();
  }
  return ended(*master_->wait(Duration()));
}

}  // namespace

int runLocally(const Env& env, Processes& processes, const LocalRun& run) {
  return Run(env, processes, run).serve();
}

}  // namespace flott
