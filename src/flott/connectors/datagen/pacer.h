// A steady schedule: which records of a rate-limited source are due, and when to look again.
//
// Record k is due k periods after the start. Records that fall due within the pacing time are let go
// together, so that a high rate does not keep its lane awake: none is late by more than that and the time of
// a wake-up. After a stall the records held back follow at once, but not more than a second's worth: what is
// beyond that moves the schedule. Plain arithmetic on monotonic nanoseconds; one reader's own.
//
//   Pacer pacer(100'000, 50'000);
//   pacer.start(now);
//   const uint64_t n = pacer.due(now);       // … put out n records
//   pacer.release(n);
//   context.wakeAtNanos(pacer.nextLook(now));
#pragma once

#include <cstdint>

namespace flott {

class Pacer {
 public:
  Pacer(double recordsPerSecond, int64_t pacingNanos)
      : period_(1e9 / recordsPerSecond), pacingNanos_(pacingNanos) {}

  void start(int64_t now) { start_ = now; }
  /// Records that are due and were not released; moves the schedule after a long stall.
  uint64_t due(int64_t now);
  void release(uint64_t records) { released_ += records; }
  /// When the record `ahead` places behind the released ones is due.
  int64_t dueNanos(uint64_t ahead) const;
  /// Later than `now`.
  int64_t nextLook(int64_t now) const;

 private:
  double period_;  // nanoseconds
  int64_t pacingNanos_;
  int64_t start_ = 0;
  uint64_t released_ = 0;
};

}  // namespace flott
