// A program that does as it is told, for tests of those who run programs.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "flott/flott.h"

using namespace flott;

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const std::string deed = argc > 1 ? argv[1] : "";
  std::puts("the program says something");
  auto numbers = env.fromSequence(1, 10).name("numbers");
  if (deed == "throws") throw std::runtime_error("no such database");
  if (deed == "crashes") std::raise(SIGSEGV);
  if (deed == "nothing") return 0;
  if (deed == "varies")
    numbers.map([](int64_t n) { return n; }).name("run " + std::to_string(::getpid())).print();
  if (deed == "sleeps") {
    for (;;) ::pause();
  }
  numbers.map([](int64_t n) { return n * n; }).name("squares").print();
  env.execute(argc > 2 ? argv[2] : "Odd");
  std::puts("the job has ended");
  return 0;
}
