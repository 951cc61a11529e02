#include "flott/rest/rest_call.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "flott/rest/http_text.h"
#include "flott/rest/json_body.h"
#include "flott/rest/refusal.h"
#include "flott/savepoints/disposal.h"

namespace flott {
namespace {

using Json = nlohmann::json;

template <typename T>
T numberFrom(std::string_view kind, std::string_view parameter, std::string_view text) {
  T number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) refuseUnreadable(kind, parameter, text);
  return number;
}

bool isHexId(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

std::string savepointScope(const JobId& job) { return "savepoints " + toString(job); }
std::string checkpointScope(const JobId& job) { return "checkpoints " + toString(job); }
constexpr const char* kDisposals = "disposals";

}  // namespace

// The object in a body. Fields that are not known are refused: a client that misspells one would wait for
// something else.
struct RestCall::Fields {
  Fields(const std::string& body, std::initializer_list<const char*> known) : object(jsonBody(body)) {
    for (const auto& [name, value] : object.items()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::string names;
      for (const char* one : known) names += (names.empty() ? "" : ", ") + std::string(one);
      throw Refusal{
          400, "the body has a field '" + name.substr(0, 64) + "', which is not known; there are " + names};
    }
  }

  std::optional<std::string> text(const char* name) const {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return {};
    if (!found->is_string()) refuse(name, "a text");
    return found->get<std::string>();
  }
  bool flag(const char* name) const {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return false;
    if (!found->is_boolean()) refuse(name, "true or false");
    return found->get<bool>();
  }
  /// One of the names, in upper case; the first when there is none.
  std::string choice(const char* name, std::initializer_list<const char*> names) const {
    std::string given = text(name).value_or(*names.begin());
    if (std::find(names.begin(), names.end(), given) != names.end()) return given;
    std::string all;
    for (const char* one : names) all += (all.empty() ? "" : ", ") + std::string(one);
    refuse(name, "one of " + all);
  }
  std::optional<std::string> triggerId() const {
    const std::optional<std::string> id = text("triggerId");
    if (id && !isHexId(*id)) refuse("triggerId", "32 hexadecimal digits");
    return id ? std::optional(lowerCase(*id)) : std::nullopt;
  }

 private:
  [[noreturn]] static void refuse(const char* name, const std::string& what) {
    throw Refusal{400, "the field '" + std::string(name) + "' of the body is not " + what};
  }

