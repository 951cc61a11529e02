// Child processes: how the program of a user runs beside this one, to say what its job looks like or to work
// on it.
//
// A child may be given a *role*: bytes that it finds before it looks at its arguments, and may answer. So the
// program behaves the same for its user, whatever it was started for. A child dies with the thread that
// started it, which is therefore one that lives as long as the child is wanted, unless it is started to
// outlive it. One thread at a time may use a ChildProcess.
//
//   auto child = processes.start({.program = "/jobs/count", .arguments = {"--top", "3"}, .role = "plan"});
//   const std::string plan = child->answer(kMostBytes, Duration::seconds(30));
//   const std::optional<ProcessEnd> end = child->wait(Duration::seconds(5));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/time.h"

namespace flott {

/// How a process ended.
struct ProcessEnd {
  int status = 0;  // that it exited with
  int signal = 0;  // that killed it, in place of a status; 0: none did
  /// It was killed (SIGKILL) in a time in which the system has killed a process of this control group, or one
  /// beneath it, for want of memory.
  bool outOfMemory = false;

  bool succeeded() const { return status == 0 && signal == 0; }
  bool operator==(const ProcessEnd&) const = default;
};
/// "exited with status 3", "was killed by signal 11 (segmentation fault)", "was killed by signal 9 (memory
/// had run out)".
std::string toString(const ProcessEnd& end);

struct ProcessSpec {
  enum class Output : uint8_t {
    kAsHere,           // where this process writes
    kToStandardError,  // all of it to the standard error of this process
    kToFile            // all of it appended to `outputFile`
  };

  std::string program;                 // a path
  std::vector<std::string> arguments;  // behind the program's own name
  /// In place of variables of these names here, or beside them.
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::string name = {};    // by which it is listed; empty: its path
  std::string folder = {};  // to work in; empty: as here
  Output output = Output::kAsHere;
  std::string outputFile = {};
  /// Without one it finds that it was started by a user.
  std::optional<std::string> role = {};
  /// Goes on when this process or its ChildProcess has ended, in a session of its own.
  bool outlives = false;
};

class ChildProcess {
 public:
  /// Kills it unless it has ended, or is to outlive this process.
  virtual ~ChildProcess() = default;
  virtual int64_t id() const = 0;
  /// Waits for its end; nothing when it still runs after `timeout`. With zero it only looks.
  virtual std::optional<ProcessEnd> wait(Duration timeout) = 0;
  /// Asks it to end (SIGTERM); no error when it has ended.
  virtual void terminate() = 0;
  virtual void kill() = 0;
  /// What it answers to its role, as soon as it has closed its side or has ended. Throws Error(kTransient)
  /// when that is not so after `timeout`, or when it is more than `most` bytes; it has been killed then.
  virtual std::string answer(size_t most, Duration timeout) = 0;
  /// The same without waiting: nothing when it may still say more. Throws Error(kTransient) when it is more
  /// than `most` bytes; it has been killed then. Not together with answer().
  virtual std::optional<std::string> tryAnswer(size_t most) = 0;
};

/// The side of the child.
class GivenRole {
 public:
  virtual ~GivenRole() = default;
  virtual const std::string& text() const = 0;
  /// Says it and closes this side. Throws Error(kTransient) when nobody listens any more.
  virtual void answer(const std::string& bytes) = 0;
};

class Processes {
 public:
  virtual ~Processes() = default;
  /// Throws Error(kUser) that says why when the program cannot be run.
  virtual std::unique_ptr<ChildProcess> start(const ProcessSpec& spec) = 0;
  /// What this process was started for; null when by a user, or by a child. Throws Error(kUser) when that
  /// cannot be told.
  virtual std::unique_ptr<GivenRole> role() = 0;
};

}  // namespace flott
