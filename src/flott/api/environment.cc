#include "flott/api/environment.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <set>

#include "flott/base/options.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/posix/real_env.h"
#include "flott/env/processes.h"
#include "flott/master/program_role.h"
#include "flott/rest/local_server.h"

namespace flott {
namespace {

std::string errorText() {
  try {
    throw;
  } catch (...) {
    return currentError().what();
  }
}

// Whatever main lets through: a message a user can read instead of an abort. What other threads let through
// is a crash: the abort tells where it came from.
[[noreturn]] void reportAndExit() {
  if (std::current_exception() && !onMainThread()) {
    std::fprintf(stderr, "an exception that nobody catches: %s\n", errorText().c_str());
  } else if (std::current_exception()) {
    try {
      throw;
    } catch (const std::exception& error) {
      std::fflush(stdout);
      std::fprintf(stderr, "%s\n", error.what());
      std::_Exit(1);
    } catch (...) {
    }
  } else {
    std::fputs("std::terminate() was called: an exception has left a function that is noexcept?\n", stderr);
  }
  std::abort();
}

/// Names parameters that nobody reads. A key that is near one the program has asked for in vain is a slip
/// and named before the job begins; of others that is sure only at the end of the program, since functions
/// may read them, and main after the job.
class UnreadParameterWarnings final : public JobListener {
 public:
  UnreadParameterWarnings(Parameters parameters, Logger& log)
      : parameters_(std::move(parameters)), log_(log) {}
  ~UnreadParameterWarnings() override {
    if (jobs_ > 0) warn(true);
  }

  void onJobSubmitted(JobClient*, const Error*) override {
    ++jobs_;
    warn(false);
  }

 private:
  void warn(bool all) {
    for (const Parameters::Unread& unread : parameters_.unread()) {
      const bool slip = !unread.nearest.empty();
      if ((!all && !slip) || !warned_.insert(unread.key).second) continue;
      log_.warn("parameters", "--" + unread.key + " was given, but the program does not read it" +
                                  (slip ? ": did you mean --" + unread.nearest + "?" : ""));
    }
  }

  const Parameters parameters_;
  Logger& log_;
  std::set<std::string> warned_;
  int jobs_ = 0;
};

void printHelp(const char* program) {
  std::printf(
      "%s: a Flott streaming job.\n"
      "  -D key=value    sets an option of the engine, such as -D parallelism.default=2\n"
      "  --config FILE   reads options from a YAML file\n"
      "  -s, --from-savepoint PATH\n"
      "                  starts from this savepoint or checkpoint; --claim-mode CLAIM makes it the job's "
      "own\n"
      "  -n, --allow-non-restored-state\n"
      "                  drops state of operators that the program does not have any more\n"
      "  --explain       prints the plan of the first job instead of running it\n"
      "  --help          this text\n"
      "Other arguments, --name value, are the program's own.\n",
      program);
}

}  // namespace

StreamExecutionEnvironment StreamExecutionEnvironment::fromArgs(int argc, const char* const* argv) {
  std::set_terminate(reportAndExit);
  ProgramArguments arguments = parseProgramArguments(argc, argv, makeRealEnv()->env().files);
  if (arguments.parameters.has("help")) {
    printHelp(argc > 0 ? argv[0] : "program");
    std::exit(0);
  }
  standardOptions().check(arguments.configuration);
  StreamExecutionEnvironment env(makeRealHost(arguments.configuration), arguments.configuration,
                                 std::move(arguments.parameters));
  env.program_->setExplainOnly(env.parameters_.has("explain"));
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

StreamExecutionEnvironment StreamExecutionEnvironment::createLocalEnvironmentWithWebUI(
    Configuration configuration) {
  configuration.set(kWebUi, true);
  return getExecutionEnvironment(std::move(configuration));
}

StreamExecutionEnvironment::StreamExecutionEnvironment(std::shared_ptr<ExecutionHost> host,
                                                       Configuration configuration, Parameters parameters)
    : host_(std::move(host)),
      program_(std::make_shared<Program>(withRole(std::move(configuration), host_->role()), host_)),
      parameters_(std::move(parameters)) {
  standardOptions().check(program_->configuration());
  if (parameters_.size() > 0)
    registerJobListener(std::make_shared<UnreadParameterWarnings>(parameters_, host_->env().log));
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
  if (maxParallelism < 1 || maxParallelism > 32768) {
    throw Error(ErrorKind::kUser,
                "max parallelism " + std::to_string(maxParallelism) +
                    " of the environment is out of range: give a power of two from 1 to 32768");
  }
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

StreamExecutionEnvironment& StreamExecutionEnvironment::setRuntimeMode(RuntimeExecutionMode mode) {
  static constexpr const char* kNames[] = {"STREAMING", "BATCH", "AUTOMATIC"};
  configuration().set(kRuntimeMode, kNames[static_cast<size_t>(mode)]);
  return *this;
}

StreamExecutionEnvironment& StreamExecutionEnvironment::setGlobalJobParameters(const Parameters& parameters) {
  configuration().set(kGlobalJobParameters, parameters.toMap());
  return *this;
}

StreamExecutionEnvironment& StreamExecutionEnvironment::registerCachedFile(const std::string& path,
                                                                           const std::string& name) {
  if (name.empty()) throw Error(ErrorKind::kUser, "cached file '" + path + "' has no name");
  StringMap files = configuration().find(kCachedFiles).value_or(StringMap());
  const auto [at, added] = files.emplace(name, path);
  if (!added && at->second != path) {
    throw Error(ErrorKind::kUser, "cached file '" + name + "' is registered already, as '" + at->second +
                                      "': give '" + path + "' another name");
  }
  configuration().set(kCachedFiles, files);
  return *this;
}

StreamExecutionEnvironment& StreamExecutionEnvironment::registerSlotSharingGroup(
    const SlotSharingGroup& group) {
  program_->registerSlotSharingGroup(group);
  return *this;
}

StreamExecutionEnvironment& StreamExecutionEnvironment::registerJobListener(
    std::shared_ptr<JobListener> listener) {
  program_->listeners().push_back(std::move(listener));
  return *this;
}

StreamHandle StreamExecutionEnvironment::addSource(std::shared_ptr<const SourceFactory> factory,
                                                   std::string name, RecordType outputType,
                                                   bool parallel) const {
  StreamNode node;
  node.kind = NodeKind::kSource;
  node.name = std::move(name);
  node.source = std::move(factory);
  node.outputType = std::move(outputType.text);
  node.outputPool = outputType.pool;
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

std::string StreamExecutionEnvironment::webInterfaceUrl() const {
  const LocalServer* server = program_->servedWebInterface();
  return server == nullptr ? "" : server->url();
}

JobClient StreamExecutionEnvironment::executeAsync(const std::string& jobName) {
  return startJob(*program_, jobName);
}

// The listeners learn of the end, whichever it is.
JobExecutionResult StreamExecutionEnvironment::awaited(JobClient& client) const {
  std::optional<JobExecutionResult> result;
  try {
    result.emplace(client.result());
  } catch (const Error& error) {
    for (const auto& listener : program_->listeners()) listener->onJobExecuted(nullptr, &error);
    throw;
  }
  for (const auto& listener : program_->listeners()) listener->onJobExecuted(&*result, nullptr);
  return *std::move(result);
}

JobExecutionResult StreamExecutionEnvironment::execute(const std::string& jobName) {
  JobClient client = executeAsync(jobName);
  return awaited(client);
}

}  // namespace flott
