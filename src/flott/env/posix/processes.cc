#include "flott/env/posix/processes.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

#include "flott/base/error.h"
#include "flott/env/failures.h"
#include "flott/env/posix/memory_group.h"
#include "flott/env/posix/parts.h"

extern char** environ;

namespace flott {
namespace {

using posix::Descriptor;
using posix::retried;

// Who gave the role, and two descriptors: of the role, and of the answer.
constexpr const char* kRoleVariable = "FLOTT_ROLE";
constexpr Duration kForKilled = Duration::seconds(10);

Error cannotRun(const std::string& program, int errorNumber) {
  const bool foreign = errorNumber == ENOEXEC;
  return Error(ErrorKind::kUser, "program '" + program + "' cannot be run: " + systemReason(errorNumber) +
                                     (foreign ? ": it is not built for this machine" : ""));
}

Error noResources(int errorNumber) {
  return Error(ErrorKind::kTransient, "no process can be started: " + systemReason(errorNumber));
}

Descriptor fileWith(const std::string& bytes) {
  Descriptor file(::memfd_create("flott role", MFD_CLOEXEC));
  if (file.number() < 0) throw noResources(errno);
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = retried([&] { return ::write(file.number(), bytes.data() + at, bytes.size() - at); });
    if (n < 0) throw noResources(errno);
    at += static_cast<size_t>(n);
  }
  return file;
}

/// Both ends are closed in programs that are run, unless that is changed.
struct Pair {
  Descriptor here{-1};
  Descriptor there{-1};
};
Pair makePair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw noResources(errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// As the system wants them: pointers that end with a null.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  all.reserve(words.size() + 1);
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> variables(const ProcessSpec& spec, const std::string& role) {
  std::vector<std::string> all;
  const auto replaced = [&](std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('='));
    return name == kRoleVariable || std::any_of(spec.environment.begin(), spec.environment.end(),
                                                [&](const auto& own) { return own.first == name; });
  };
  for (char** at = environ; *at != nullptr; ++at) {
    if (!replaced(*at)) all.emplace_back(*at);
  }
  for (const auto& [name, value] : spec.environment) all.push_back(name + "=" + value);
  if (!role.empty()) all.push_back(std::string(kRoleVariable) + "=" + role);
  return all;
}

/// What a child does before it becomes the program: between fork and exec only what signal handlers may do.
struct Launch {
  pid_t parent;
  const char* program;
  char* const* arguments;
  char* const* variables;
  const char* folder;  // null: as here
  int input;
  int output;  // negative: as here
  int error;
  int role;  // negative: none
  int answer;
  int failure;  // where to say that it did not come to that
  bool outlives;

  [[noreturn]] void run() const {
    if (outlives) {
      ::setsid();
    } else {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);  // it had died already
      ::setpgid(0, 0);                          // Ctrl-C is for the parent
    }
    std::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    bool ready = ::dup2(input, STDIN_FILENO) >= 0;
    if (output >= 0) ready = ready && ::dup2(output, STDOUT_FILENO) >= 0;
    if (error >= 0) ready = ready && ::dup2(error, STDERR_FILENO) >= 0;
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);  // also what was opened without that flag
    if (role >= 0) ready = ready && ::fcntl(role, F_SETFD, 0) == 0 && ::fcntl(answer, F_SETFD, 0) == 0;
    if (folder != nullptr) ready = ready && ::chdir(folder) == 0;
    // A program that was just written may still be open in a child like this one.
    for (int attempts = 0; ready && attempts < 100; ++attempts) {
      ::execve(program, arguments, variables);
      if (errno != ETXTBSY) break;
      ::poll(nullptr, 0, 10);
    }
    const int problem = errno;
    [[maybe_unused]] const ssize_t said = ::write(failure, &problem, sizeof problem);
    ::_exit(127);
  }
};

