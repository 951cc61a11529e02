// `flott cancel`, `stop`, `savepoint` and `checkpoint`: what can be asked of a job that runs.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "rest_calls.h"

namespace flott::app {
namespace {

constexpr OptionHelp kJsonOption{"--json", "", "what has come of it as JSON"};
constexpr OptionHelp kTypeOption{"--type", "TYPE", "canonical or native: the format of the savepoint",
                                 "-type"};
constexpr OptionHelp kDetachedOption{"--detached", "", "do not wait; print the id of the request instead",
                                     "-detached"};

constexpr const char* kJobHelp =
    "JOB is the id of a job, the first digits of it (four at least), or its name.\n"
    "Exit code 0: it is done; 1: the cluster or the job has refused it, or it has failed; 2: an error in "
    "the\n"
    "words, or no answer.\n\n";

int printHelp(const std::string& usage, const std::string& text, std::span<const OptionHelp> options,
              const std::string& example) {
  print("Usage: " + usage + "\n\n" + text + "\n" + kJobHelp + optionLines(options) + "\n" + example);
  return kDone;
}

/// The words that are no options: JOB, and `most` - 1 others.
const std::string& onlyJob(const Arguments& given, const std::string& name, size_t most = 1) {
  if (given.positional.empty()) throw Error(ErrorKind::kUser, name + " takes a JOB: `flott list` shows them");
  if (given.positional.size() > most) {
    throw Error(ErrorKind::kUser, name + " does not take '" + given.positional[most] + "' beside " +
                                      given.positional.front() + ": see " + name + " --help");
  }
  return given.positional.front();
}

std::optional<std::string> typeOf(const Arguments& given) {
  const std::optional<std::string> type = given.find("--type");
  if (!type) return std::nullopt;
  std::string upper = *type;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  constexpr std::string_view kTypes[] = {"CANONICAL", "NATIVE"};
  if (std::find(std::begin(kTypes), std::end(kTypes), upper) == std::end(kTypes))
    throw Error(ErrorKind::kUser,
                "'" + *type + "' is no type of a savepoint: there are canonical and native");
  return upper;
}

/// Says what has come of it: a sentence, or an object.
int report(const Arguments& given, const std::string& sentence,
           const std::vector<std::pair<std::string, nlohmann::ordered_json>>& fields) {
  if (!given.has("--json")) {
    print(sentence + "\n");
    return kDone;
  }
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [field, value] : fields) object[field] = value;
  print(object.dump() + "\n");
  return kDone;
}

RestCalls clusterOf(const Env& env, const Arguments& given) {
  return {env, configurationOf(env, given), given.find("--jobmanager")};
}

// --- cancel ---

constexpr OptionHelp kCancelOptions[] = {
    {"--wait", "", "until the job has ended", "-w"},
    kJsonOption,
    kJobManagerOption,
};

int cancel(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kCancelOptions, words);
  if (given.has("--help")) {
    return printHelp(
        name + " [OPTION]... JOB",
        "Cancels a job, without a savepoint. A job that has been cancelled already is no error.\n",
        kCancelOptions, "  " + name + " 5f2c01\n  " + name + " --wait orders\n");
  }
  const std::string& which = onlyJob(given, name);
  const RestCalls cluster = clusterOf(env, given);
  const JobLine job = cluster.findJob(which);
  cluster.cancel(job.id);
  if (!given.has("--wait")) {
    return report(given, "job " + job.id + " is being cancelled",
                  {{"job", job.id}, {"status", "CANCELLING"}});
  }
  const std::string status = cluster.waitForEnd(job.id);
  return report(given, "job " + job.id + " is " + status, {{"job", job.id}, {"status", status}});
}

// --- stop ---

constexpr OptionHelp kStopOptions[] = {
    {"--savepoint-path", "DIR", "where to put the savepoint; execution.checkpointing.savepoint-dir otherwise",
     "-p"},
    {"--drain", "", "fire all timers and windows first: the job cannot go on from this savepoint", "-d"},
    kTypeOption,
    kDetachedOption,
    kJsonOption,
    kJobManagerOption,
};

int stop(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kStopOptions, words);
  if (given.has("--help")) {
    return printHelp(
        name + " [OPTION]... JOB",
        "Stops a job with a savepoint, from which it can go on later, and prints where that is.\n",
        kStopOptions, "  " + name + " -p /savepoints 5f2c01\n  " + name + " --drain orders\n");
  }
  const std::string& which = onlyJob(given, name);
  const std::optional<std::string> type = typeOf(given);
  const RestCalls cluster = clusterOf(env, given);
  const JobLine job = cluster.findJob(which);
  const std::string trigger = cluster.stop(
      job.id, {.folder = given.find("--savepoint-path"), .type = type, .drain = given.has("--drain")});
  if (given.has("--detached"))
    return report(given, "request " + trigger, {{"job", job.id}, {"request-id", trigger}});
  const std::string savepoint = cluster.waitForSavepoint(job.id, trigger);
  return report(given, "job " + job.id + " has stopped with savepoint " + savepoint,
                {{"job", job.id}, {"savepoint", savepoint}});
}

