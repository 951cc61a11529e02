#include "bench/measured_process.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "bench/counters.h"

namespace flott::bench {
namespace {

static_assert(std::is_trivially_copyable_v<Measurement>, "it crosses a socket as bytes");

constexpr char kRunRound = 'r';
constexpr char kQuit = 'q';

void pinTo(int core) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (int cpu = 0, index = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || index++ != core) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    sched_setaffinity(0, sizeof only, &only);
    return;
  }
  throw std::runtime_error("this case needs " + std::to_string(core + 1) +
                           " cores, and fewer may be used here");
}

Measurement measure(Round round, const Load& load, const InstructionCounter& counter) {
  Measurement m;
  const uint64_t allocations = allocationCount();
  const int64_t instructions = counter.read();
  const double cpu = cpuSeconds();
  const double wall = wallSeconds();
  m.outcome = round(load);
  m.wallSeconds = wallSeconds() - wall;
  m.cpuSeconds = cpuSeconds() - cpu;
  m.instructions = instructions < 0 ? -1 : counter.read() - instructions;
  m.allocations = allocationCount() - allocations;
  m.peakResidentBytes = peakResidentBytes();
  return m;
}

[[noreturn]] void serve(Round round, const Load& load, int core, int socket) {
  int status = 0;
  try {
    if (core != MeasuredProcess::kAnyCore) pinTo(core);
    const InstructionCounter counter;
    char request;
    while (::read(socket, &request, 1) == 1 && request == kRunRound) {
      const Measurement m = measure(round, load, counter);
      if (::write(socket, &m, sizeof m) != sizeof m) break;
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "flott_bench: %s\n", e.what());
    status = 1;
  }
  std::fflush(stderr);
  ::_exit(status);
}

}  // namespace

MeasuredProcess::MeasuredProcess(Round round, const Load& load, int core) : patienceMs_(load.patienceMs) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error(std::string("no socket pair for a child process: ") + std::strerror(errno));
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error(std::string("no child process: ") + std::strerror(errno));
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // the harness died before the line above took effect
    ::close(ends[0]);
    serve(round, load, core, ends[1]);
  }
  ::close(ends[1]);
  socket_ = ends[0];
}

MeasuredProcess::~MeasuredProcess() {
  // Closing the socket would not tell the child: children forked later hold a copy of this end.
  if (inRound_) {
    ::kill(pid_, SIGKILL);
  } else {
    ::send(socket_, &kQuit, 1, MSG_NOSIGNAL);
  }
  ::waitpid(pid_, nullptr, 0);
  ::close(socket_);
}

void MeasuredProcess::start() {
  inRound_ = true;
  // A child that is gone shows in finish().
  ::send(socket_, &kRunRound, 1, MSG_NOSIGNAL);
}

Measurement MeasuredProcess::finish() {
  pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, patienceMs_) == 0)
    throw std::runtime_error("a round did not end within " + std::to_string(patienceMs_ / 1000) + " s");
  Measurement m;
  if (::recv(socket_, &m, sizeof m, 0) != sizeof m)
    throw std::runtime_error("the child process ended inside a round");
  inRound_ = false;
  return m;
}

}  // namespace flott::bench
