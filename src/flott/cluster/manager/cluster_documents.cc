#include "flott/cluster/manager/cluster_documents.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "flott/base/secret_keys.h"
#include "flott/rest/built_in.h"
#include "flott/rest/json_body.h"

namespace flott {
namespace {

using Json = nlohmann::ordered_json;

Json resources(int cpus, uint64_t bytes) {
  return {{"cpuCores", cpus},       {"taskHeapMemory", bytes >> 20},
          {"taskOffHeapMemory", 0}, {"managedMemory", 0},
          {"networkMemory", 0},     {"extendedResources", Json::object()}};
}

Json taskManagerJson(const TaskManagerView& one) {
  const double share = static_cast<double>(one.freeSlots) / std::max(1, one.about.slots);
  return {
      {"id", one.about.id},
      {"path", one.about.address + ":" + std::to_string(one.about.restPort)},
      {"dataPort", -1},  // each worker has its own
      {"jmxPort", -1},
      {"timeSinceLastHeartbeat", one.lastHeard.ms},
      {"slotsNumber", one.about.slots},
      {"freeSlots", one.freeSlots},
      {"totalResource", resources(one.about.cpus, one.about.memoryBytes)},
      {"freeResource", resources(static_cast<int>(one.about.cpus * share),
                                 static_cast<uint64_t>(static_cast<double>(one.about.memoryBytes) * share))},
      {"hardware",
       {{"cpuCores", one.about.cpus},
        {"physicalMemory", one.about.memoryBytes},
        {"freeMemory", 0},
        {"managedMemory", 0}}},
      {"memoryConfiguration", Json::object()},
      {"blocked", false}};
}

Json noTasks() {
  Json tasks;
  for (const char* state : {"running", "canceling", "canceled", "total", "created", "scheduled", "deploying",
                            "reconciling", "finished", "initializing", "failed"})
    tasks[state] = 0;
  return tasks;
}

}  // namespace

std::string clusterOverviewDocument(const ClusterView& cluster) {
  int slots = 0;
  int free = 0;
  for (const TaskManagerView& one : cluster.taskManagers) {
    slots += one.about.slots;
    free += one.freeSlots;
  }
  const auto with = [&](std::string_view status) {
    return std::count_if(cluster.jobs.begin(), cluster.jobs.end(),
                         [&](const JobView& job) { return job.status == status; });
  };
  const auto running = std::count_if(cluster.jobs.begin(), cluster.jobs.end(),
                                     [](const JobView& job) { return job.archive == nullptr; });
  return render({{"taskmanagers", cluster.taskManagers.size()},
                 {"taskmanagers-blocked", 0},
                 {"slots-total", slots},
                 {"slots-available", free},
                 {"slots-free-and-blocked", 0},
                 {"jobs-running", running},
                 {"jobs-finished", with("FINISHED")},
                 {"jobs-cancelled", with("CANCELED")},
                 {"jobs-failed", with("FAILED")},
                 {"flink-version", "Flott " + std::string(flottVersion())},
                 {"flink-commit", "<unknown>"}});
}

std::string clusterJobsDocument(const ClusterView& cluster) {
  Json list = Json::array();
  for (const JobView& job : cluster.jobs) list.push_back({{"id", toString(job.id)}, {"status", job.status}});
  return render({{"jobs", std::move(list)}});
}

std::string jobSummary(const JobView& job, Timestamp now) {
  return render({{"jid", toString(job.id)},
                 {"name", job.name},
                 {"jobType", "STREAMING"},
                 {"schedulerType", "Default"},
                 {"start-time", job.submitted.ms},
                 {"end-time", -1},
                 {"duration", std::max<int64_t>(0, now.ms - job.submitted.ms)},
                 {"state", job.status},
                 {"last-modification", job.submitted.ms},
                 {"tasks", noTasks()},
                 {"pending-operators", 0}});
}

std::string jobSummaries(std::span<const std::string> entries) {
  std::string text = R"({"jobs":[)";
  for (size_t i = 0; i < entries.size(); ++i) text.append(i > 0 ? "," : "").append(entries[i]);
  return text + "]}";
}

std::string firstJobSummary(const std::string& document) {
  const Json json = Json::parse(document, nullptr, false);
  if (!json.is_object() || !json.contains("jobs") || !json["jobs"].is_array() || json["jobs"].empty())
    return {};
  return render(json["jobs"][0]);
}

std::string taskManagersDocument(const ClusterView& cluster) {
  Json list = Json::array();
  for (const TaskManagerView& one : cluster.taskManagers) list.push_back(taskManagerJson(one));
  return render({{"taskmanagers", std::move(list)}});
}

std::string taskManagerDocument(const TaskManagerView& one) {
  Json json = taskManagerJson(one);
  Json slots = Json::array();
  for (const auto& [job, count] : one.jobs) {
    for (int i = 0; i < count; ++i)
      slots.push_back({{"jobId", toString(job)}, {"resource", resources(1, 0)}});
  }
  json["allocatedSlots"] = std::move(slots);
  json["metrics"] = Json::object();
  return render(json);
}

std::string jarId(const StoredProgram& program) { return program.id + "_" + program.name; }

std::string jarsDocument(const std::string& url, std::span<const StoredProgram> programs) {
  Json files = Json::array();
  for (const StoredProgram& program : programs) {
    files.push_back({{"id", jarId(program)},
                     {"name", program.name},
                     {"uploaded", program.uploaded.ms},
                     {"entry", Json::array({{{"name", "main"}, {"description", nullptr}}})}});
  }
  return render({{"address", url}, {"files", std::move(files)}});
}

std::string configDocument(const Configuration& configuration) {
  Json list = Json::array();
  for (const auto& [key, entry] : configuration.entries()) {
    list.push_back({{"key", key}, {"value", isSecretKey(key) ? std::string(kHiddenValue) : entry.value}});
  }
  return render(list);
}

std::string logsDocument(std::span<const FileInfo> files) {
  Json list = Json::array();
  for (const FileInfo& file : files) {
    if (file.isFolder) continue;
    list.push_back({{"name", file.path.substr(file.path.rfind('/') + 1)},
                    {"size", file.size},
                    {"mtime", file.modified.ms}});
  }
  return render({{"logs", std::move(list)}});
}

std::string textsDocument(const std::vector<std::pair<std::string, std::string>>& fields) {
  Json json = Json::object();
  for (const auto& [name, value] : fields) json[name] = value;
  return render(json);
}

}  // namespace flott
