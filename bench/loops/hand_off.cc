#include "bench/loops/hand_off.h"

#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

namespace flott::bench {
namespace {

// A sleep for every record would take a whole core: the producer lets two more come due meanwhile.
constexpr int64_t kRestNs = 2 * kLatencyPeriodNs;

struct DueRecord {
  int64_t key;
  int64_t dueNs;
};

/// One producer, one consumer; the consumer sleeps when nothing comes, and is woken once per burst.
class HandOff {
 public:
  /// Never waits: the slots hold 0.6 s of records.
  void push(const DueRecord& record) {
    const uint32_t written = written_.load(std::memory_order_relaxed);
    slots_[written % kSlots] = record;
    written_.store(written + 1, std::memory_order_release);
  }

  /// After a burst of push(). The fences order "published, then looked for a sleeper" here against "went to
  /// sleep, then looked for records" in awaitRecords().
  void wakeConsumer() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) == 0) return;
    asleep_.store(0, std::memory_order_relaxed);
    syscall(SYS_futex, &asleep_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  /// Returns the end of what can be read; at least one record beyond `read`.
  uint32_t awaitRecords(uint32_t read) {
    constexpr int kSpins = 20;  // about a microsecond
    for (int i = 0; i < kSpins; ++i) {
      if (const uint32_t written = written_.load(std::memory_order_acquire); written != read) return written;
      __builtin_ia32_pause();
    }
    for (;;) {
      asleep_.store(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (const uint32_t written = written_.load(std::memory_order_acquire); written != read) {
        asleep_.store(0, std::memory_order_relaxed);
        return written;
      }
      syscall(SYS_futex, &asleep_, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
    }
  }

  const DueRecord& operator[](uint32_t index) const { return slots_[index % kSlots]; }

 private:
  static constexpr uint32_t kSlots = 1 << 16;

  alignas(64) std::atomic<uint32_t> written_{0};
  alignas(64) std::atomic<uint32_t> asleep_{0};
  const std::unique_ptr<DueRecord[]> slots_ = std::make_unique<DueRecord[]>(kSlots);
};

void sleepUntil(int64_t ns) {
  const timespec until{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

void produce(uint64_t records, HandOff& handOff) {
  prctl(PR_SET_TIMERSLACK, 1);  // else the kernel may add 50 µs to every sleep
  const int64_t start = nowNs();
  for (uint64_t next = 0; next < records;) {
    const int64_t due = start + static_cast<int64_t>(next) * kLatencyPeriodNs;
    if (nowNs() < due) sleepUntil(due + kRestNs);
    const int64_t now = nowNs();
    for (; next < records; ++next) {
      const int64_t nextDue = start + static_cast<int64_t>(next) * kLatencyPeriodNs;
      if (nextDue > now) break;
      handOff.push({latencyKey(next), nextDue});
    }
    handOff.wakeConsumer();
  }
}

}  // namespace

int64_t nowNs() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

Outcome handOffLoop(const Load& load) {
  HandOff handOff;
  std::vector<int64_t> latencies;
  latencies.reserve(load.size);
  uint64_t checksum = 0;
  std::thread producer([&] { produce(load.size, handOff); });
  for (uint32_t read = 0; latencies.size() < load.size;) {
    for (const uint32_t end = handOff.awaitRecords(read); read != end; ++read) {
      const DueRecord& record = handOff[read];
      latencies.push_back(nowNs() - record.dueNs);
      checksum += static_cast<uint64_t>(record.key);
    }
  }
  producer.join();
  const uint64_t results = latencies.size();
  return {.records = results, .results = results, .checksum = checksum, .latency = percentilesOf(latencies)};
}

}  // namespace flott::bench