  const Json object;
};

JobId RestCall::jobId() const {
  const std::optional<JobId> id = parseJobId(at[0]);
  if (!id) refuseUnreadable("path", "jobid", at[0]);
  return *id;
}

void RestCall::refuseUnknownJob() const { throw Refusal{404, "there is no job " + lowerCase(at[0])}; }

const JobDescription::Vertex& RestCall::vertex(const ListedJob& job, size_t place) const {
  if (!isHexId(at[place])) refuseUnreadable("path", "vertexid", at[place]);
  const JobDescription::Vertex* found = job.job->find(lowerCase(at[place]));
  if (found == nullptr) throw Refusal{404, "the job has no vertex " + lowerCase(at[place])};
  return *found;
}

const TaskDetails& RestCall::subtask(const ListedJob& job, const JobDescription::Vertex& vertex,
                                     bool withAttempt) const {
  const int number = numberFrom<int>("path", "subtaskindex", at[2]);
  const int attempt = withAttempt ? numberFrom<int>("path", "attempt", at[3]) : -1;
  const auto index = static_cast<int>(&vertex - job.job->vertices.data());
  for (const TaskDetails& task : job.details.tasks) {
    if (task.id.vertex != index || task.id.subtask.value != number) continue;
    if (!withAttempt || task.id.attempt == attempt) return task;
    throw Refusal{404, "of subtask " + std::to_string(number) + " attempt " +
                           std::to_string(task.id.attempt) + " alone is known"};
  }
  throw Refusal{404, "the vertex has no subtask " + std::to_string(number) + " at this moment"};
}

const CheckpointRecord& RestCall::checkpoint(const ListedJob& job) const {
  const auto id = numberFrom<uint64_t>("path", "checkpointid", at[1]);
  for (const CheckpointRecord& record : job.details.checkpoints.history)
    if (record.id.value == id) return record;
  throw Refusal{404, "nothing is known of a checkpoint " + std::to_string(id) +
                         ": there was none, or web.checkpoints.history newer ones"};
}

std::string RestCall::exceptions() const {
  const auto most = request.parameter("maxExceptions");
  const size_t count = most ? numberFrom<uint32_t>("query", "maxExceptions", *most) : 20;
  return exceptionsDocument(job(), count);
}

std::string RestCall::checkpointSubtasks() const {
  const ListedJob of = job();
  std::optional<std::string> document = checkpointSubtasksDocument(*of.job, checkpoint(of), vertex(of, 2));
  if (!document) throw Refusal{404, "no subtask of vertex " + lowerCase(at[2]) + " has acknowledged it"};
  return *std::move(document);
}

std::string RestCall::vertexWatermarkMetrics() const {
  const ListedJob of = job();
  const std::vector<NamedMetric> metrics = vertexWatermarks(of, vertex(of));
  std::vector<std::string> all;
  all.reserve(metrics.size());
  for (const NamedMetric& metric : metrics) all.push_back(metric.id);
  return metricsDocument(metrics, all);
}

std::string RestCall::subtaskMetrics() const {
  const ListedJob of = job();
  const JobDescription::Vertex& mine = vertex(of);
  return metricsDocument(ofSubtask(vertexMetrics(of, mine), subtask(of, mine, false).id.subtask.value),
                         get());
}

std::string RestCall::aggregatedSubtaskMetrics() const {
  const ListedJob of = job();
  const JobDescription::Vertex& mine = vertex(of);
  const std::optional<std::set<int>> chosen = chosenSubtasks(request);
  const std::vector<NamedMetric> metrics = vertexMetrics(of, mine);
  std::vector<std::vector<NamedMetric>> all;
  for (int i = 0; i < mine.parallelism; ++i)
    if (!chosen || chosen->contains(i)) all.push_back(ofSubtask(metrics, i));
  return aggregatedDocument(all, get(), chosenAggregations(request));
}

std::string RestCall::aggregatedJobMetrics() const {
  const std::optional<std::string> given = request.parameter("jobs");
  std::set<JobId> chosen;
  for (const std::string& text : listFrom(given.value_or(""))) {
    const std::optional<JobId> id = parseJobId(text);
    if (!id) refuseUnreadable("query", "jobs", text);
    chosen.insert(*id);
  }
  std::vector<std::vector<NamedMetric>> all;
  for (const ListedJob& one : world.board.jobs())
    if (!given || chosen.contains(one.job->id)) all.push_back(jobMetrics(one, now()));
  return aggregatedDocument(all, get(), chosenAggregations(request));
}

std::string RestCall::cancel() const {
  const std::string mode = request.parameter("mode").value_or("cancel");
  if (mode != "cancel") refuseUnreadable("query", "mode", mode);
  switch (world.board.cancel(jobId())) {
    case AskOutcome::kAccepted:
      return "{}";
    case AskOutcome::kTooLate:
      throw Refusal{409, "the job cannot be cancelled: it is " + std::string(toString(job().details.status))};
    case AskOutcome::kUnknown:
      break;
  }
  refuseUnknownJob();
}

std::string RestCall::cancelByGet() const {
  if (request.fromOtherSite) throw Refusal{403, "a page of another site may not do this"};
  return cancel();
}

std::string RestCall::triggerSavepoint() const {
  const Fields fields(request.body, {"target-directory", "cancel-job", "formatType", "triggerId"});
  return beginSavepoint(
      fields, {.folder = fields.text("target-directory").value_or(""), .cancels = fields.flag("cancel-job")});
}

std::string RestCall::stop() const {
  const Fields fields(request.body, {"targetDirectory", "drain", "formatType", "triggerId"});
  return beginSavepoint(fields, {.folder = fields.text("targetDirectory").value_or(""),
                                 .stop = fields.flag("drain") ? StopMode::kDrain : StopMode::kSuspend});
}

std::string RestCall::beginSavepoint(const Fields& fields, SavepointOrder order) const {
  if (fields.choice("formatType", {"CANONICAL", "NATIVE"}) == "NATIVE")
    throw Refusal{400, "savepoints are canonical, which fits all state backends: leave formatType out"};
  const JobId job = jobId();
  const std::string scope = savepointScope(job);
  const auto [id, isNew] = world.operations.begin(scope, fields.triggerId());
  if (!isNew) return triggerDocument(id);
  const AskOutcome outcome = world.board.triggerSavepoint(
      job, std::move(order), [end = world.operations.ender(scope, id)](CheckpointOutcome of) mutable {
        end({.location = of.folder, .error = std::move(of.error)});
      });
  throwUnlessAccepted(outcome, scope, id, "a savepoint");
  return triggerDocument(id);
}

std::string RestCall::triggerCheckpoint() const {
  const Fields fields(request.body, {"checkpointType", "triggerId"});
  const std::string type = fields.choice("checkpointType", {"CONFIGURED", "FULL", "INCREMENTAL"});
  const bool incremental = type != "CONFIGURED" && this->job().job->checkpoints.incremental;
  if (type == "FULL" && incremental) {
    throw Refusal{
        400,
        "checkpoints of the job are incremental, as execution.checkpointing.incremental says: take a "
        "savepoint for all state"};
  }
  if (type == "INCREMENTAL" && !incremental) {
    throw Refusal{
        400, "checkpoints of the job are full: execution.checkpointing.incremental makes incremental ones"};
  }
  const JobId job = jobId();
  const std::string scope = checkpointScope(job);
  const auto [id, isNew] = world.operations.begin(scope, fields.triggerId());
  if (!isNew) return triggerDocument(id);
  const AskOutcome outcome = world.board.triggerCheckpoint(
      job, [end = world.operations.ender(scope, id)](CheckpointOutcome of) mutable {
        end({.id = of.id.value, .error = std::move(of.error)});
      });
  throwUnlessAccepted(outcome, scope, id, "a checkpoint");
  return triggerDocument(id);
}

void RestCall::throwUnlessAccepted(AskOutcome outcome, const std::string& scope, const std::string& id,
                                   const std::string& what) const {
  if (outcome == AskOutcome::kAccepted) return;
  world.operations.forget(scope, id);
  if (outcome == AskOutcome::kUnknown) refuseUnknownJob();
  throw Refusal{409,
                "the job cannot make " + what + ": it is " + std::string(toString(job().details.status))};
}

std::string RestCall::disposeSavepoint() const {
  const Fields fields(request.body, {"savepoint-path", "triggerId"});
  const std::optional<std::string> path = fields.text("savepoint-path");
  if (!path || path->empty())
    throw Refusal{400, "the body has no 'savepoint-path': the folder of a savepoint"};
  const auto [id, isNew] = world.operations.begin(kDisposals, fields.triggerId());
  if (!isNew) return triggerDocument(id);
  const bool taken = world.env.offload.submit("remove savepoint " + *path,
                                              [end = world.operations.ender(kDisposals, id), env = world.env,
                                               stores = world.options.stores, path = *path]() mutable {
                                                try {
                                                  flott::disposeSavepoint(env, stores, path);
                                                  end({});
                                                } catch (...) {
                                                  end({.error = currentError()});
                                                }
                                              });
  if (!taken) {
    world.operations.forget(kDisposals, id);
    throw Refusal{503, "too much is being done: ask again later"};
  }
  return triggerDocument(id);
}

Operations::State RestCall::operation(const std::string& scope, std::string_view id) const {
  if (!isHexId(id)) refuseUnreadable("path", "triggerid", id);
  const std::optional<Operations::State> state = world.operations.find(scope, lowerCase(id));
  if (!state)
    throw Refusal{
        404, "nothing is known of an operation " + lowerCase(id) + ": there was none, or many newer ones"};
  return *state;
}

std::string RestCall::savepointStatus() const {
  const Operations::State state = operation(savepointScope(jobId()), at[1]);
  return state.result ? savepointResultDocument(state.result->location, state.result->error)
                      : inProgressDocument();
}

std::string RestCall::checkpointStatus() const {
  const Operations::State state = operation(checkpointScope(jobId()), at[1]);
  return state.result ? checkpointResultDocument(state.result->id.value_or(0), state.result->error)
                      : inProgressDocument();
}

std::string RestCall::disposalStatus() const {
  const Operations::State state = operation(kDisposals, at[0]);
  return state.result ? disposalResultDocument(state.result->error) : inProgressDocument();
}

std::vector<std::string> RestApi::operationPaths(const JobId& job) const {
  const std::string path = "/jobs/" + toString(job);
  std::vector<std::string> paths;
  for (const std::string& id : operations_.ended(savepointScope(job)))
    paths.push_back(path + "/savepoints/" + id);
  for (const std::string& id : operations_.ended(checkpointScope(job)))
    paths.push_back(path + "/checkpoints/" + id);
  return paths;
}

}  // namespace flott