// --- savepoint ---

constexpr OptionHelp kSavepointOptions[] = {
    {"--dispose", "PATH", "remove this savepoint instead", "-d"},
    kTypeOption,
    kDetachedOption,
    kJsonOption,
    kJobManagerOption,
};

int savepoint(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kSavepointOptions, words);
  if (given.has("--help")) {
    return printHelp(
        name + " [OPTION]... JOB [DIR]\n       " + name + " [OPTION]... -d PATH",
        "Takes a savepoint of a job, which goes on, and prints where it is: in a folder of its own in\n"
        "DIR, else in execution.checkpointing.savepoint-dir. With -d it removes one; `flott state rm`\n"
        "does so without a cluster.\n",
        kSavepointOptions,
        "  " + name + " 5f2c01 s3://bucket/savepoints\n  " + name +
            " -d s3://bucket/savepoints/savepoint-5f2c01-9e3e704f94d6\n");
  }
  if (const auto gone = given.find("--dispose")) {
    if (!given.positional.empty())
      throw Error(ErrorKind::kUser, name + " -d takes no JOB, only the PATH behind -d");
    const RestCalls cluster = clusterOf(env, given);
    cluster.waitForDisposal(cluster.dispose(*gone));
    return report(given, "removed savepoint " + *gone, {{"savepoint", *gone}});
  }
  const std::string& which = onlyJob(given, name, 2);
  const std::optional<std::string> type = typeOf(given);
  const RestCalls cluster = clusterOf(env, given);
  const JobLine job = cluster.findJob(which);
  SavepointOrder order{.type = type};
  if (given.positional.size() > 1) order.folder = given.positional[1];
  const std::string trigger = cluster.savepoint(job.id, order);
  if (given.has("--detached"))
    return report(given, "request " + trigger, {{"job", job.id}, {"request-id", trigger}});
  const std::string path = cluster.waitForSavepoint(job.id, trigger);
  return report(given, "savepoint of job " + job.id + " is complete: " + path,
                {{"job", job.id}, {"savepoint", path}});
}

// --- checkpoint ---

constexpr OptionHelp kCheckpointOptions[] = {
    {"--full", "", "of all state, though checkpoints of the job are incremental", "-full"},
    kDetachedOption,
    kJsonOption,
    kJobManagerOption,
};

int checkpoint(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kCheckpointOptions, words);
  if (given.has("--help")) {
    return printHelp(name + " [OPTION]... JOB",
                     "Takes a checkpoint of a job now, as it does at its intervals, and prints its number.\n",
                     kCheckpointOptions,
                     "  " + name + " 5f2c01\n  " + name + " --json orders | jq .checkpoint\n");
  }
  const std::string& which = onlyJob(given, name);
  const RestCalls cluster = clusterOf(env, given);
  const JobLine job = cluster.findJob(which);
  const std::string trigger = cluster.checkpoint(job.id, given.has("--full"));
  if (given.has("--detached"))
    return report(given, "request " + trigger, {{"job", job.id}, {"request-id", trigger}});
  const int64_t number = cluster.waitForCheckpoint(job.id, trigger);
  return report(given, "checkpoint " + std::to_string(number) + " of job " + job.id + " is complete",
                {{"job", job.id}, {"checkpoint", number}});
}

}  // namespace

Command cancelCommand() {
  return {.name = "cancel",
          .summary = "cancel a job",
          .run = cancel,
          .options = kCancelOptions,
          .operand = Operand::kJob};
}

Command stopCommand() {
  return {.name = "stop",
          .summary = "stop a job with a savepoint",
          .run = stop,
          .options = kStopOptions,
          .operand = Operand::kJob};
}

Command savepointCommand() {
  return {.name = "savepoint",
          .summary = "take a savepoint of a job, or remove one",
          .run = savepoint,
          .options = kSavepointOptions,
          .operand = Operand::kJob};
}

Command checkpointCommand() {
  return {.name = "checkpoint",
          .summary = "take a checkpoint of a job",
          .run = checkpoint,
          .options = kCheckpointOptions,
          .operand = Operand::kJob};
}

}  // namespace flott::app
