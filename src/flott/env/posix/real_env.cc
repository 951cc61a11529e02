#include "flott/env/posix/real_env.h"

#include "flott/env/posix/parts.h"

namespace flott {
namespace {

class PosixEnv final : public RealEnv {
 public:
  explicit PosixEnv(const RealEnvOptions& options)
      : offloadStopTimeout_(options.offloadStopTimeout),
        logger_(posix::makeLogger(options.log, *clock_)),
        offload_(posix::makeOffload(options.offloadThreads, options.offloadQueue)) {}

  ~PosixEnv() override {
    for (const std::string& name : offload_->stop(offloadStopTimeout_)) {
      logger_->warn("offload", "'" + name + "' has not returned " + toString(offloadStopTimeout_) +
                                   " after it was asked to stop: its thread is left behind");
    }
  }

  Env env() override {
    return {*clock_,   random_,   *files_,  *network_, *threads_, *offload_,
            *signals_, *console_, *logger_, *system_,  *stores_};
  }

 private:
  const Duration offloadStopTimeout_;
  const std::unique_ptr<Clock> clock_ = posix::makeClock();
  const Random random_{posix::randomSeed()};
  const std::unique_ptr<Files> files_ = posix::makeFiles();
  const std::unique_ptr<Network> network_ = posix::makeNetwork();
  const std::unique_ptr<Threads> threads_ = posix::makeThreads();
  const std::unique_ptr<Signals> signals_ = posix::makeSignals();
  const std::unique_ptr<Console> console_ = posix::makeConsole();
  const std::unique_ptr<System> system_ = posix::makeSystem();
  const std::unique_ptr<ObjectStores> stores_ = posix::makeObjectStores();
  const std::unique_ptr<Logger> logger_;
  const std::unique_ptr<Offload> offload_;
};

}  // namespace

std::unique_ptr<RealEnv> makeRealEnv(const RealEnvOptions& options) {
  return std::make_unique<PosixEnv>(options);
}

}  // namespace flott
