#include "flott/rest/local_server.h"

#include "flott/base/options.h"
#include "flott/rest/http_server.h"
#include "flott/rest/job_archive.h"
#include "flott/rest/prometheus_metrics.h"
#include "flott/rest/rest_api.h"

namespace flott {

LocalServer::LocalServer(const Env& env, const Configuration& configuration, bool documents)
    : env_(env),
      jobs_(env_, static_cast<size_t>(configuration.get(kWebHistory))),
      api_(std::make_unique<RestApi>(jobs_,
                                     RestApiOptions{.refreshInterval = configuration.get(kWebRefreshInterval),
                                                    .stores = storeOptions(configuration)},
                                     env_)),
      metrics_(std::make_unique<PrometheusMetrics>(PrometheusMetrics::Process{},
                                                   prometheusOptions(configuration), env_.clock)),
      handler_(std::make_unique<MetricsBeside>(*metrics_, *api_)) {
  metrics_->addJobs(jobs_);
  if (documents) server_ = std::make_unique<HttpServer>(env_, httpServerOptions(configuration), *handler_);
  prometheus_ = PrometheusServer::start(env_, configuration, *metrics_);
}

// Clients ask at least twice a second.
LocalServer::~LocalServer() { api_->waitUntilTold(Duration::seconds(2)); }

std::string LocalServer::archiveOf(const JobId& job) {
  const std::optional<ListedJob> listed = jobs_.find(job);
  FLOTT_CHECK(listed.has_value(), "job " + toString(job) + " is not listed");
  return flott::archiveOf(*api_, *listed, api_->operationPaths(job));
}

int LocalServer::port() const { return server_ == nullptr ? 0 : server_->port(); }

std::string LocalServer::url() const { return server_ == nullptr ? "" : server_->url(); }

}  // namespace flott
