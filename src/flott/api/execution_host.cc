#include "flott/api/execution_host.h"

#include "flott/base/log_options.h"
#include "flott/base/options.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/posix/processes.h"
#include "flott/env/posix/real_env.h"
#include "flott/master/program_role.h"

namespace flott {
namespace {

/// What this process is, as a part of a file's name.
std::string partOf(const GivenRole* role) {
  if (role == nullptr) return "program";
  const ProgramRole given = ProgramRole::decode(role->text());
  switch (given.kind) {
    case ProgramRole::Kind::kWorker:
      return given.worker;
    case ProgramRole::Kind::kMaster:
      return "master";
    case ProgramRole::Kind::kPlan:
      break;
  }
  return "plan";
}

/// Processes of one job do not write to the same file: a name that the program gives is that of all of them.
std::string logFile(const Configuration& own, const Configuration& all, const GivenRole* role) {
  std::string file = all.find(kLogFile).value_or("");
  if (role != nullptr && own.find(kLogFile)) file = logFileOf(file, partOf(role));
  const std::string folder = all.find(kLogDir).value_or("");
  if (folder.empty() || file.starts_with('/')) return file;
  return folder + "/" + (file.empty() ? "flott-" + partOf(role) + "-%p.log" : file);
}

RealEnvOptions realOptions(const Configuration& configuration) {
  RealEnvOptions options;
  options.log.level = parseLogLevel(configuration.get(kLogLevel));
  options.log.format = configuration.get(kLogFormat) == "json" ? LogFormat::kJson : LogFormat::kText;
  options.log.fileBytes = configuration.get(kLogFileSize).bytes;
  options.log.oldFiles = static_cast<size_t>(configuration.get(kLogFilesKept));
  options.log.standardError = configuration.get(kLogStandardError);
  options.offloadThreads = static_cast<int>(configuration.get(kOffloadThreads));
  options.offloadQueue = static_cast<int>(configuration.get(kOffloadQueue));
  return options;
}

std::unique_ptr<GivenRole> givenRole() {
  const std::unique_ptr<RealEnv> real = makeRealEnv({.log = {.level = LogLevel::kOff}});
  return makeProcesses(real->env().clock)->role();
}

class RealHost final : public ExecutionHost {
 public:
  explicit RealHost(const Configuration& own) : role_(givenRole()) {
    const Configuration all = withRole(own, role_.get());
    RealEnvOptions options = realOptions(all);
    options.log.file = logFile(own, all, role_.get());
    real_ = makeRealEnv(options);
    if (all.get(kCrashReport)) installCrashReport("a program");
  }

  Env env() override { return real_->env(); }
  std::unique_ptr<Scheduler> makeScheduler(int lanes, const Configuration& configuration) override {
    Env env = real_->env();
    return makeThreadedScheduler(env, {.lanes = lanes, .blockedWarning = configuration.get(kBlockedWarning)});
  }
  bool servesWeb() const override { return true; }
  GivenRole* role() override { return role_.get(); }

 private:
  const std::unique_ptr<GivenRole> role_;
  std::unique_ptr<RealEnv> real_;
};

}  // namespace

Configuration withRole(Configuration configuration, const GivenRole* role) {
  if (role == nullptr) return configuration;
  Configuration all;
  for (const auto& [key, value] : ProgramRole::decode(role->text()).options) all.set(key, value, "flott");
  all.merge(configuration);
  return all;
}

std::shared_ptr<ExecutionHost> makeRealHost(const Configuration& configuration) {
  return std::make_shared<RealHost>(configuration);
}

}  // namespace flott
