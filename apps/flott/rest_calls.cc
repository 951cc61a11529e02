#include "rest_calls.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "command.h"
#include "flott/base/client_options.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/base/options.h"
#include "flott/env/clock.h"

namespace flott::app {
namespace {

using Json = nlohmann::json;

/// Who waits for less than a minute does not wait longer for a cluster that is silent.
HttpClientOptions clientOptions(Duration timeout) {
  return {.connectTimeout = std::min(timeout, Duration::seconds(5)),
          .silence = std::min(timeout, Duration::seconds(60)),
          .answerBytes = 64 << 20};
}
// How often it is asked whether something is done: soon at first, then more and more seldom.
constexpr Duration kFirstPause = Duration::millis(20);
constexpr Duration kLongestPause = Duration::millis(500);
// A cluster whose master is being replaced does not answer for a while.
constexpr Duration kSilence = Duration::seconds(5);

[[noreturn]] void failAddress(const std::string& text) {
  throw Error(ErrorKind::kUser,
              "'" + text + "' is no address of a cluster: write HOST:PORT, as localhost:8081");
}

std::string lowerCase(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool isDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

/// What a failure says, without the places in its code.
std::string causeOf(const Json& operation) {
  auto cause = operation.find("failure-cause");
  if (cause == operation.end()) cause = operation.find("failureCause");  // of a checkpoint
  if (cause == operation.end() || !cause->is_object()) return {};
  const std::string trace = cause->value("stack-trace", std::string());
  std::string text;
  for (size_t begin = 0; begin < trace.size() && text.size() < 4000;) {
    const size_t end = std::min(trace.find('\n', begin), trace.size());
    const std::string_view line = std::string_view(trace).substr(begin, end - begin);
    if (!line.empty() && !line.starts_with("\tat ") && !line.starts_with("\t... "))
      (text += text.empty() ? "" : "\n") += line;
    begin = end + 1;
  }
  return text.empty() ? cause->value("class", std::string("without a reason")) : text;
}

std::string orderBody(const SavepointOrder& order, const char* folderField) {
  Json body = Json::object();
  if (order.folder) body[folderField] = *order.folder;
  if (order.type) body["formatType"] = *order.type;
  return body.dump();
}

}  // namespace

ClusterAddress clusterAddress(const Configuration& configuration, const std::optional<std::string>& given) {
  ClusterAddress address{.host = configuration.get(kRestAddress),
                         .port = static_cast<int>(configuration.get(kRestPort))};
  if (given) {
    std::string_view text = *given;
    if (text.starts_with("http://")) text.remove_prefix(7);
    while (text.ends_with('/')) text.remove_suffix(1);
    std::string_view port;
    if (text.starts_with('[')) {
      const size_t end = text.find(']');
      if (end == std::string_view::npos) failAddress(*given);
      port = text.substr(end + 1);
      address.host = text.substr(1, end - 1);
    } else {
      const size_t colon = std::min(text.find(':'), text.size());
      port = text.substr(colon);
      address.host = text.substr(0, colon);
    }
    if (!port.empty()) {
      const auto [end, problem] = std::from_chars(port.data() + 1, port.data() + port.size(), address.port);
      if (port[0] != ':' || problem != std::errc() || end != port.data() + port.size()) failAddress(*given);
    }
    const bool odd = address.host.find_first_of(" /@?#") != std::string::npos;
    if (address.host.empty() || odd || address.port < 1 || address.port > 65535) failAddress(*given);
  }
  if (address.port == 0) {
    throw Error(
        ErrorKind::kUser,
        "rest.port = 0 takes any free port, so it does not tell where the cluster is: give -m HOST:PORT");
  }
  return address;
}

RestCalls::RestCalls(const Env& env, const Configuration& configuration,
                     const std::optional<std::string>& address)
    : env_(env), timeout_(configuration.get(kClientTimeout)), client_([&] {
        const ClusterAddress at = clusterAddress(configuration, address);
        return HttpClient(env, at.host, at.port, clientOptions(timeout_));
      }()) {}

HttpClient::Answer RestCalls::ask(const std::string& method, const std::string& path,
                                  const std::string& body) const {
  HttpClient::Answer answer;
  try {
    answer = client_.request({.method = method,
                              .path = "/v1" + path,
                              .contentType = body.empty() ? "" : "application/json",
                              .body = body});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kTransient) throw;
    throw Error(ErrorKind::kTransient,
                std::string(error.what()) +
                    ". Start a cluster with `flott cluster start`, or a program with "
                    "-D flott.web-ui.enabled=true, or name another address by -m HOST:PORT");
  }
  if (!answer.ok()) {
    const Json document = Json::parse(answer.body, nullptr, false);
    if (!document.is_object() || !document.contains("errors")) {
      throw Error(ErrorKind::kUser, "what answers at " + url() +
                                        " is no cluster, or one of another kind: it has status " +
                                        std::to_string(answer.status) + " for " + path);
    }
    const std::string text = answer.errorText();
    if (answer.status == 503) throw Error(ErrorKind::kTransient, text);  // for the moment
    throw Refused(text);
  }
  return answer;
}

namespace {

/// `read` gets the document; what it does not find makes the whole answer one that is none of ours.
template <typename Read>
auto fromDocument(const std::string& url, const HttpClient::Answer& answer, Read read) {
  try {
    return read(Json::parse(answer.body));
  } catch (const Json::exception& problem) {
    throw Error(ErrorKind::kUser,
                "what answers at " + url + " is no cluster, or one of another kind: " + problem.what());
  }
}

int64_t numberIn(const Json& object, const char* field, int64_t otherwise) {
  const auto found = object.find(field);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : otherwise;
}

std::string requestId(const std::string& url, const HttpClient::Answer& answer) {
  return fromDocument(url, answer,
                      [](const Json& document) { return document.at("request-id").get<std::string>(); });
}

}  // namespace

std::vector<JobLine> RestCalls::jobs() const {
  return fromDocument(url(), ask("GET", "/jobs/overview"), [](const Json& document) {
    std::vector<JobLine> lines;
    for (const Json& job : document.at("jobs")) {
      JobLine line{.id = job.at("jid").get<std::string>(),
                   .name = job.at("name").get<std::string>(),
                   .status = job.at("state").get<std::string>(),
                   .started = numberIn(job, "start-time", -1),
                   .ended = numberIn(job, "end-time", -1),
                   .duration = numberIn(job, "duration", -1)};
      if (const auto tasks = job.find("tasks"); tasks != job.end()) {
        line.tasks = numberIn(*tasks, "total", 0);
        line.tasksRunning = numberIn(*tasks, "running", 0);
      }
      lines.push_back(std::move(line));
    }
    return lines;
  });
}

JobLine RestCalls::findJob(const std::string& which) const {
  const std::vector<JobLine> all = jobs();
  const std::string digits = lowerCase(which);
  std::vector<const JobLine*> found;
  for (const JobLine& job : all) {
    if (job.id == digits) return job;
    if ((digits.size() >= 4 && isDigits(digits) && job.id.starts_with(digits)) || job.name == which)
      found.push_back(&job);
  }
  if (found.size() > 1)
    found.erase(
        std::remove_if(found.begin(), found.end(), [](const JobLine* job) { return job->hasEnded(); }),
        found.end());
  if (found.size() == 1) return *found.front();
  if (!found.empty()) {
    std::string ids;
    for (const JobLine* job : found) (ids += ids.empty() ? "" : ", ") += job->id;
    throw Refused("'" + which + "' may be several jobs: " + ids + ". Give the id of one");
  }
  std::vector<std::string_view> names;
  for (const JobLine& job : all) names.insert(names.end(), {job.id, job.name});
  const std::string_view nearest = nearestOf(which, names);
  throw Refused("there is no job '" + which + "' at " + url() +
                (nearest.empty() ? ": `flott list -a` shows those there are"
                                 : ": did you mean '" + std::string(nearest) + "'?"));
}

std::string RestCalls::status(const std::string& job) const {
  return fromDocument(url(), ask("GET", "/jobs/" + job + "/status"),
                      [](const Json& document) { return document.at("status").get<std::string>(); });
}

bool RestCalls::isOver(const std::string& job) const {
  return fromDocument(url(), ask("GET", "/jobs/" + job + "/execution-result"), [](const Json& document) {
    return document.at("status").at("id").get<std::string>() == "COMPLETED";
  });
}

void RestCalls::cancel(const std::string& job) const { ask("PATCH", "/jobs/" + job + "?mode=cancel"); }

std::string RestCalls::stop(const std::string& job, const SavepointOrder& order) const {
  Json body = Json::parse(orderBody(order, "targetDirectory"));
  body["drain"] = order.drain;
  return requestId(url(), ask("POST", "/jobs/" + job + "/stop", body.dump()));
}

std::string RestCalls::savepoint(const std::string& job, const SavepointOrder& order) const {
  Json body = Json::parse(orderBody(order, "target-directory"));
  body["cancel-job"] = false;
  return requestId(url(), ask("POST", "/jobs/" + job + "/savepoints", body.dump()));
}

std::string RestCalls::checkpoint(const std::string& job, bool full) const {
  const Json body{{"checkpointType", full ? "FULL" : "CONFIGURED"}};
  return requestId(url(), ask("POST", "/jobs/" + job + "/checkpoints", body.dump()));
}

std::string RestCalls::dispose(const std::string& savepoint) const {
  const Json body{{"savepoint-path", savepoint}};
  return requestId(url(), ask("POST", "/savepoint-disposal", body.dump()));
}

template <typename Look>
void RestCalls::waitUntil(const std::string& what, Look look) const {
  const auto parker = env_.threads.makeParker();
  const int64_t deadline = deadlineAfter(env_.clock, timeout_);
  int64_t silentUntil = kNoDeadline;
  for (Duration pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    try {
      if (look()) return;
      silentUntil = kNoDeadline;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kTransient) throw;
      if (silentUntil == kNoDeadline) silentUntil = deadlineAfter(env_.clock, kSilence);
      if (env_.clock.monotonicNanos() >= silentUntil) {
        throw Error(ErrorKind::kTransient,
                    what + " was asked for, but what has become of it cannot be told: " + error.message());
      }
    }
    if (env_.clock.monotonicNanos() >= deadline) {
      throw Error(ErrorKind::kTransient, what + " is not done after " + toString(timeout_) +
                                             "; it goes on. -D client.timeout=10min waits longer");
    }
    parker->park(std::min(deadline, deadlineAfter(env_.clock, pause)));
  }
}

