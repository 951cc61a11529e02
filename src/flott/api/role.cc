#include "flott/api/role.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "flott/api/execution_host.h"
#include "flott/api/program.h"
#include "flott/base/error.h"
#include "flott/cluster/processes.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/processes.h"
#include "flott/graph/graph_digest.h"
#include "flott/graph/job_graph.h"
#include "flott/master/program_role.h"
#include "flott/rest/prometheus_metrics.h"

namespace flott {
namespace {

/// Static objects are destroyed, as at the end of main: what the program has written is there.
[[noreturn]] void answerPlan(const StreamGraph& graph, GivenRole& role) {
  const JobGraph job = compile(graph);
  role.answer(ProgramPlan{
      .jobName = job.jobName, .tree = planTree(graph, job), .json = planJson(graph), .digest = digestOf(job)}
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
               .dataAddress = role.dataAddress});
    given.answer(kDismissed);
  } catch (const Error& error) {
    env.console.err("worker '" + role.worker + "': " + error.what() + "\n");
    status = 1;
  }
  std::fflush(stdout);
  std::_Exit(status);  // threads of the program may be anywhere
}

}  // namespace

std::optional<JobResult> runInRole(Program& program, const std::string& jobName, bool waits) {
  GivenRole* const given = program.host()->role();
  if (given == nullptr) return std::nullopt;
  const ProgramRole role = ProgramRole::decode(given->text());
  const bool first = program.generation() == 0;
  const StreamGraph graph = program.takeGraph(jobName);
  if (role.kind == ProgramRole::Kind::kPlan) answerPlan(graph, *given);
  const bool works = role.kind == ProgramRole::Kind::kWorker;
  installCrashReport(works ? "worker '" + role.worker + "' of job '" + graph.jobName + "'"
                           : "the master of job '" + graph.jobName + "'");
  if (works) work(graph, role, *given, program.configuration(), program.host()->env());
  if (!waits || !first) {
    throw Error(
        ErrorKind::kUser,
        std::string("flott run runs the first job of a program, which has to be started by execute(): ") +
            (first ? "this one is started without waiting for its end"
                   : "this is another one. Run the program by itself, or make its jobs one"));
  }
  return runMaster(compile(graph), program.configuration(), program.host()->env(),
                   {.managed = role.master,
                    .onListening = [given](const MasterAnswer& at) { given->answer(at.encode()); }});
}

}  // namespace flott