class PosixChild final : public ChildProcess {
 public:
  PosixChild(const Clock& clock, const ProcessSpec& spec, pid_t id, Descriptor answers)
      : clock_(clock),
        program_(spec.program),
        outlives_(spec.outlives),
        id_(id),
        watch_(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))),
        answers_(std::move(answers)) {}
  ~PosixChild() override {
    if (end_ || outlives_) return;
    kill();
    wait(kForKilled);
  }

  int64_t id() const override { return id_; }
  std::optional<ProcessEnd> wait(Duration timeout) override {
    if (end_ || !readable(watch_, deadlineAfter(timeout))) return end_;
    siginfo_t info{};
    if (retried([&] { return ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG); }) != 0 ||
        info.si_pid == 0)
      return std::nullopt;
    const bool exited = info.si_code == CLD_EXITED;
    end_ = ProcessEnd{.status = exited ? info.si_status : 0, .signal = exited ? 0 : info.si_status};
    if (end_->signal == SIGKILL && !killed_) end_->outOfMemory = posix::readMemoryGroup().kills > kills_;
    return end_;
  }
  void terminate() override { send(SIGTERM); }
  void kill() override {
    killed_ = true;
    send(SIGKILL);
  }
  std::string answer(size_t most, Duration timeout) override;
  std::optional<std::string> tryAnswer(size_t most) override;

 private:
  [[noreturn]] void giveUp(const std::string& why) {
    kill();
    wait(kForKilled);
    throw Error(ErrorKind::kTransient, "program '" + program_ + "' " + why);
  }
  /// Adds what there is to `said_`; whether that was its end.
  bool hear(size_t most);
  /// Its number is free for others once its end was asked for.
  void send(int signal) {
    if (!end_) ::kill(id_, signal);
  }
  int64_t deadlineAfter(Duration timeout) const {
    return clock_.monotonicNanos() + std::min<int64_t>(timeout.ms, 1 << 30) * 1'000'000;
  }
  bool readable(const Descriptor& descriptor, int64_t deadlineNanos) const {
    for (;;) {
      const int64_t left =
          std::max<int64_t>(0, (deadlineNanos - clock_.monotonicNanos() + 999'999) / 1'000'000);
      pollfd wanted{.fd = descriptor.number(), .events = POLLIN, .revents = 0};
      const int found = ::poll(&wanted, 1, static_cast<int>(left));
      if (found > 0) return true;
      if (found == 0 || !posix::wasInterrupted()) return false;
    }
  }

  const Clock& clock_;
  const std::string program_;
  const bool outlives_;
  const pid_t id_;
  const Descriptor watch_;
  const Descriptor answers_;
  const std::optional<int64_t> kills_ = posix::readMemoryGroup().kills;  // before it began
  bool killed_ = false;                                                  // by us
  std::string said_;                                                     // of its answer
  std::optional<ProcessEnd> end_;
};

bool PosixChild::hear(size_t most) {
  char part[65536];
  const ssize_t n = retried([&] { return ::read(answers_.number(), part, sizeof part); });
  if (n < 0 && errno != ECONNRESET) giveUp("cannot be heard: " + systemReason(errno));
  if (n <= 0) return true;
  said_.append(part, static_cast<size_t>(n));
  if (said_.size() > most) giveUp("answers with more than " + std::to_string(most) + " bytes");
  return false;
}

std::string PosixChild::answer(size_t most, Duration timeout) {
  const int64_t deadline = deadlineAfter(timeout);
  for (;;) {
    if (!readable(answers_, deadline)) giveUp("has not answered after " + toString(timeout));
    if (hear(most)) return std::exchange(said_, {});
  }
}

std::optional<std::string> PosixChild::tryAnswer(size_t most) {
  while (readable(answers_, clock_.monotonicNanos())) {
    if (hear(most)) return std::exchange(said_, {});
  }
  return std::nullopt;
}

class PosixRole final : public GivenRole {
 public:
  PosixRole(std::string text, Descriptor answer) : text_(std::move(text)), answer_(std::move(answer)) {}

  const std::string& text() const override { return text_; }
  void answer(const std::string& bytes) override {
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t n = retried(
          [&] { return ::send(answer_.number(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL); });
      if (n < 0) {
        throw Error(ErrorKind::kTransient,
                    "the process that started this one does not listen: " + systemReason(errno));
      }
      at += static_cast<size_t>(n);
    }
    ::shutdown(answer_.number(), SHUT_WR);  // whoever else has the descriptor
  }

 private:
  const std::string text_;
  Descriptor answer_;
};

/// The number up to `end`, which it moves behind what follows it.
int takeNumber(std::string_view& text) {
  int number = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc()) return -1;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return number;
}

