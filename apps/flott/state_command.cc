// `flott state`: its options and help; the work is done in the room `savepoints`.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/savepoints/comparison.h"
#include "flott/savepoints/disposal.h"
#include "flott/savepoints/operator_states.h"
#include "flott/savepoints/state_rows.h"
#include "flott/savepoints/summary.h"

namespace flott::app {
namespace {

constexpr const char* kPathHelp =
    "\nPATH is the folder of a completed checkpoint or savepoint, also as a URI (s3://…).\n";

int printHelp(const std::string& usage, const std::string& text, std::span<const OptionHelp> options,
              const std::string& example) {
  print("Usage: " + usage + "\n\n" + text + "\n" + optionLines(options) + kPathHelp + "\n" + example);
  return kDone;
}

void expectPaths(const Arguments& given, size_t count, const std::string& name) {
  if (given.positional.size() == count) return;
  throw Error(ErrorKind::kUser, name + " takes " + (count == 1 ? "one PATH" : "two PATHs") +
                                    " and was given " + std::to_string(given.positional.size()) + ": see " +
                                    name + " --help");
}

std::unique_ptr<CheckpointFiles> openCheckpoint(const Env& env, const Arguments& given,
                                                const std::string& path) {
  return std::make_unique<CheckpointFiles>(env, storeOptions(configurationOf(env, given)), path);
}

// --- ls ---

constexpr OptionHelp kListOptions[] = {{"--json", "", "as JSON"}};

int list(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kListOptions, words);
  if (given.has("--help")) {
    return printHelp(
        name + " PATH [--json]",
        "Lists the operators of a checkpoint and their states. All files are read and checked.\n",
        kListOptions,
        "  " + name + " /tmp/count/chk-7\n  " + name +
            " s3://bucket/checkpoints/5f2c/chk-41 --json | jq '.operators[].name'\n");
  }
  expectPaths(given, 1, name);
  const auto files = openCheckpoint(env, given, given.positional[0]);
  const CheckpointSummary summary = summarize(*files);
  print(given.has("--json") ? toJson(summary) : toText(summary));
  return kDone;
}

// --- cat ---

constexpr OptionHelp kCatOptions[] = {
    {"--operator", "WHICH", "an operator's name, uid or id; may be left out where there is only one"},
    {"--state", "NAME", "one of its states; without it all, which only --format json can"},
    {"--key", "K", "only the entries of this key: as in JSON, a text also without quotes"},
    {"--limit", "N", "at most so many entries of each state"},
    {"--format", "FORMAT", "json (the default: an object a line), csv or parquet"},
    {"--output", "FILE", "in place of standard output"},
};

/// Standard output, or a file that appears when all is in it.
class Target {
 public:
  Target(const Env& env, const std::optional<std::string>& path, bool binary) {
    if (!path) {
      if (binary && env.console.isTerminal()) {
        throw Error(ErrorKind::kUser,
                    "Parquet is nothing for a terminal: give --output FILE, or redirect standard output");
      }
      output_ = ByteOutput([](std::string_view bytes) { print(bytes); });
      return;
    }
    writer_ = env.files.create(*path, WriteMode::kCreate);
    output_ = ByteOutput([this](std::string_view bytes) { writer_->write(bytes); });
  }
  ByteOutput& output() { return output_; }
  void close() {
    if (writer_ != nullptr) writer_->close();
  }

