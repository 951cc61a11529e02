#include "flott/api/environment.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "flott/base/options.h"

namespace flott {
namespace {

// Whatever main lets through: a message a user can read instead of an abort.
[[noreturn]] void reportAndExit() {
  if (std::current_exception()) {
    try {
      throw;
    } catch (const std::exception& error) {
      std::fflush(stdout);
      std::fprintf(stderr, "%s\n", error.what());
      std::_Exit(1);
    } catch (...) {
    }
  }
  std::abort();
}

void printHelp(const char* program) {
  std::printf(
      "%s: a Flott streaming job.\n"
      "  -D key=value    sets an option of the engine, such as -D parallelism.default=2\n"
      "  --config FILE   reads options from a YAML file\n"
      "  --explain       prints the plan of the job instead of running it\n"
      "  --help          this text\n"
      "Other arguments, --name value, are the program's own.\n",
      program);
}

}  // namespace

StreamExecutionEnvironment StreamExecutionEnvironment::fromArgs(int argc, const char* const* argv) {
  std::set_terminate(reportAndExit);
  const std::shared_ptr<ExecutionHost> files = makeRealHost({});
  ProgramArguments arguments = parseProgramArguments(argc, argv, files->env().files);
  if (arguments.parameters.has("help")) {
    printHelp(argc > 0 ? argv[0] : "program");
    std::exit(0);
  }
  standardOptions().check(arguments.configuration);
  StreamExecutionEnvironment env(makeRealHost(arguments.configuration), arguments.configuration,
                                 std::move(arguments.parameters));
  env.explainOnly_ = env.parameters_.has("explain");
  return env;
}

StreamExecutionEnvironment StreamExecutionEnvironment::getExecutionEnvironment(Configuration configuration) {
  standardOptions().check(configuration);
  std::shared_ptr<ExecutionHost> host = makeRealHost(configuration);
  return StreamExecutionEnvironment(std::move(host), std::move(configuration));
}

StreamExecutionEnvironment StreamExecutionEnvironment::createLocalEnvironment(int parallelism) {
  return std::move(getExecutionEnvironment().setParallelism(parallelism));
}

StreamExecutionEnvironment::StreamExecutionEnvironment(std::shared_ptr<ExecutionHost> host,
                                                       Configuration configuration, Parameters parameters)
    : host_(std::move(host)),
      program_(std::make_shared<Program>(std::move(configuration), host_)),
      parameters_(std::move(parameters)) {
  standardOptions().check(program_->configuration());
}

void StreamExecutionEnvironment::configure(const Configuration& configuration) {
  standardOptions().check(configuration);
  program_->configuration().merge(configuration);
}

StreamExecutionEnvironment& StreamExecutionEnvironment::setParallelism(int parallelism) {
  if (parallelism < 1 || parallelism > 32768) {
    throw Error(ErrorKind::kUser, "parallelism " + std::to_string(parallelism) +
                                      " of the environment is out of range: give a number from 1 to 32768");
  }
  configuration().set(kDefaultParallelism, parallelism);
  return *this;
}

int StreamExecutionEnvironment::parallelism() const {
  return static_cast<int>(program_->configuration().get(kDefaultParallelism));
}

StreamExecutionEnvironment& StreamExecutionEnvironment::setMaxParallelism(int maxParallelism) {
  configuration().set(kMaxParallelism, maxParallelism);
  return *this;
}

StreamExecutionEnvironment& StreamExecutionEnvironment::setBufferTimeout(Duration timeout) {
  configuration().set(kBufferTimeoutEnabled, timeout.ms >= 0);
  if (timeout.ms >= 0) configuration().set(kBufferTimeout, timeout);
  return *this;
}

StreamExecutionEnvironment& StreamExecutionEnvironment::disableOperatorChaining() {
  configuration().set(kOperatorChaining, false);
  return *this;
}

StreamHandle StreamExecutionEnvironment::addSource(std::shared_ptr<const SourceFactory> factory,
                                                   std::string name, std::string outputType,
                                                   bool parallel) const {
  StreamNode node;
  node.kind = NodeKind::kSource;
  node.name = std::move(name);
  node.source = std::move(factory);
  node.outputType = std::move(outputType);
  node.parallelismFixed = !parallel;
  const int id = program_->add(std::move(node), {});
  return StreamHandle(program_, {StreamOrigin::mainOf(id)});
}

SingleOutputStreamOperator<int64_t> StreamExecutionEnvironment::fromSequence(int64_t first,
                                                                             int64_t last) const {
  return fromSource(sequenceSource(first, last));
}

std::string StreamExecutionEnvironment::executionPlan() const {
  return planJson(program_->graphWithSettings());
}

std::string StreamExecutionEnvironment::explain() const {
  const StreamGraph graph = program_->graphWithSettings();
  return planTree(graph, compile(graph));
}

JobClient StreamExecutionEnvironment::executeAsync(const std::string& jobName) {
  return startJob(*program_, jobName);
}

JobExecutionResult StreamExecutionEnvironment::execute(const std::string& jobName) {
  if (explainOnly_) {
    if (!jobName.empty()) configuration().set(kJobName, jobName);
    host_->env().console.out(explain() + "\n" + executionPlan() + "\n");
    program_->takeGraph();
    JobResult notRun;
    notRun.jobName = jobName;
    return JobExecutionResult(std::move(notRun));
  }
  JobClient client = executeAsync(jobName);
  Env env = host_->env();
  std::unique_ptr<SignalWatch> watch;
  if (host_->watchSignals()) {
    watch = env.signals.watch([&](int signal) {
      env.console.err(signal == 2 ? "\nInterrupted: cancelling the job; interrupt again to end at once.\n"
                                  : "\nTerminated: cancelling the job.\n");
      client.cancel();
    });
  }
  JobExecutionResult result = client.result();
  if (env.log.enabled(LogLevel::kInfo))
    env.log.info("metrics", "of job '" + result.jobName() + "':\n" + result.metricsText());
  return result;
}

}  // namespace flott
