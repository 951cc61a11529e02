#include "flott/cluster/data_plane.h"

#include <optional>
#include <utility>

#include "flott/env/posix/async_network.h"

namespace flott {
namespace {

class LinksOnThread final : public OpenedLinks {
 public:
  LinksOnThread(LinkOptions options, const Env& env)
      : env_(env), network_(makeAsyncNetwork(env.clock)), links_(std::move(options), *network_, env) {}

  WorkerLinks& links() override { return links_; }
  void start() override { thread_.emplace(env_, *network_, links_); }
  void end() override { thread_.reset(); }

 private:
  const Env env_;
  const std::unique_ptr<AsyncNetwork> network_;
  WorkerLinks links_;
  std::optional<LinkThread> thread_;
};

class DataPlaneOnThreads final : public DataPlane {
 public:
  DataPlaneOnThreads(const Env& env, std::string address) : env_(env), address_(std::move(address)) {}

  std::unique_ptr<OpenedLinks> open(LinkOptions options) override {
    options.address = address_;
    options.port = 0;
    return std::make_unique<LinksOnThread>(std::move(options), env_);
  }
  const std::string& address() const override { return address_; }

 private:
  const Env env_;
  const std::string address_;
};

}  // namespace

std::unique_ptr<DataPlane> makeDataPlane(const Env& env, std::string address) {
  return std::make_unique<DataPlaneOnThreads>(env, std::move(address));
}

}  // namespace flott