 private:
  std::unique_ptr<FileWriter> writer_;
  ByteOutput output_;
};

std::unique_ptr<RowFormat> formatOf(const std::string& format, const StateRowType& type, ByteOutput& output) {
  if (format == "csv") return csvRows(type, output);
  if (format == "parquet") return parquetRows(type, output);
  return jsonRows(type, output);
}

void printRows(RowSource& rows, RowFormat& format, const Arguments& given) {
  const std::optional<std::string> key = given.find("--key");
  const uint64_t limit = given.findNumber("--limit").value_or(UINT64_MAX);
  if (key) rows.expectKey(*key);
  uint64_t printed = 0;
  for (StateRow row; printed < limit && rows.next(row);) {
    if (key && !isKey(rows.type(), row.key, *key)) continue;
    format.row(row);
    ++printed;
  }
  format.end();
}

const OperatorSnapshot& chosenOperator(const CheckpointMetadata& checkpoint, const Arguments& given) {
  if (const auto which = given.find("--operator")) return findOperator(checkpoint, *which);
  const OperatorSnapshot* only = nullptr;
  std::string all;
  for (const OperatorSnapshot& op : checkpoint.operators) {
    if (!op.hasState()) continue;
    only = &op;
    (all += all.empty() ? "" : ", ") += "'" + (op.uid.empty() ? op.name : op.uid) + "'";
  }
  if (only == nullptr) throw Error(ErrorKind::kUser, "no operator of the checkpoint has state");
  if (all.find(", ") == std::string::npos) return *only;
  throw Error(ErrorKind::kUser, "several operators have state: choose one with --operator: " + all);
}

std::string formatName(const Arguments& given) {
  std::string format = given.find("--format").value_or("json");
  constexpr std::string_view kFormats[] = {"json", "csv", "parquet"};
  for (const std::string_view known : kFormats) {
    if (format == known) return format;
  }
  const std::string_view nearest = nearestOf(format, kFormats);
  throw Error(ErrorKind::kUser, "unknown format '" + format + "'" +
                                    (nearest.empty() ? ": there are json, csv and parquet"
                                                     : ": did you mean '" + std::string(nearest) + "'?"));
}

int cat(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kCatOptions, words);
  if (given.has("--help")) {
    return printHelp(
        name + " PATH [--operator WHICH] [--state NAME] …",
        "Prints the entries of an operator's states, in the order of their key hash.\n", kCatOptions,
        "  " + name + " /tmp/count/chk-7 --operator word-count --state count --key to\n  " + name +
            " /tmp/count/chk-7 --operator word-count --state count --format csv | head\n");
  }
  expectPaths(given, 1, name);
  const std::string format = formatName(given);
  const auto files = openCheckpoint(env, given, given.positional[0]);
  OperatorStates states(*files, chosenOperator(files->metadata(), given));
  std::vector<std::string> wanted = states.names();
  if (const auto one = given.find("--state")) wanted = {*one};
  if (format != "json" && wanted.size() != 1) {
    std::string all;
    for (const std::string& each : wanted) (all += all.empty() ? "" : ", ") += "'" + each + "'";
    throw Error(ErrorKind::kUser, "a " + format + " file is of one state: choose one with --state: " + all);
  }
  bool allPrinted = true;
  std::vector<std::unique_ptr<RowSource>> sources;
  for (const std::string& state : wanted) {
    try {
      for (auto& rows : states.rows(state)) sources.push_back(std::move(rows));
    } catch (const Error& error) {  // others can be looked at
      if (error.kind() != ErrorKind::kUser || wanted.size() == 1) throw;
      env.console.err(std::string("flott: ") + error.what() + "\n");
      allPrinted = false;
    }
  }
  if (format != "json" && sources.size() > 1) {
    throw Error(ErrorKind::kUser, "state '" + wanted[0] +
                                      "' has entries of several types, since its type has "
                                      "changed: print it with --format json");
  }
  Target target(env, given.find("--output"), format == "parquet");
  for (const auto& rows : sources) {
    const auto formatted = formatOf(format, rows->type(), target.output());
    printRows(*rows, *formatted, given);
  }
  target.close();
  return allPrinted ? kDone : kError;
}

// --- diff ---

constexpr OptionHelp kDiffOptions[] = {
    {"--operator", "WHICH", "only this operator: its name, uid or id"},
    {"--summary", "", "only how many entries differ"},
};

int diff(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kDiffOptions, words);
  if (given.has("--help")) {
    return printHelp(
        name + " PATH PATH [--operator WHICH] [--summary]",
        "Compares two checkpoints, whatever their parallelism. Exit code 0: they hold the same; 1: "
        "they\ndiffer; 2: an error.\n",
        kDiffOptions, "  " + name + " /tmp/count/chk-7 /tmp/count/chk-8 --summary\n");
  }
  expectPaths(given, 2, name);
  const auto before = openCheckpoint(env, given, given.positional[0]);
  const auto after = openCheckpoint(env, given, given.positional[1]);
  ByteOutput output([](std::string_view text) { print(text); });
  const ComparisonOptions options{.op = given.find("--operator").value_or(""),
                                  .summary = given.has("--summary")};
  return compareCheckpoints(*before, *after, options, output) ? kSame : kDiffers;
}

// --- rm ---

int removeSavepoint(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments({}, words);
  if (given.has("--help")) {
    return printHelp(
        name + " PATH",
        "Removes a savepoint: the files that its metadata names, and its folder. Checkpoints are "
        "refused:\ntheir job removes them.\n",
        {}, "  " + name + " /tmp/savepoints/savepoint-5f2c1a-0a1b2c3d4e5f\n");
  }
  expectPaths(given, 1, name);
  const Disposal gone = disposeSavepoint(env, storeOptions(configurationOf(env, given)), given.positional[0]);
  print("removed savepoint " + gone.folder + ": " + std::to_string(gone.files) + " files, " +
        std::to_string(gone.bytes) + " bytes\n");
  for (const std::string& file : gone.left) print("left, since it is not the savepoint's: " + file + "\n");
  return kDone;
}

constexpr Command kStateCommands[] = {
    {.name = "ls",
     .summary = "list the operators of a checkpoint, their states, and how much is in them",
     .run = list,
     .options = kListOptions,
     .operand = Operand::kPath},
    {.name = "cat",
     .summary = "print the entries of a state as JSON, CSV or Parquet",
     .run = cat,
     .options = kCatOptions,
     .operand = Operand::kPath},
    {.name = "diff",
     .summary = "compare two checkpoints, entry by entry",
     .run = diff,
     .options = kDiffOptions,
     .operand = Operand::kPath},
    {.name = "rm", .summary = "remove a savepoint", .run = removeSavepoint, .operand = Operand::kPath},
};

int runState(const Env& env, const std::string& name, std::span<const std::string> words) {
  return runOneOf(kStateCommands, env, name, words);
}

}  // namespace

Command stateCommand() {
  return {.name = "state",
          .summary = "look at checkpoints and savepoints: list, print and compare what is in them",
          .run = runState,
          .commands = kStateCommands};
}

}  // namespace flott::app
