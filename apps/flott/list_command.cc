// `flott list`: the jobs of a cluster.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "rest_calls.h"

namespace flott::app {
namespace {

constexpr OptionHelp kListOptions[] = {
    {"--running", "", "only jobs that run, or are about to run again", "-r"},
    {"--scheduled", "", "only jobs that have not begun to run", "-s"},
    {"--all", "", "also jobs that have ended", "-a"},
    {"--quiet", "", "only their ids, a line each", "-q"},
    {"--json", "", "as JSON"},
    kJobManagerOption,
};

int printListHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]...\n\nLists the jobs of a cluster that have not ended, the newest first. Exit code 0 also "
        "when "
        "there is none.\n\n" +
        optionLines(kListOptions) + "\n  " + name + " -a -m jobs.example.org:8081\n  " + name +
        " --json -a | jq '.jobs[] | select(.state == \"FAILED\")'\n");
  return kDone;
}

/// "1 d 2 h", "3 min 4 s", "5 s", "600 ms": two units at most.
std::string shortDuration(int64_t ms) {
  if (ms < 0) return "-";
  if (ms < 1000) return std::to_string(ms) + " ms";
  struct Unit {
    int64_t ms;
    const char* name;
  };
  constexpr Unit kUnits[] = {{86'400'000, " d"}, {3'600'000, " h"}, {60'000, " min"}, {1000, " s"}};
  for (size_t i = 0; i < std::size(kUnits); ++i) {
    if (ms < kUnits[i].ms) continue;
    std::string text = std::to_string(ms / kUnits[i].ms) + kUnits[i].name;
    if (i + 1 < std::size(kUnits)) {
      const int64_t rest = ms % kUnits[i].ms / kUnits[i + 1].ms;
      if (rest > 0) text += " " + std::to_string(rest) + kUnits[i + 1].name;
    }
    return text;
  }
  return "";
}

/// Names come from programs: nothing in them moves the cursor.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::string startOf(const JobLine& job) {
  if (job.started < 0) return "-";
  std::string text = toString(Timestamp(job.started));  // 2026-01-31T12:00:00.000Z
  text.resize(19);
  text[10] = ' ';
  return text;
}

std::string tableOf(const std::vector<JobLine>& jobs) {
  std::vector<std::vector<std::string>> rows = {
      {"JOB", "STATUS", "STARTED (UTC)", "DURATION", "TASKS", "NAME"}};
  for (const JobLine& job : jobs) {
    rows.push_back({job.id, job.status, startOf(job), shortDuration(job.duration),
                    std::to_string(job.tasksRunning) + "/" + std::to_string(job.tasks), printable(job.name)});
  }
  std::string text;
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      text += i + 1 == row.size() ? row[i] + "\n" : row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
  }
  return text;
}

std::string jsonOf(const std::vector<JobLine>& jobs) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const JobLine& job : jobs) {
    list.push_back({{"jid", job.id},
                    {"name", job.name},
                    {"state", job.status},
                    {"start-time", job.started},
                    {"end-time", job.ended},
                    {"duration", job.duration},
                    {"tasks", {{"total", job.tasks}, {"running", job.tasksRunning}}}});
  }
  return Json({{"jobs", std::move(list)}}).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int runList(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kListOptions, words);
  if (given.has("--help")) return printListHelp(name);
  if (!given.positional.empty())
    throw Error(ErrorKind::kUser, name + " takes options only, not '" + given.positional.front() + "'");
  const RestCalls cluster(env, configurationOf(env, given), given.find("--jobmanager"));
  const bool running = given.has("--running");
  const bool scheduled = given.has("--scheduled");
  const bool all = given.has("--all");
  std::vector<JobLine> jobs;
  for (JobLine& job : cluster.jobs()) {
    const bool wanted = all                    ? true
                        : job.hasEnded()       ? false
                        : running == scheduled ? true
                                               : scheduled == job.isScheduled();
    if (wanted) jobs.push_back(std::move(job));
  }
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const JobLine& a, const JobLine& b) { return a.started > b.started; });
  if (given.has("--json")) {
    print(jsonOf(jobs));
  } else if (given.has("--quiet")) {
    std::string ids;
    for (const JobLine& job : jobs) ids += job.id + "\n";
    print(ids);
  } else if (jobs.empty()) {
    print("no jobs at " + cluster.url() + (all ? "\n" : ": -a lists those that have ended as well\n"));
  } else {
    print(tableOf(jobs));
  }
  return kDone;
}

}  // namespace

Command listCommand() {
  return {.name = "list", .summary = "list the jobs of a cluster", .run = runList, .options = kListOptions};
}

}  // namespace flott::app
