// A program that does as it is told, for tests of those who run programs.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include "flott/flott.h"

using namespace flott;

// As one of a library: the exception ends the process where it would leave this function.
[[gnu::noipa]] void callWithoutExceptions(void (*function)()) noexcept { function(); }

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& arguments = env.parameters();
  const std::string deed = arguments.get("deed", "");
  std::puts("the program says something");
  if (deed == "throws") throw std::runtime_error("no such database");
  if (deed == "crashes") std::raise(SIGSEGV);
  if (deed == "nothing") return 0;
  if (deed == "crashes-once") {
    const std::string crashed = arguments.get("crashed", "crashed");
    env.fromGenerator<int64_t>([](int64_t i) { return i; }, {.count = 2000, .recordsPerSecond = 2000})
        .map([crashed](int64_t n) {
          if (n == 1000 && !std::ifstream(crashed)) {
            std::ofstream(crashed) << "yes";
            std::raise(SIGSEGV);
          }
          return n;
        })
        .sinkTo(FileSink<int64_t>::forRowFormat(arguments.get("out", "numbers")));
    env.execute("Odd");
    return 0;
  }
  if (deed == "sums") {
    using Pair = std::pair<int64_t, int64_t>;
    env.fromSequence(1, 1000)
        .map([](int64_t n) { return Pair(n % 7, n); })
        .keyBy(&Pair::first)
        .sum(&Pair::second)
        .print();
    env.execute("Odd");
    return 0;
  }
  auto numbers = deed == "endless"
                     ? env.fromGenerator<int64_t>([](int64_t i) { return i; }, {.recordsPerSecond = 100})
                     : env.fromSequence(1, 10);
  numbers.name("numbers");
  if (deed == "varies")
    numbers.map([](int64_t n) { return n; }).name("run " + std::to_string(::getpid())).print();
  numbers
      .map([fails = deed == "fails", aborts = deed == "aborts"](int64_t n) {
        if (aborts) callWithoutExceptions([] { throw std::runtime_error("no way out"); });
        if (fails && n == 10) throw std::runtime_error("ten is too much");
        return n * n;
      })
      .name("squares")
      .print();
  if (deed == "collects") {
    std::printf("%zu numbers\n", numbers.executeAndCollect("Odd").size());
    return 0;
  }
  if (deed == "starts") {
    JobClient job = env.executeAsync("Odd");
    job.waitFor(Duration::seconds(60));
    std::printf("%s, %lld in\n", std::string(toString(job.status())).c_str(),
                static_cast<long long>(job.result().counter("numbers", "numRecordsOut")));
    return 0;
  }
  env.execute(arguments.get("job", "Odd"));
  std::puts("the job has ended");
  std::fflush(stdout);
  if (arguments.get("linger", "no") == "yes") {  // so that it can be asked about the job
    while (std::getchar() != EOF) {
    }
  }
  const std::string awaited = arguments.get("waits-for", "");  // a file
  while (!awaited.empty() && !std::ifstream(awaited)) ::usleep(10'000);
  return 0;
}
