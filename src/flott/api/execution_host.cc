#include "flott/api/execution_host.h"

#include "flott/base/log_options.h"
#include "flott/base/options.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/posix/processes.h"
#include "flott/env/posix/real_env.h"

namespace flott {
namespace {

RealEnvOptions realOptions(const Configuration& configuration) {
  RealEnvOptions options;
  options.log.level = parseLogLevel(configuration.get(kLogLevel));
  options.log.format = configuration.get(kLogFormat) == "json" ? LogFormat::kJson : LogFormat::kText;
  options.log.file = configuration.find(kLogFile).value_or("");
  options.offloadThreads = static_cast<int>(configuration.get(kOffloadThreads));
  options.offloadQueue = static_cast<int>(configuration.get(kOffloadQueue));
  return options;
}

class RealHost final : public ExecutionHost {
 public:
  explicit RealHost(const Configuration& configuration)
      : real_(makeRealEnv(realOptions(configuration))), role_(makeProcesses(real_->env().clock)->role()) {
    if (configuration.get(kCrashReport)) installCrashReport("a program");
  }

  Env env() override { return real_->env(); }
  std::unique_ptr<Scheduler> makeScheduler(int lanes, const Configuration& configuration) override {
    Env env = real_->env();
    return makeThreadedScheduler(env, {.lanes = lanes, .blockedWarning = configuration.get(kBlockedWarning)});
  }
  bool servesWeb() const override { return true; }
  GivenRole* role() override { return role_.get(); }

 private:
  std::unique_ptr<RealEnv> real_;
  const std::unique_ptr<GivenRole> role_;
};

}  // namespace

std::shared_ptr<ExecutionHost> makeRealHost(const Configuration& configuration) {
  return std::make_shared<RealHost>(configuration);
}

}  // namespace flott
