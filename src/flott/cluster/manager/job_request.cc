#include "flott/cluster/manager/job_request.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "flott/base/error.h"
#include "flott/rest/json_body.h"
#include "flott/rest/refusal.h"

namespace flott {
namespace {

template <typename T>
std::optional<T> field(const nlohmann::json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  try {
    return found->get<T>();
  } catch (const nlohmann::json::exception&) {
    throw Refusal{400, "the field '" + std::string(name) + "' of the body has a value of another type"};
  }
}

}  // namespace

JobRequest jobRequestOf(const RestRequest& request, const std::string& program) {
  const nlohmann::json body = jsonBody(request.body);
  JobRequest job{.program = program};
  if (const auto id = field<std::string>(body, "jobId"))
    throw Refusal{400, "the field 'jobId' of the body cannot be chosen: leave it out"};
  if (auto list = field<std::vector<std::string>>(body, "programArgsList")) {
    job.arguments = *std::move(list);
  } else if (const auto line = field<std::string>(body, "programArgs")) {
    job.arguments = wordsOf(*line);
  } else {
    const auto [from, to] = request.query.equal_range("programArg");
    for (auto at = from; at != to; ++at) job.arguments.push_back(at->second);
    if (const auto words = request.parameter("program-args")) job.arguments = wordsOf(*words);
  }
  if (auto options = field<std::map<std::string, std::string>>(body, "flinkConfiguration"))
    job.options = *std::move(options);
  const auto given = body.find("parallelism");
  if (given != body.end() && !given->is_null() && !given->is_number_integer())
    throw Refusal{400, "the field 'parallelism' of the body is no whole number"};
  if (const auto parallelism = field<int64_t>(body, "parallelism"))
    job.options["parallelism.default"] = std::to_string(*parallelism);
  else if (const auto text = request.parameter("parallelism"))
    job.options["parallelism.default"] = *text;
  std::optional<std::string> savepoint = field<std::string>(body, "savepointPath");
  if (!savepoint) savepoint = request.parameter("savepointPath");
  if (savepoint && !savepoint->empty()) job.options["execution.state-recovery.path"] = *savepoint;
  const auto allowed = field<bool>(body, "allowNonRestoredState");
  if (allowed.value_or(request.parameter("allowNonRestoredState") == "true"))
    job.options["execution.state-recovery.ignore-unclaimed-state"] = "true";
  if (const auto mode = field<std::string>(body, "claimMode"))
    job.options["execution.state-recovery.claim-mode"] = *mode;
  return job;
}

std::vector<std::string> wordsOf(std::string_view line) {
  std::vector<std::string> words;
  bool inWord = false;
  char quote = 0;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        words.back() += c;
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\n') {
      inWord = false;
      continue;
    }
    if (!std::exchange(inWord, true)) words.emplace_back();
    if (c == '\'' || c == '"')
      quote = c;
    else
      words.back() += c;
  }
  if (quote != 0)
    throw Error(ErrorKind::kUser, std::string("the arguments have a quote ") + quote + " without an end");
  return words;
}

}  // namespace flott