std::string RestCalls::outcome(const std::string& what, const std::string& path) const {
  std::string operation = "null";
  waitUntil(what, [&] {
    return fromDocument(url(), ask("GET", path), [&](const Json& document) {
      if (document.at("status").at("id").get<std::string>() != "COMPLETED") return false;
      if (const auto found = document.find("operation"); found != document.end()) operation = found->dump();
      return true;
    });
  });
  if (const Json document = Json::parse(operation); document.is_object()) {
    if (const std::string cause = causeOf(document); !cause.empty()) throw Refused(cause);
  }
  return operation;
}

std::string RestCalls::waitForSavepoint(const std::string& job, const std::string& trigger) const {
  const std::string operation =
      outcome("the savepoint of job " + job, "/jobs/" + job + "/savepoints/" + urlEncoded(trigger));
  return fromDocument(url(), {.body = operation},
                      [](const Json& document) { return document.at("location").get<std::string>(); });
}

int64_t RestCalls::waitForCheckpoint(const std::string& job, const std::string& trigger) const {
  const std::string operation =
      outcome("the checkpoint of job " + job, "/jobs/" + job + "/checkpoints/" + urlEncoded(trigger));
  return fromDocument(url(), {.body = operation},
                      [](const Json& document) { return document.at("checkpointId").get<int64_t>(); });
}

void RestCalls::waitForDisposal(const std::string& trigger) const {
  outcome("the disposal of the savepoint", "/savepoint-disposal/" + urlEncoded(trigger));
}

std::string RestCalls::waitForEnd(const std::string& job) const {
  std::string now;
  waitUntil("the end of job " + job, [&] {
    now = status(job);
    return JobLine{.status = now}.hasEnded();
  });
  return now;
}

}  // namespace flott::app
