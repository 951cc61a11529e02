#include "flott/cluster/manager/manager_processes.h"

#include <charconv>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "flott/base/client_options.h"
#include "flott/base/cluster_options.h"
#include "flott/base/error.h"
#include "flott/base/manager_options.h"
#include "flott/base/options.h"
#include "flott/base/rest_options.h"
#include "flott/cluster/manager/cluster_api.h"
#include "flott/cluster/manager/job_manager.h"
#include "flott/cluster/manager/log_api.h"
#include "flott/cluster/manager/manager_metrics.h"
#include "flott/cluster/manager/program_store.h"
#include "flott/cluster/manager/task_manager.h"
#include "flott/cluster/message_loop.h"
#include "flott/env/file_lock.h"
#include "flott/env/posix/async_network.h"
#include "flott/env/posix/processes.h"
#include "flott/rest/built_in.h"
#include "flott/rest/http_client.h"
#include "flott/rest/http_server.h"
#include "flott/rest/prometheus_metrics.h"
#include "flott/runtime/scheduler.h"

namespace flott {
namespace {

constexpr const char* kLogFolder = "/log";
constexpr const char* kLocalFolder = "/localState";

/// Programs may change the folder that they work in.
std::string absolute(const std::string& folder) {
  return std::filesystem::absolute(folder).lexically_normal().string();
}

std::string temporaryFolder(const Configuration& configuration) {
  const std::string all = configuration.get(kTmpDirs);
  return all.substr(0, all.find_first_of(",|:"));
}

/// Numeric, and of this machine alone unless the user has said otherwise.
std::string checkedAddress(const Configuration& configuration, const ConfigOption<std::string>& option) {
  std::string address = configuration.get(option);
  if (address == "localhost") address = "127.0.0.1";
  if (isLoopback(address) || configuration.get(kRpcInsecure)) return address;
  throw Error(ErrorKind::kUser, std::string(option.key) + " is " + address +
                                    ", which other machines reach: whoever does may run programs here. Set "
                                    "flott.rpc.insecure to true if only those can reach it who may");
}

std::unique_ptr<FileLock> lockFolder(const Env& env, const std::string& folder, const char* whose) {
  env.files.makeFolders(folder);
  std::unique_ptr<FileLock> lock = lockFile(folder + "/lock");
  if (lock != nullptr) return lock;
  throw Error(ErrorKind::kUser, std::string("folder '") + folder + "' is in use by another " + whose +
                                    ": stop that one, or give this one another folder");
}

std::string subfolder(const Env& env, const std::string& folder, const char* name) {
  env.files.makeFolders(folder + name);
  return folder + name;
}

std::map<std::string, std::string> valuesOf(const Configuration& configuration) {
  std::map<std::string, std::string> values;
  for (const auto& [key, entry] : configuration.entries()) values[key] = entry.value;
  return values;
}

/// 0 where the system does not tell.
uint64_t machineMemory(const Env& env) {
  try {
    std::string text(4096, '\0');
    text.resize(env.files.open("/proc/meminfo")->read(0, text));
    const size_t at = text.find("MemTotal:");
    const size_t digits = text.find_first_of("0123456789", at);
    uint64_t kilobytes = 0;
    if (at != std::string::npos && digits != std::string::npos)
      std::from_chars(text.data() + digits, text.data() + text.size(), kilobytes);
    return kilobytes << 10;
  } catch (const Error&) {
    return 0;
  }
}

void throwUnlessOk(const HttpClient::Answer& answer) {
  if (!answer.ok())
    throw Error(ErrorKind::kTransient, "the JobManager has no such program: " + answer.errorText());
}

/// Fetches programs one after the other: two workers of one job need the same files.
class ProgramFetcher {
 public:
  ProgramFetcher(const Env& env, ProgramStore& store) : env_(env), store_(store) {}

  void fetch(const manager_messages::Welcome& from, const std::string& id) {
    const std::lock_guard guard(mutex_);
    if (store_.find(id)) return;
    const HttpClient client(env_, from.restAddress, from.restPort);
    const HttpClient::Answer description = client.request({.path = "/programs/" + urlEncoded(id)});
    throwUnlessOk(description);
    const std::vector<ProgramFile> files = programFilesOf(description.body);
    for (const std::string& hash : store_.missing(files)) {
      const std::string file = store_.uploadFolder() + "/" + hash;
      throwUnlessOk(client.download({.path = "/blobs/" + hash}, file));
      store_.addBlob(hash, file);
    }
    store_.add(files);
  }

