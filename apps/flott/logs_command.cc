// `flott logs`: what the processes of a cluster, and of a job, have written.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/env/clock.h"
#include "rest_calls.h"

namespace flott::app {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kBlock = 1 << 20;  // bytes of one request
constexpr Duration kBetweenLooks = Duration::millis(500);

constexpr OptionHelp kLogsOptions[] = {
    {"--taskmanager", "ID", "of this TaskManager: its id, or the beginning of it", "-tm"},
    {"--file", "NAME", "only the log of this name"},
    {"--list", "", "only their names, sizes and times", "-l"},
    {"--lines", "N", "only the last N lines of each", "-n"},
    {"--follow", "", "go on with what is written from now on; of a job until it has ended", "-f"},
    {"--json", "", "with --list: as JSON"},
    kJobManagerOption,
};

int printLogsHelp(const std::string& name) {
  print(
      "Usage: " + name +
      " [OPTION]... [JOB]\n\n"
      "Prints the log of the JobManager, or of a TaskManager; with JOB all logs of the processes of this "
      "job,\n"
      "of its master and of its workers on all TaskManagers. JOB is an id, its first digits, or a name.\n\n" +
      optionLines(kLogsOptions) + "\n  " + name + " -f orders\n  " + name + " --taskmanager tm-1 -n 100\n  " +
      name + " --list\n");
  return kDone;
}

/// Where logs lie: "/jobmanager" or "/taskmanagers/<id>".
struct Owner {
  std::string path;
  std::string name;  // for people: "jobmanager", "taskmanager tm-1"
};

struct LogFile {
  Owner owner;
  std::string name;
  uint64_t size = 0;
  int64_t modified = 0;  // milliseconds since the epoch

  std::string path() const { return owner.path + "/logs/" + urlEncoded(name); }
};

Json documentOf(const RestCalls& cluster, const std::string& path) {
  Json json = Json::parse(cluster.ask("GET", path).body, nullptr, false);
  if (json.is_object()) return json;
  throw Error(ErrorKind::kUser,
              "what answers at " + cluster.url() + " is no cluster, or one of another kind");
}

std::vector<std::string> taskManagers(const RestCalls& cluster) {
  std::vector<std::string> ids;
  const Json document = documentOf(cluster, "/taskmanagers");
  if (const auto list = document.find("taskmanagers"); list != document.end() && list->is_array()) {
    for (const Json& each : *list)
      if (each.is_object()) ids.push_back(each.value("id", std::string()));
  }
  return ids;
}

Owner taskManager(const std::string& id) { return {"/taskmanagers/" + urlEncoded(id), "taskmanager " + id}; }

Owner taskManagerNamed(const RestCalls& cluster, const std::string& which) {
  const std::vector<std::string> ids = taskManagers(cluster);
  std::vector<std::string> found;
  for (const std::string& id : ids) {
    if (id == which) return taskManager(id);
    if (id.starts_with(which)) found.push_back(id);
  }
  if (found.size() == 1) return taskManager(found.front());
  const std::vector<std::string_view> known(ids.begin(), ids.end());
  const std::string_view nearest = nearestOf(which, known);
  std::string why = found.empty() ? "there is no TaskManager '" + which + "'"
                                  : "'" + which + "' may be several TaskManagers";
  if (!nearest.empty()) {
    why += ": did you mean '" + std::string(nearest) + "'?";
  } else {
    for (size_t i = 0; i < ids.size(); ++i) why += (i == 0 ? ": there are " : ", ") + ids[i];
  }
  throw Refused(why);
}

std::vector<LogFile> logsOf(const RestCalls& cluster, const Owner& owner) {
  std::vector<LogFile> files;
  const Json document = documentOf(cluster, owner.path + "/logs");
  if (const auto list = document.find("logs"); list != document.end() && list->is_array()) {
    for (const Json& each : *list) {
      if (!each.is_object()) continue;
      files.push_back({.owner = owner,
                       .name = each.value("name", std::string()),
                       .size = each.value("size", uint64_t{0}),
                       .modified = each.value("mtime", int64_t{0})});
    }
  }
  return files;
}

/// Which logs are wanted, looked up anew each time: a job gets workers while it runs.
class Choice {
 public:
  Choice(const RestCalls& cluster, const Arguments& given)
      : cluster_(cluster), file_(given.find("--file")), all_(given.has("--list")) {
    if (!given.positional.empty()) job_ = cluster.findJob(given.positional.front()).id;
    if (const auto which = given.find("--taskmanager")) only_ = taskManagerNamed(cluster, *which);
  }

  const std::optional<std::string>& job() const { return job_; }

  /// That of one process, without a look at its folder; nothing when several may be wanted.
  std::optional<std::string> onlyPath() const {
    if (job_ || file_ || all_) return std::nullopt;
    return (only_ ? only_->path : "/jobmanager") + "/log";
  }

  std::vector<LogFile> look() const {
    std::vector<Owner> owners;
    if (only_) {
      owners = {*only_};
    } else {
      owners = {{"/jobmanager", "jobmanager"}};
      if (job_ || all_ || file_)
        for (const std::string& id : taskManagers(cluster_)) owners.push_back(taskManager(id));
    }
    std::vector<LogFile> files;
    for (const Owner& owner : owners) {
      for (LogFile& file : logsOf(cluster_, owner)) {
        if (file_ && file.name != *file_) continue;
        if (job_ && file.name.find(*job_) == std::string::npos) continue;
        files.push_back(std::move(file));
      }
    }
    return files;
  }

