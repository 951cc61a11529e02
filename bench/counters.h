// What a round costs this process: allocations, processor time, instructions, memory.
//
// Linking counters.cc replaces the global operator new of the program by one that counts. Called by the child
// processes of the harness, on their main thread, with the threads of the round not yet started or already
// joined.
#pragma once

#include <cstdint>

namespace flott::bench {

/// Calls of operator new by all threads since the program started.
uint64_t allocationCount();

double wallSeconds();

/// Of all threads, user and kernel time together.
double cpuSeconds();

/// The largest resident set this process has had.
uint64_t peakResidentBytes();

/// Counts user-mode instructions of this thread and of the threads it starts later, where kernel and machine
/// allow it.
class InstructionCounter {
 public:
  InstructionCounter();
  ~InstructionCounter();
  InstructionCounter(const InstructionCounter&) = delete;
  InstructionCounter& operator=(const InstructionCounter&) = delete;

  /// Instructions so far; −1 where they cannot be counted (most virtual machines).
  int64_t read() const;

 private:
  int fd_;
};

}  // namespace flott::bench