 private:
  const Env env_;
  ProgramStore& store_;
  std::mutex mutex_;
};

}  // namespace

std::string jobManagerFolder(const Configuration& configuration) {
  return absolute(configuration.find(kJobManagerWorkingDir)
                      .value_or(temporaryFolder(configuration) + "/flott-jobmanager-" +
                                std::to_string(configuration.get(kJobManagerPort))));
}

std::string taskManagerFolder(const Configuration& configuration) {
  const std::string id = configuration.find(kTaskManagerId).value_or("");
  return absolute(configuration.find(kTaskManagerWorkingDir)
                      .value_or(temporaryFolder(configuration) + "/flott-taskmanager-" + id));
}

void runJobManager(Env env, const Configuration& configuration,
                   MoveFunction<void(const JobManagerPlace&)> onServing) {
  const std::string address = checkedAddress(configuration, kJobManagerAddress);
  const std::string bindAddress = checkedAddress(configuration, kJobManagerBindHost);
  const std::string folder = jobManagerFolder(configuration);
  const std::unique_ptr<FileLock> lock = lockFolder(env, folder, "JobManager");
  const std::string logFolder = subfolder(env, folder, kLogFolder);
  ProgramStore programs(env, folder + "/store");
  const std::unique_ptr<Processes> processes = makeProcesses(env.clock);
  const std::unique_ptr<AsyncNetwork> network = makeAsyncNetwork(env.clock);
  const std::unique_ptr<Scheduler> scheduler = makeThreadedScheduler(env, {.lanes = 1});
  MessageLoop loop(*network, env.log);
  JobManager* manager = nullptr;
  const uint16_t port = loop.listen(bindAddress, static_cast<uint16_t>(configuration.get(kJobManagerPort)),
                                    [&manager](auto peer) { manager->accept(std::move(peer)); });
  JobManager jobs(
      env, *processes, loop, programs,
      {.address = address,
       .bindAddress = bindAddress,
       .port = port,
       .heartbeatInterval = configuration.get(kHeartbeatInterval),
       .heartbeatTimeout = configuration.get(kHeartbeatTimeout),
       .programStartTimeout = configuration.get(kProgramStartTimeout),
       .slotSpread = configuration.get(kEvenlySpreadOutSlots) ? SlotSpread::kEven : SlotSpread::kPacked,
       .jobDefaults = valuesOf(configuration),
       .jobFolder = subfolder(env, folder, "/jobs"),
       .archiveFolder = subfolder(env, folder, "/archives"),
       .logFolder = logFolder,
       .keptJobs = static_cast<size_t>(configuration.get(kEndedJobs)),
       .keptLogs = static_cast<size_t>(configuration.get(kKeptLogs))});
  manager = &jobs;
  ClusterApi api(env, *processes, jobs, programs,
                 {.configuration = configuration,
                  .logFolder = logFolder,
                  .logFile = "jobmanager.log",
                  .uploadBytes = configuration.get(kRestMaxContentLength).bytes,
                  .refreshInterval = configuration.get(kWebRefreshInterval),
                  .programStartTimeout = configuration.get(kProgramStartTimeout)});
  PrometheusMetrics metrics({.scope = "jobmanager"}, prometheusOptions(configuration), env.clock);
  metrics.addReadings([&jobs] { return readingsOf(*jobs.view()); });
  metrics.addSource([&env, &jobs](PrometheusPage& page, const PrometheusPage::Labels&) {
    addOtherProcesses(page, env, *jobs.view());
  });
  MetricsBeside pages(metrics, api, {.document = "/jobmanager/metrics"});
  const HttpServer server(env, httpServerOptions(configuration), pages);
  const auto prometheus = PrometheusServer::start(env, configuration, metrics);
  jobs.serveAt(configuration.get(kRestAddress), static_cast<uint16_t>(server.port()));
  const auto signals = env.signals.watch([&jobs](int) { jobs.stop(false); });
  scheduler->add(0, jobs);
  const MessageLoopThread thread(loop, *network, env);
  scheduler->start();
  env.log.info("jobmanager", "REST and the web page are at " + server.url() + ", TaskManagers come to " +
                                 bindAddress + ":" + std::to_string(port) + ", the folder is " + folder);
  if (onServing) onServing({.url = server.url(), .port = port});
  scheduler->join();
}

void runTaskManager(Env env, const Configuration& configuration) {
  const std::string host = checkedAddress(configuration, kTaskManagerHost);
  const std::string id = configuration.find(kTaskManagerId).value_or("");
  const std::string folder = taskManagerFolder(configuration);
  const std::unique_ptr<FileLock> lock = lockFolder(env, folder, "TaskManager");
  const std::string logFolder = subfolder(env, folder, kLogFolder);
  ProgramStore store(env, folder + "/store");
  ProgramFetcher fetcher(env, store);
  LogApi api(env, logFolder, "taskmanager.log");
  PrometheusMetrics metrics({.scope = "taskmanager", .labels = {{"tm_id", id}}},
                            prometheusOptions(configuration), env.clock);
  MetricsBeside pages(metrics, api, {.text = kPagePath, .document = "/metrics"});
  const HttpServer server(env, {.address = host, .ports = {{0, 0}}}, pages);
  const auto prometheus = PrometheusServer::start(env, configuration, metrics);
  const std::unique_ptr<Processes> processes = makeProcesses(env.clock);
  const std::unique_ptr<AsyncNetwork> network = makeAsyncNetwork(env.clock);
  const std::unique_ptr<Scheduler> scheduler = makeThreadedScheduler(env, {.lanes = 1});
  MessageLoop loop(*network, env.log);
  const int64_t slots = configuration.get(kTaskSlots);
  std::string master = configuration.get(kJobManagerAddress);
  if (master == "localhost") master = "127.0.0.1";
  TaskManager manager(env, *processes, loop, store,
                      {.about = {.id = id,
                                 .host = host,
                                 .address = host,
                                 .restAddress = host,
                                 .restPort = static_cast<uint16_t>(server.port()),
                                 .slots = slots > 0 ? static_cast<int32_t>(slots) : env.system.cpus(),
                                 .cpus = env.system.cpus(),
                                 .memoryBytes = machineMemory(env),
                                 .version = std::string(flottVersion())},
                       .address = master,
                       .port = static_cast<uint16_t>(configuration.get(kJobManagerPort)),
                       .registrationTimeout = configuration.get(kRegistrationTimeout),
                       .logFolder = logFolder,
                       .keptLogs = static_cast<size_t>(configuration.get(kKeptLogs)),
                       .localFolder = folder + kLocalFolder,
                       .fetch = [&fetcher](const manager_messages::Welcome& from,
                                           const std::string& program) { fetcher.fetch(from, program); }});
  const auto signals = env.signals.watch([&manager](int) { manager.stop(); });
  scheduler->add(0, manager);
  const MessageLoopThread thread(loop, *network, env);
  scheduler->start();
  scheduler->join();
  if (manager.error()) throw Error(*manager.error());
}

}  // namespace flott