  /// For those that there must be.
  [[noreturn]] void failEmpty() const {
    std::string what = file_ ? "no log '" + *file_ + "'" : "no log";
    if (job_) what += " of job " + *job_;
    if (only_) what += " at " + only_->name;
    throw Refused("there is " + what + ": `flott logs --list` shows those there are");
  }

 private:
  const RestCalls& cluster_;
  const std::optional<std::string> file_;
  const bool all_;
  std::optional<std::string> job_;
  std::optional<Owner> only_;
};

/// Prints logs, and remembers how far.
class Printing {
 public:
  Printing(const RestCalls& cluster, std::optional<uint64_t> lines) : cluster_(cluster), lines_(lines) {}

  /// All that is new in it. `title` stands before what is of another log than the last; `size` is asked for
  /// where it is not known.
  void go(const std::string& path, const std::string& title, std::optional<uint64_t> size = {}) {
    const auto [at, isNew] = offsets_.try_emplace(path, 0);
    if (isNew && lines_) at->second = beginOfLast(path, size ? *size : sizeOf(path), *lines_);
    for (;;) {
      const std::string text = read(path, at->second, kBlock);
      // A log that was full begins anew.
      if (text.empty() && at->second > 0 && read(path, at->second - 1, 1).empty()) {
        at->second = 0;
        continue;
      }
      if (!text.empty() && last_ != path) {
        if (!title.empty()) print((last_.empty() ? "==> " : "\n==> ") + title + " <==\n");
        last_ = path;
      }
      print(text);
      at->second += text.size();
      if (text.size() < kBlock) return;
    }
  }

 private:
  std::string read(const std::string& path, uint64_t offset, uint64_t length) const {
    return cluster_
        .ask("GET", path + "?offset=" + std::to_string(offset) + "&length=" + std::to_string(length))
        .body;
  }

  uint64_t sizeOf(const std::string& path) const {
    // By halves: how long it is nobody tells of a log alone.
    uint64_t low = 0;
    uint64_t high = 1;
    while (!read(path, high - 1, 1).empty()) {
      low = high;
      high *= 2;
    }
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      if (read(path, middle, 1).empty()) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  uint64_t beginOfLast(const std::string& path, uint64_t end, uint64_t lines) const {
    uint64_t begin = end;
    uint64_t seen = 0;
    while (begin > 0) {
      const uint64_t length = std::min<uint64_t>(begin, 64 << 10);
      const std::string text = read(path, begin - length, length);
      for (size_t i = text.size(); i > 0; --i) {
        // The one at the very end ends the last line.
        if (text[i - 1] != '\n' || begin - length + i == end) continue;
        if (++seen == lines) return begin - length + i;
      }
      begin -= length;
    }
    return lines == 0 ? end : 0;
  }

  const RestCalls& cluster_;
  const std::optional<uint64_t> lines_;
  std::map<std::string, uint64_t> offsets_;
  std::string last_;
};

void printList(const std::vector<LogFile>& files, bool json) {
  if (json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const LogFile& file : files) {
      list.push_back(
          {{"process", file.owner.name}, {"name", file.name}, {"size", file.size}, {"mtime", file.modified}});
    }
    print(list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return;
  }
  size_t width = 0;
  for (const LogFile& file : files) width = std::max(width, file.name.size());
  std::string owner;
  for (const LogFile& file : files) {
    if (file.owner.name != owner) print(file.owner.name + "\n");
    owner = file.owner.name;
    std::string size = std::to_string(file.size);
    size.insert(0, size.size() < 12 ? 12 - size.size() : 0, ' ');
    print("  " + file.name + std::string(width - file.name.size() + 2, ' ') + size + "  " +
          toString(Timestamp(file.modified)) + "\n");
  }
}

int runLogs(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kLogsOptions, words);
  if (given.has("--help")) return printLogsHelp(name);
  if (given.positional.size() > 1)
    throw Error(ErrorKind::kUser,
                name + " takes one JOB at most, not '" + given.positional[1] + "' beside it");
  const std::optional<uint64_t> lines = given.findNumber("--lines");
  const RestCalls cluster(env, configurationOf(env, given), given.find("--jobmanager"));
  const Choice choice(cluster, given);
  if (given.has("--list")) {
    printList(choice.look(), given.has("--json"));
    return kDone;
  }
  const bool follows = given.has("--follow");
  Printing printing(cluster, lines);
  const auto parker = env.threads.makeParker();
  for (bool first = true;; first = false) {
    // Asked before the last look, so that this one finds all that a job has written.
    const bool ended = follows && choice.job() && cluster.isOver(*choice.job());
    if (const auto only = choice.onlyPath()) {
      printing.go(*only, "");
    } else {
      const std::vector<LogFile> files = choice.look();
      if (first && files.empty() && !follows) choice.failEmpty();
      for (const LogFile& file : files)
        printing.go(file.path(), files.size() > 1 || !first ? file.owner.name + ": " + file.name : "",
                    file.size);
    }
    if (!follows || ended) return kDone;
    parker->park(deadlineAfter(env.clock, kBetweenLooks));
  }
}

}  // namespace

Command logsCommand() {
  return {.name = "logs",
          .summary = "print the logs of a cluster, or of a job",
          .run = runLogs,
          .options = kLogsOptions,
          .operand = Operand::kJob};
}

}  // namespace flott::app