class PosixProcesses final : public Processes {
 public:
  explicit PosixProcesses(const Clock& clock) : clock_(clock) {
    // Where one of the first three is closed, what is opened next would take its place.
    int number = ::open("/dev/null", O_RDWR);
    while (number >= 0 && number <= STDERR_FILENO) number = ::open("/dev/null", O_RDWR);
    const Descriptor behindThem(number);
  }

  std::unique_ptr<ChildProcess> start(const ProcessSpec& spec) override;
  std::unique_ptr<GivenRole> role() override;

 private:
  const Clock& clock_;
};

std::unique_ptr<ChildProcess> PosixProcesses::start(const ProcessSpec& spec) {
  Pair failure = makePair();
  Pair answer = makePair();
  const Descriptor role = spec.role ? fileWith(*spec.role) : Descriptor(-1);
  const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Descriptor file(-1);
  if (spec.output == ProcessSpec::Output::kToFile) {
    file = Descriptor(retried(
        [&] { return ::open(spec.outputFile.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644); }));
    if (file.number() < 0) throw fileError(FileDeed::kWrite, spec.outputFile, errno);
  }
  std::vector<std::string> words = {spec.name.empty() ? spec.program : spec.name};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  const std::string given = spec.role ? std::to_string(::getpid()) + "," + std::to_string(role.number()) +
                                            "," + std::to_string(answer.there.number())
                                      : std::string();
  std::vector<std::string> environment = variables(spec, given);
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> settings = pointers(environment);
  const bool toError = spec.output == ProcessSpec::Output::kToStandardError;
  const Launch launch{.parent = ::getpid(),
                      .program = spec.program.c_str(),
                      .arguments = arguments.data(),
                      .variables = settings.data(),
                      .folder = spec.folder.empty() ? nullptr : spec.folder.c_str(),
                      .input = input.number(),
                      .output = toError ? STDERR_FILENO : file.number(),
                      .error = file.number(),
                      .role = role.number(),
                      .answer = answer.there.number(),
                      .failure = failure.there.number(),
                      .outlives = spec.outlives};
  const pid_t id = ::fork();
  if (id < 0) throw noResources(errno);
  if (id == 0) launch.run();
  answer.there = Descriptor(-1);
  failure.there = Descriptor(-1);
  auto child = std::make_unique<PosixChild>(clock_, spec, id, std::move(answer.here));
  int problem = 0;
  if (retried([&] { return ::read(failure.here.number(), &problem, sizeof problem); }) == sizeof problem)
    throw cannotRun(spec.program, problem);
  return child;
}

std::unique_ptr<GivenRole> PosixProcesses::role() {
  const char* const variable = std::getenv(kRoleVariable);
  if (variable == nullptr) return nullptr;
  const std::string value = variable;
  std::string_view rest = value;
  const int giver = takeNumber(rest);
  const int file = takeNumber(rest);
  Descriptor answer(::fcntl(takeNumber(rest), F_DUPFD_CLOEXEC, 0));
  if (giver >= 0 && giver != ::getppid()) return nullptr;  // the role of whoever started this process
  struct stat found {};
  if (giver < 0 || answer.number() < 0 || ::fcntl(file, F_SETFD, FD_CLOEXEC) != 0 ||
      ::fstat(file, &found) != 0) {
    throw Error(ErrorKind::kUser, std::string("the environment variable ") + kRoleVariable + " is '" + value +
                                      "', which tells programs what Flott has started them for: unset it");
  }
  std::string text(static_cast<size_t>(found.st_size), '\0');
  size_t have = 0;
  for (ssize_t n = 1; n > 0 && have < text.size(); have += static_cast<size_t>(std::max<ssize_t>(n, 0)))
    n = retried(
        [&] { return ::pread(file, text.data() + have, text.size() - have, static_cast<off_t>(have)); });
  text.resize(have);
  return std::make_unique<PosixRole>(std::move(text), std::move(answer));
}

}  // namespace

std::unique_ptr<Processes> makeProcesses(const Clock& clock) {
  return std::make_unique<PosixProcesses>(clock);
}

}  // namespace flott
