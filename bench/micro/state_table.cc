// The state table against good hash maps: running sums for each key, and sums of tumbling windows.
//
// Each case does the same work with every table in turn, several rounds, in one process: the first round
// warms up memory and is not counted. Every output record {key, sum} is written to a buffer of 1024 and
// folded into a checksum; checksums that differ fail the run. Ratios are medians, table against the map.
//
//   state_table [millions of records]
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "flott/state/keyed_backend.h"

using namespace flott;

namespace {

constexpr size_t kBatch = 1024;

struct Record {
  int64_t key;
  int64_t value;
};

struct Keys {
  uint64_t state = 0x9E3779B97F4A7C15u;
  uint64_t keys;

  int64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<int64_t>((state >> 32) * keys >> 32);
  }
};

/// A batch of output on its way to a sink.
struct Out {
  Record records[kBatch];
  size_t count = 0;
  uint64_t checksum = 0;

  void fold() {
    for (size_t i = 0; i < count; ++i) checksum += static_cast<uint64_t>(records[i].value);
    count = 0;
  }
  void add(const Record& record) {
    records[count] = record;
    if (++count == kBatch) fold();
  }
};

struct Result {
  double seconds;
  uint64_t checksum;
};

template <typename F>
Result timed(F&& run) {
  Out out;
  const auto begin = std::chrono::steady_clock::now();
  run(out);
  out.fold();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  return {time.count(), out.checksum};
}

template <typename Map>
Result sumWithMap(uint64_t keys, uint64_t records) {
  return timed([&](Out& out) {
    Map sums;
    Keys generator{.keys = keys};
    for (uint64_t i = 0; i < records; ++i) {
      const int64_t key = generator.next();
      int64_t& sum = sums[key];
      sum += static_cast<int64_t>(i);
      out.add({key, sum});
    }
  });
}

Result sumWithTable(uint64_t keys, uint64_t records) {
  return timed([&](Out& out) {
    KeyedStateBackend backend(typeOps<int64_t>(), {});
    TypedTable<int64_t, int64_t> sums = backend.table<int64_t, int64_t>("sum");
    Keys generator{.keys = keys};
    std::vector<Record> batch(kBatch);
    std::vector<uint64_t> hashes(kBatch);
    for (uint64_t i = 0; i < records;) {
      for (Record& record : batch) record = {generator.next(), static_cast<int64_t>(i++)};
      for (size_t n = 0; n < kBatch; ++n) hashes[n] = hashKey(batch[n].key);
      size_t n = 0;
      const auto add = [&](int64_t& sum, size_t m) {
        sum += batch[m].value;
        out.records[m] = {batch[m].key, sum};
      };
      sums.upsert(
          hashes, n, [&](size_t m) { return batch[m].key; }, add, add);
      out.count = kBatch;
      out.fold();
    }
    if (records > 20 * keys) {
      std::printf("  table: %.2f bytes for each byte of keys and values (pool %.2f)\n",
                  static_cast<double>(sums.untyped().bytes()) / static_cast<double>(16 * sums.size()),
                  static_cast<double>(backend.budget().used()) / static_cast<double>(16 * sums.size()));
    }
  });
}

constexpr int64_t kWindow = 10'000;
constexpr uint64_t kRecordsPerMs = 1000;

template <typename Map>
Result windowsWithMap(uint64_t keys, uint64_t records) {
  return timed([&](Out& out) {
    Map sums;
    sums.reserve(keys);
    Keys generator{.keys = keys};
    int64_t end = kWindow;
    const auto fire = [&] {
      for (const auto& [key, sum] : sums) out.add({key, sum});
      sums.clear();
      end += kWindow;
    };
    for (uint64_t i = 0; i < records; ++i) {
      if (static_cast<int64_t>(i / kRecordsPerMs) >= end) fire();
      sums[generator.next()] += static_cast<int64_t>(i & 1023);
    }
    fire();
  });
}

Result windowsWithTable(uint64_t keys, uint64_t records) {
  return timed([&](Out& out) {
    KeyedStateBackend backend(typeOps<int64_t>(), {});
    SliceStore<int64_t, int64_t> slices = backend.slices<int64_t, int64_t>("windows");
    Keys generator{.keys = keys};
    std::vector<Record> batch(kBatch);
    std::vector<int64_t> times(kBatch);
    std::vector<uint64_t> hashes(kBatch);
    const auto fireUpTo = [&](int64_t watermark) {
      for (auto end = slices.first(); end && end->ms <= watermark; end = slices.first()) {
        slices.at(*end).forEach([&](uint64_t, int64_t key, int64_t sum) { out.add({key, sum}); });
        slices.drop(*end);
      }
    };
    for (uint64_t i = 0; i < records;) {
      for (size_t n = 0; n < kBatch; ++n, ++i) {
        batch[n] = {generator.next(), static_cast<int64_t>(i & 1023)};
        times[n] = static_cast<int64_t>(i / kRecordsPerMs);
      }
      for (size_t n = 0; n < kBatch; ++n) hashes[n] = hashKey(batch[n].key);
      for (size_t n = 0; n < kBatch;) {  // runs of records of one slice
        const int64_t end = times[n] - times[n] % kWindow + kWindow;
        TypedTable<int64_t, int64_t> sums = slices.at(Timestamp(end));
        size_t run = n;
        while (run < kBatch && times[run] >= end - kWindow && times[run] < end) ++run;
        const Record* first = &batch[n];
        size_t m = 0;
        const auto add = [first](int64_t& sum, size_t i) { sum += first[i].value; };
        sums.upsert(
            std::span(hashes).subspan(n, run - n), m, [&](size_t i) { return first[i].key; }, add, add);
        n = run;
      }
      fireUpTo(times[kBatch - 1] - 1);
    }
    fireUpTo(std::numeric_limits<int64_t>::max());
  });
}

using Absl = absl::flat_hash_map<int64_t, int64_t>;
using Boost = boost::unordered_flat_map<int64_t, int64_t>;

struct Contender {
  const char* name;
  Result (*run)(uint64_t keys, uint64_t records);
  std::vector<double> rates;
};

void compare(const char* title, std::vector<Contender> contenders, uint64_t keys, uint64_t records) {
  constexpr int kRounds = 6;
  std::printf("%s, %lu keys\n", title, keys);
  uint64_t checksum = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (Contender& contender : contenders) {
      const Result result = contender.run(keys, records);
      if (round > 0) contender.rates.push_back(static_cast<double>(records) / result.seconds / 1e6);
      if (checksum == 0) checksum = result.checksum;
      if (checksum != result.checksum) {
        std::fprintf(stderr, "wrong sums from %s\n", contender.name);
        std::exit(1);
      }
    }
  }
  for (Contender& contender : contenders) std::sort(contender.rates.begin(), contender.rates.end());
  const double table = contenders[0].rates[kRounds / 2 - 1];
  for (const Contender& contender : contenders) {
    const double median = contender.rates[kRounds / 2 - 1];
    std::printf("  %-6s %6.1f M/s   table / %s %.2f\n", contender.name, median, contender.name,
                table / median);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t records =
      (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 60) * 1'000'000 / kBatch * kBatch;
  for (const uint64_t keys : {1'000'000, 100'000}) {
    compare("running sums",
            {{"table", sumWithTable, {}}, {"absl", sumWithMap<Absl>, {}}, {"boost", sumWithMap<Boost>, {}}},
            keys, records);
  }
  compare("tumbling windows",
          {{"table", windowsWithTable, {}},
           {"absl", windowsWithMap<Absl>, {}},
           {"boost", windowsWithMap<Boost>, {}}},
          100'000, records);
}
