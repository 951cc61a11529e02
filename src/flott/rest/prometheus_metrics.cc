#include "flott/rest/prometheus_metrics.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/metric_options.h"
#include "flott/base/options.h"
#include "flott/rest/documents.h"
#include "flott/rest/metric_query.h"

namespace flott {
namespace {

using Labels = PrometheusPage::Labels;

constexpr std::string_view kLatency = "latency.";
constexpr std::string_view kState = "state_name.";

Labels with(Labels labels, std::initializer_list<std::pair<std::string, std::string>> more) {
  labels.insert(labels.end(), more);
  return labels;
}

/// Nothing for a text, as of "lastCheckpointExternalPath".
std::optional<double> numberIn(const std::string& text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "latency.source_id.1f.source_subtask_index.2.latencyMicros": Flink has the parts as labels, in a scope of
// the job.
void addLatency(PrometheusPage& page, const Labels& job, const OperatorReadings& op,
                const MetricReading& reading) {
  std::string_view rest = std::string_view(reading.name).substr(kLatency.size());
  Labels labels = job;
  std::string scope = "taskmanager_job_latency_";
  for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    const std::string_view label = rest.substr(0, dot);
    rest.remove_prefix(dot + 1);
    const size_t end = std::min(rest.find('.'), rest.size());
    labels.emplace_back(label, rest.substr(0, end));
    scope.append(label).append("_");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  labels.emplace_back("operator_id", toString(op.info.id));
  labels.emplace_back("operator_subtask_index", std::to_string(op.info.subtask.value));
  MetricReading named = reading;
  named.name = std::string(rest);
  page.add(scope + "operator_id_operator_subtask_index", labels, named);
}

// "state_name.seen.numEntries".
void addOfState(PrometheusPage& page, Labels labels, const MetricReading& reading) {
  const std::string_view rest = std::string_view(reading.name).substr(kState.size());
  const size_t dot = rest.rfind('.');
  labels.emplace_back("state_name", rest.substr(0, dot));
  MetricReading named = reading;
  named.name = std::string(rest.substr(dot + 1));
  page.add("taskmanager_job_task_operator_state_name", labels, named);
}

void addTask(PrometheusPage& page, const Labels& job, const TaskDetails& task,
             const JobDescription::Vertex& vertex) {
  Labels labels = task.worker.empty() ? job : with(job, {{"tm_id", task.worker}});
  labels = with(std::move(labels), {{"task_id", vertex.id},
                                    {"task_name", vertex.name},
                                    {"subtask_index", std::to_string(task.id.subtask.value)},
                                    {"task_attempt_num", std::to_string(task.id.attempt)}});
  for (const MetricReading& reading : task.metrics) page.add("taskmanager_job_task", labels, reading);
  for (const OperatorReadings& op : task.operators) {
    const Labels ofOperator =
        with(labels, {{"operator_id", toString(op.info.id)}, {"operator_name", op.info.name}});
    for (const MetricReading& reading : op.metrics) {
      if (reading.name.starts_with(kLatency)) {
        addLatency(page, job, op, reading);
      } else if (reading.name.starts_with(kState) &&
                 reading.name.find('.', kState.size()) != std::string::npos) {
        addOfState(page, ofOperator, reading);
      } else {
        page.add("taskmanager_job_task_operator", ofOperator, reading);
      }
    }
  }
}

}  // namespace

PrometheusOptions prometheusOptions(const Configuration& configuration) {
  PrometheusOptions options{.prefix = configuration.get(kPrometheusPrefix),
                            .filterLabels = configuration.get(kPrometheusFilterLabels)};
  const auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (options.prefix.empty() || !isLetter(options.prefix.front()) ||
      !std::all_of(options.prefix.begin(), options.prefix.end(),
                   [&](char c) { return isLetter(c) || (c >= '0' && c <= '9'); })) {
    throw Error(ErrorKind::kUser, std::string(kPrometheusPrefix.key) + " = " + options.prefix +
                                      ": a prefix has letters, digits and '_', and begins with no digit");
  }
  return options;
}

void addJob(PrometheusPage& page, const Labels& labels, const ListedJob& listed, Timestamp now) {
  const JobDetails& details = listed.details;
  if (isFinal(details.status)) return;
  const Labels job = with(labels, {{"job_id", toString(listed.job->id)}, {"job_name", listed.job->name}});
  for (const NamedMetric& metric : jobMetrics(listed, now)) {
    if (const std::optional<double> number = numberIn(metric.value))
      page.add("jobmanager_job", job, gaugeReading(metric.id, *number));
  }
  for (const auto& [status, name] :
       {std::pair(JobStatus::kRunning, "running"), std::pair(JobStatus::kRestarting, "restarting"),
        std::pair(JobStatus::kCancelling, "cancelling")}) {
    const bool now_ = details.status == status;
    page.add("jobmanager_job", job, gaugeReading(std::string(name) + "State", now_ ? 1 : 0));
    const int64_t since = now_ ? std::max<int64_t>((now - details.sinceStatus(status)).ms, 0) : 0;
    page.add("jobmanager_job", job, gaugeReading(std::string(name) + "Time", static_cast<double>(since)));
  }
  for (const TaskDetails& task : details.tasks) {
    const auto vertex = static_cast<size_t>(task.id.vertex);
    if (vertex < listed.job->vertices.size()) addTask(page, job, task, listed.job->vertices[vertex]);
  }
}

std::vector<MetricReading> readingsOf(const ProcessFigures& figures) {
  const auto gauge = [](const char* name, auto value) {
    return gaugeReading(name, static_cast<double>(value));
  };
  std::vector<MetricReading> all{gauge("Status.CPU.Load", figures.cpuLoad),
                                 counterReading("Status.CPU.Time", figures.cpuNanos),
                                 gauge("Status.CPU.Cores", figures.cores),
                                 gauge("Status.Memory.Resident", figures.residentBytes),
                                 gauge("Status.Memory.Anonymous", figures.anonymousBytes),
                                 gauge("Status.Memory.Heap.Used", figures.allocatedBytes),
                                 gauge("Status.Memory.Heap.Committed", figures.heapBytes),
                                 gauge("Status.Threads.Count", figures.threads),
                                 gauge("Status.FileDescriptors.Count", figures.openFiles),
                                 gauge("Status.FileDescriptors.Max", figures.mostFiles)};
  if (figures.memoryLimit) all.push_back(gauge("Status.Memory.Limit", *figures.memoryLimit));
  return all;
}

PrometheusMetrics::PrometheusMetrics(Process process, PrometheusOptions options, const Clock& clock)
    : process_(std::move(process)),
      options_(std::move(options)),
      clock_(clock),
      labels_{{"host", hostName()}} {
  labels_.insert(labels_.end(), process_.labels.begin(), process_.labels.end());
}

std::vector<MetricReading> PrometheusMetrics::readProcess() {
  std::vector<MetricReading> all = readingsOf(reader_.read());
  for (auto& readings : readings_) {
    for (MetricReading& reading : readings()) all.push_back(std::move(reading));
  }
  return all;
}

std::vector<NamedMetric> PrometheusMetrics::ofProcess() {
  std::vector<NamedMetric> all;
  for (MetricReading& reading : readProcess())
    all.push_back({std::move(reading.name), std::move(reading.text)});
  return all;
}

std::string PrometheusMetrics::text() {
  PrometheusPage page(options_);
  for (const MetricReading& reading : readProcess()) page.add(process_.scope, labels_, reading);
  for (JobBoard* board : boards_) addBoard(page, *board);
  for (auto& source : sources_) source(page, labels_);
  return page.text();
}

void PrometheusMetrics::addBoard(PrometheusPage& page, JobBoard& board) const {
  const ClusterSummary cluster = board.cluster();
  int running = 0;
  for (const ListedJob& job : board.jobs()) {
    running += isFinal(job.details.status) ? 0 : 1;
    addJob(page, labels_, job, clock_.wallTime());
  }
  const auto add = [&](const char* name, int value) {
    page.add("jobmanager", labels_, gaugeReading(name, value));
  };
  add("numRunningJobs", running);
  add("numRegisteredTaskManagers", cluster.workers);
  add("taskSlotsTotal", cluster.slots);
  add("taskSlotsAvailable", cluster.freeSlots);
}

RestResponse MetricsBeside::answer(const RestRequest& request) {
  const std::string path = request.path.starts_with("/v1/") ? request.path.substr(3) : request.path;
  const bool document = !paths_.document.empty() && path == paths_.document;
  if (!document && path != paths_.text) return others_.answer(request);
  if (request.method != "GET" && request.method != "HEAD") {
    RestResponse refused = RestResponse::error(405, "there is only GET");
    refused.allow = "GET";
    return refused;
  }
  try {
    if (document) return RestResponse::json(metricsDocument(metrics_.ofProcess(), chosenMetrics(request)));
    RestResponse response;
    response.contentType = PrometheusPage::kContentType;
    response.body = metrics_.text();
    return response;
  } catch (...) {
    return responseToCurrentError();
  }
}

class PrometheusServer::Nothing final : public RestHandler {
 public:
  RestResponse answer(const RestRequest&) override {
    return RestResponse::error(404, "there is nothing but /metrics");
  }
};

std::unique_ptr<PrometheusServer> PrometheusServer::start(const Env& env, const Configuration& configuration,
                                                          PrometheusMetrics& metrics) {
  const std::optional<std::string> ports = configuration.find(kPrometheusPort);
  if (!ports) return nullptr;
  HttpServerOptions options{.address = configuration.get(kPrometheusBindAddress),
                            .ports = parsePorts(*ports, kPrometheusPort.key),
                            .threads = 2};
  if (!isLoopback(options.address) && !configuration.get(kRestInsecure)) {
    throw Error(ErrorKind::kUser,
                std::string(kPrometheusBindAddress.key) + " = " + options.address +
                    " may be reached from other machines, and whoever reaches it reads the "
                    "names of jobs and operators: leave it out, or set flott.rest.insecure: "
                    "true");
  }
  try {
    auto server = std::make_unique<PrometheusServer>(env, options, metrics);
    env.log.info("metrics", "Prometheus finds them at " + server->url());
    return server;
  } catch (const Error& error) {
    env.log.warn("metrics", "Prometheus does not find them: " + std::string(error.what()));
    return nullptr;
  }
}

PrometheusServer::PrometheusServer(const Env& env, HttpServerOptions options, PrometheusMetrics& metrics)
    : nothing_(std::make_unique<Nothing>()),
      handler_(metrics, *nothing_),
      server_(std::make_unique<HttpServer>(env, std::move(options), handler_)) {}

PrometheusServer::~PrometheusServer() = default;

}  // namespace flott
