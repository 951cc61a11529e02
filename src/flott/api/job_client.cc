#include "flott/api/job_client.h"

#include <atomic>
#include <cstdlib>
#include <utility>

#include "flott/api/client_job.h"
#include "flott/api/job_listener.h"
#include "flott/api/program.h"
#include "flott/api/role.h"
#include "flott/base/options.h"
#include "flott/rest/local_server.h"

namespace flott {
namespace {

void checkCachedFiles(const Configuration& configuration, Files& files) {
  const std::optional<StringMap> cached = configuration.find(kCachedFiles);
  if (!cached) return;
  for (const auto& [name, path] : *cached) {
    if (files.stat(path)) continue;
    throw Error(ErrorKind::kUser,
                "cached file '" + name + "' is not there: no file or folder '" + path + "'");
  }
}

JobClient submit(Program& program, const std::string& jobName) {
  LocalServer* const server = program.webInterface();
  JobGraph job = compile(program.takeGraph(jobName));
  checkCachedFiles(program.configuration(), program.host()->env().files);
  return {program.host(), startHere(program.host(), std::move(job), program.configuration(),
                                    server == nullptr ? nullptr : &server->jobs())};
}

[[noreturn]] void explainAndExit(Program& program, const std::string& jobName) {
  const StreamGraph graph = program.takeGraph(jobName);
  program.host()->env().console.out(planTree(graph, compile(graph)) + "\n" + planJson(graph) + "\n");
  std::exit(0);
}

void stop(ClientJob& job, int signal, Console& console) {
  const bool ended = isFinal(job.master().status());
  job.master().cancel();
  const std::string text = std::string(signal == 2 ? "\nInterrupted: " : "\nTerminated: ") +
                           (ended ? "job '" : "cancelling job '") + job.graph().jobName +
                           (ended ? "' has ended already" : "'") + "; once more ends the program at once.\n";
  try {
    console.err(text);
  } catch (const Error&) {  // nobody listens, and a watch must not throw
  }
}

}  // namespace

JobExecutionResult::JobExecutionResult(JobResult result) : result_(std::move(result)) {}

const Accumulator& JobExecutionResult::find(const std::string& name) const {
  const Accumulator* found = result_.accumulators.find(name);
  if (found != nullptr) return *found;
  std::string known;
  for (const auto& [other, accumulator] : result_.accumulators.all())
    known += (known.empty() ? "" : ", ") + other;
  throw Error(ErrorKind::kUser, "the job has no accumulator '" + name + "'" +
                                    (known.empty() ? "; it has none at all" : "; it has: " + known));
}

void JobExecutionResult::failClass(const std::string& name) {
  throw Error(ErrorKind::kUser,
              "accumulator '" + name + "' is of another class: ask for it with the class it was made with");
}

int64_t JobExecutionResult::counter(const std::string& operatorName, const std::string& metric) const {
  double sum = 0;
  for (const OperatorReadings& readings : result_.metrics) {
    if (readings.info.name != operatorName) continue;
    for (const MetricReading& reading : readings.metrics) {
      if (reading.name == metric) sum += reading.value;
    }
  }
  return static_cast<int64_t>(sum);
}

std::string JobExecutionResult::metricsText() const {
  std::string text;
  for (const OperatorReadings& readings : result_.metrics) {
    for (const MetricReading& reading : readings.metrics) {
      text += readings.info.name + " " + std::to_string(readings.info.subtask.value + 1) + "/" +
              std::to_string(readings.info.parallelism) + "  " + reading.name + " = " + reading.text + "\n";
    }
  }
  return text;
}

// The client may move to another place, the job does not. The watch goes before the job.
JobClient::JobClient(std::shared_ptr<ExecutionHost> host, std::unique_ptr<ClientJob> job)
    : host_(std::move(host)),
      job_(std::move(job)),
      watch_(host_->env().signals.watch([job = job_.get(), &console = host_->env().console](int signal) {
        stop(*job, signal, console);
      })) {}

void JobClient::onEnd() {
  if (std::exchange(ended_, true)) return;
  watch_.reset();
  Logger& log = host_->env().log;
  if (!log.enabled(LogLevel::kInfo)) return;
  const JobExecutionResult result(job_->result());
  log.info("metrics", "of job '" + result.jobName() + "':\n" + result.metricsText());
}

JobClient::~JobClient() = default;
JobClient::JobClient(JobClient&&) noexcept = default;

std::string JobClient::jobId() const { return toString(job_->id()); }
JobMaster& JobClient::master() { return job_->master(); }
JobStatus JobClient::status() const { return job_->master().status(); }
JobProgress JobClient::progress() const { return job_->progress(); }
void JobClient::cancel() { job_->master().cancel(); }
bool JobClient::waitFor(Duration timeout) {
  if (!job_->waitFor(timeout)) return false;
  onEnd();
  return true;
}

JobExecutionResult JobClient::result() {
  job_->wait();
  onEnd();
  JobResult result = job_->result();
  if (result.status == JobStatus::kFailed) throw Error(*result.error).at("job '" + result.jobName + "'");
  return JobExecutionResult(std::move(result));
}

JobClient startJob(Program& program, const std::string& jobName, bool tasksHere) {
  FLOTT_CHECK(program.host() != nullptr, "a program without a host runs no jobs");
  if (program.explainOnly()) explainAndExit(program, jobName);
  std::optional<JobClient> client;
  try {
    if (std::unique_ptr<ClientJob> job = startInRole(program, jobName, tasksHere))
      client.emplace(program.host(), std::move(job));
    else
      client.emplace(submit(program, jobName));
  } catch (const Error& error) {
    for (const auto& listener : program.listeners()) listener->onJobSubmitted(nullptr, &error);
    throw;
  }
  for (const auto& listener : program.listeners()) listener->onJobSubmitted(&*client, nullptr);
  return *std::move(client);
}

// The answer of the master to `ask`, or nothing when the job ends before it comes.
template <typename T, typename Ask>
std::optional<T> JobClient::answerTo(Ask ask) {
  struct Reply {
    std::atomic<bool> here{false};
    std::optional<T> value;
  };
  auto reply = std::make_shared<Reply>();
  ask([reply](T value) {
    reply->value = std::move(value);
    reply->here.store(true, std::memory_order_release);
  });
  while (!reply->here.load(std::memory_order_acquire)) {
    if (job_->waitFor(Duration::millis(1)) && !reply->here.load(std::memory_order_acquire)) return {};
  }
  return std::move(reply->value);
}

Accumulators JobClient::accumulators() {
  auto merged =
      answerTo<Accumulators>([this](auto reply) { job_->master().readAccumulators(std::move(reply)); });
  if (!merged) return job_->result().accumulators;
  return *std::move(merged);
}

WatermarkReport JobClient::watermarks() {
  auto report =
      answerTo<WatermarkReport>([this](auto reply) { job_->master().explainWatermarks(std::move(reply)); });
  return report ? *std::move(report) : WatermarkReport();
}

CheckpointOutcome JobClient::triggerCheckpoint() {
  auto outcome =
      answerTo<CheckpointOutcome>([this](auto reply) { job_->master().triggerCheckpoint(std::move(reply)); });
  if (!outcome) throw Error(ErrorKind::kTransient, "no checkpoint was made: the job has ended");
  if (outcome->error) throw *std::move(outcome->error);
  return *std::move(outcome);
}

std::string JobClient::triggerSavepoint(const std::string& dir) {
  auto outcome = answerTo<CheckpointOutcome>(
      [this, &dir](auto reply) { job_->master().triggerSavepoint(dir, std::move(reply)); });
  if (!outcome) throw Error(ErrorKind::kTransient, "no savepoint was made: the job has ended");
  if (outcome->error) throw *std::move(outcome->error);
  return std::move(outcome->folder);
}

std::string JobClient::stopWithSavepoint(const std::string& dir, bool drain) {
  const StopMode mode = drain ? StopMode::kDrain : StopMode::kSuspend;
  auto outcome = answerTo<CheckpointOutcome>(
      [&](auto reply) { job_->master().stopWithSavepoint(dir, mode, std::move(reply)); });
  if (!outcome) throw Error(ErrorKind::kTransient, "no savepoint was made: the job has ended");
  if (outcome->error) throw *std::move(outcome->error);
  result();
  return std::move(outcome->folder);
}

CheckpointStatistics JobClient::checkpoints() {
  auto statistics = answerTo<CheckpointStatistics>(
      [this](auto reply) { job_->master().readCheckpoints(std::move(reply)); });
  return statistics ? *std::move(statistics) : job_->result().checkpoints;
}

}  // namespace flott
