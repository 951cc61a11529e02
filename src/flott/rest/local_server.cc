#include "flott/rest/local_server.h"

#include "flott/base/options.h"
#include "flott/rest/http_server.h"
#include "flott/rest/rest_api.h"

namespace flott {

LocalServer::LocalServer(const Env& env, const Configuration& configuration)
    : env_(env),
      jobs_(env_, static_cast<size_t>(configuration.get(kWebHistory))),
      api_(std::make_unique<RestApi>(jobs_,
                                     RestApiOptions{.refreshInterval = configuration.get(kWebRefreshInterval),
                                                    .stores = storeOptions(configuration)},
                                     env_)),
      server_(std::make_unique<HttpServer>(env_, httpServerOptions(configuration), *api_)) {
  env_.log.info("rest", "the web page about the jobs is at " + url());
}

LocalServer::~LocalServer() = default;

int LocalServer::port() const { return server_->port(); }

std::string LocalServer::url() const { return server_->url(); }

}  // namespace flott
