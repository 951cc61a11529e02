#include "flott/api/role.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "flott/api/client_job.h"
#include "flott/api/execution_host.h"
#include "flott/api/program.h"
#include "flott/base/error.h"
#include "flott/cluster/processes.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/processes.h"
#include "flott/graph/graph_digest.h"
#include "flott/graph/job_graph.h"
#include "flott/master/program_role.h"
#include "flott/rest/documents.h"
#include "flott/rest/job_board.h"
#include "flott/rest/prometheus_metrics.h"

namespace flott {
namespace {

/// Static objects are destroyed, as at the end of main: what the program has written is there.
[[noreturn]] void answerPlan(const StreamGraph& graph, GivenRole& role, const Configuration& configuration) {
  const JobGraph job = compile(graph);
  role.answer(ProgramPlan{.jobName = job.jobName,
                          .tree = planTree(graph, job),
                          .json = planJson(graph),
                          .rest = planDocument(describeJob(JobId(), job, configuration)),
                          .digest = digestOf(job)}
                  .encode());
  std::exit(0);
}

[[noreturn]] void work(const StreamGraph& graph, const ProgramRole& role, GivenRole& given,
                       const Configuration& configuration, Env env) {
  int status = 0;
  // The master is asked to end, and dismisses its workers.
  const auto signals = env.signals.watch([](int) {});
  try {
    PrometheusMetrics metrics({.scope = "taskmanager", .labels = {{"tm_id", role.worker}}},
                              prometheusOptions(configuration), env.clock);
    const auto prometheus = PrometheusServer::start(env, configuration, metrics);
    runWorker(compile(graph), env,
              {.name = role.worker,
               .slots = role.slots,
               .lanes = role.slots,
               .address = role.masterAddress,
               .port = role.port,
               .dataAddress = role.dataAddress,
               .localFolder = role.localFolder});
    given.answer(kDismissed);
  } catch (const Error& error) {
    env.console.err("worker '" + role.worker + "': " + error.what() + "\n");
    status = 1;
  }
  std::fflush(stdout);
  std::_Exit(status);  // threads of the program may be anywhere
}

double valueOf(const OperatorReadings& readings, std::string_view metric) {
  for (const MetricReading& reading : readings.metrics) {
    if (reading.name == metric) return reading.value;
  }
  return 0;
}

JobProgress progressOf(const JobGraph& graph, const JobDetails& details) {
  double in = 0;
  double out = 0;
  for (const TaskDetails& task : details.tasks) {
    const JobVertex& vertex = graph.vertices[static_cast<size_t>(task.id.vertex)];
    for (size_t i = 0; i < std::min(task.operators.size(), vertex.chain.size()); ++i) {
      if (vertex.chain[i].source != nullptr) in += valueOf(task.operators[i], "numRecordsOut");
      if (vertex.chain[i].outputs.empty()) out += valueOf(task.operators[i], "numRecordsIn");
    }
  }
  return {.recordsIn = static_cast<int64_t>(in), .recordsOut = static_cast<int64_t>(out)};
}

class JobInWorkers final : public ClientJob {
 public:
  JobInWorkers(const StreamGraph& graph, const ProgramRole& role, GivenRole& given,
               const Configuration& configuration, const Env& env)
      : process_(compile(graph), configuration, env,
                 {.managed = role.master,
                  .oneProgram = true,
                  .onListening = [&given](const MasterAnswer& at) { given.answer(at.encode()); }}) {}

  JobMaster& master() override { return process_.job().master(); }
  const JobId& id() const override { return process_.job().id(); }
  const JobGraph& graph() const override { return process_.job().graph(); }
  JobProgress progress() override;
  void wait() override { process_.wait(); }
  bool waitFor(Duration timeout) override { return process_.waitFor(timeout); }
  JobResult result() override {
    process_.wait();
    return process_.job().master().result();
  }

 private:
  /// What the lane of the master has answered last.
  struct Answer {
    std::mutex mutex;
    JobProgress progress;
    bool underWay = false;
  };

  mutable MasterProcess process_;
  const std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
};

/// As workers have last reported it: it may be a heartbeat old.
JobProgress JobInWorkers::progress() {
  const JobGraph& graph = this->graph();
  const std::lock_guard guard(answer_->mutex);
  if (std::exchange(answer_->underWay, true)) return answer_->progress;
  master().readDetails([answer = answer_, &graph](const JobDetails& details) {
    const std::lock_guard replyGuard(answer->mutex);
    answer->progress = progressOf(graph, details);
    answer->underWay = false;
  });
  return answer_->progress;
}

}  // namespace

std::unique_ptr<ClientJob> startInRole(Program& program, const std::string& jobName, bool tasksHere) {
  GivenRole* const given = program.host()->role();
  if (given == nullptr) return nullptr;
  const ProgramRole role = ProgramRole::decode(given->text());
  const bool first = program.generation() == 0;
  const StreamGraph graph = program.takeGraph(jobName);
  if (role.kind == ProgramRole::Kind::kPlan) answerPlan(graph, *given, program.configuration());
  const bool works = role.kind == ProgramRole::Kind::kWorker;
  installCrashReport(works ? "worker '" + role.worker + "' of job '" + graph.jobName + "'"
                           : "the master of job '" + graph.jobName + "'");
  if (works) work(graph, role, *given, program.configuration(), program.host()->env());
  if (tasksHere) {
    throw Error(ErrorKind::kUser,
                "collect brings records into the process of the program, and flott run has the tasks in "
                "others: write them to a sink, or run the program by itself");
  }
  if (!first) {
    throw Error(ErrorKind::kUser,
                "flott run runs the first job of a program, and this is another one: run the program by "
                "itself, or make its jobs one");
  }
  return std::make_unique<JobInWorkers>(graph, role, *given, program.configuration(), program.host()->env());
}

}  // namespace flott
