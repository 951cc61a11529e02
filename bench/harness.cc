#include "bench/harness.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "bench/measured_process.h"

namespace flott::bench {
namespace {

using Json = nlohmann::ordered_json;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// The figures of one round of one side.
struct Figures {
  double recordsPerS = 0;
  double cpuNsPerRecord = 0;
  double allocationsPerRecord = 0;
  std::optional<double> instructionsPerRecord;
  double cores = 0;
  Percentiles latency;
  Firing firing;
  Checkpointing checkpointing;
  Recovery recovery;
};

/// The first outcome of a case, which every later one has to equal.
class ExpectedOutcome {
 public:
  void check(const std::string& who, const Outcome& outcome) {
    if (!first_) {
      first_ = outcome;
      firstWho_ = who;
      return;
    }
    compare(who, "records", outcome.records, first_->records);
    compare(who, "results", outcome.results, first_->results);
    compare(who, "checksum", outcome.checksum, first_->checksum);
  }

 private:
  void compare(const std::string& who, const char* what, uint64_t got, uint64_t expected) const {
    if (got == expected) return;
    throw std::runtime_error("wrong result: " + who + " has " + what + " " + std::to_string(got) + ", but " +
                             firstWho_ + " has " + std::to_string(expected));
  }

  std::optional<Outcome> first_;
  std::string firstWho_;
};

/// One way of doing the work of a case: one process, or two at once on a core each.
class Side {
 public:
  Side(const char* label, Round round, const Load& load, int processes, bool pinned) : label_(label) {
    for (int i = 0; i < processes; ++i) {
      const int core = pinned ? i : MeasuredProcess::kAnyCore;
      processes_.push_back(std::make_unique<MeasuredProcess>(round, load, core));
    }
  }

  const char* label() const { return label_; }

  /// Runs a round; returns records/s.
  double run(ExpectedOutcome& expected, bool warmUp) {
    for (auto& process : processes_) process->start();
    Figures figures;
    for (auto& process : processes_) {
      Measurement m;
      try {
        m = process->finish();
      } catch (const std::runtime_error& e) {
        throw std::runtime_error(std::string(label_) + ": " + e.what());
      }
      expected.check(label_, m.outcome);
      add(m, figures);
    }
    if (!warmUp) rounds_.push_back(figures);
    return figures.recordsPerS;
  }

  template <typename Member>
  double medianOf(Member member) const {
    std::vector<double> values;
    for (const Figures& round : rounds_) values.push_back(member(round));
    return median(std::move(values));
  }
  double recordsPerS() const {
    return medianOf([](const Figures& f) { return f.recordsPerS; });
  }
  double peakResidentMb() const { return static_cast<double>(peakResidentBytes_) / 1e6; }

  Json instructionsPerRecord() const {
    if (!rounds_.front().instructionsPerRecord) return nullptr;
    return rounded(medianOf([](const Figures& f) { return f.instructionsPerRecord.value_or(0); }), 100);
  }

  /// p50_us, p99_us, p999_us and cores, each behind `prefix`.
  void addLatency(const std::string& prefix, Json& line) const {
    line[prefix + "p50_us"] = rounded(medianOf([](const Figures& f) { return f.latency.p50Us; }), 10);
    line[prefix + "p99_us"] = rounded(medianOf([](const Figures& f) { return f.latency.p99Us; }), 10);
    line[prefix + "p999_us"] = rounded(medianOf([](const Figures& f) { return f.latency.p999Us; }), 10);
    line[prefix + "cores"] = rounded(medianOf([](const Figures& f) { return f.cores; }), 1000);
  }

  /// fired_ms, longest_pause_ms and bytes_per_pair, each behind `prefix`.
  void addFiring(const std::string& prefix, Json& line) const {
    line[prefix + "fired_ms"] = rounded(medianOf([](const Figures& f) { return f.firing.firedMs; }), 10);
    line[prefix + "longest_pause_ms"] =
        rounded(medianOf([](const Figures& f) { return f.firing.longestPauseMs; }), 100);
    line[prefix + "bytes_per_pair"] =
        rounded(medianOf([](const Figures& f) { return f.firing.bytesPerPair; }), 10);
  }

  /// state_mb and so on, medians.
  void addRecovery(Json& line) const {
    const auto put = [&](const char* name, auto member) { line[name] = rounded(medianOf(member), 1000); };
    put("state_mb", [](const Figures& f) { return f.recovery.megabytes; });
    put("snapshot_mb_per_s",
        [](const Figures& f) { return f.recovery.megabytes / f.recovery.snapshotMs * 1000; });
    put("sync_ms", [](const Figures& f) { return f.recovery.syncMs; });
    put("recovery_ms", [](const Figures& f) { return f.recovery.recoveryMs; });
    put("recovery_mb_per_s",
        [](const Figures& f) { return f.recovery.megabytes / f.recovery.recoveryMs * 1000; });
    put("disk_mb_per_s", [](const Figures& f) { return f.recovery.diskMbPerS; });
  }

  bool checkpoints() const { return rounds_.front().checkpointing.completed > 0; }
  /// checkpoints, longest_sync_ms and snapshot_mb: of all rounds the sum and the largest.
  void addCheckpointing(Json& line) const {
    Checkpointing all;
    for (const Figures& round : rounds_) {
      all.completed += round.checkpointing.completed;
      all.longestSyncMs = std::max(all.longestSyncMs, round.checkpointing.longestSyncMs);
      all.megabytes = std::max(all.megabytes, round.checkpointing.megabytes);
    }
    line["checkpoints"] = all.completed;
    line["longest_sync_ms"] = rounded(all.longestSyncMs, 1000);
    line["snapshot_mb"] = rounded(all.megabytes, 10);
  }

  static double rounded(double value, double perUnit) { return std::round(value * perUnit) / perUnit; }

 private:
  /// Rates add up over processes; costs of a record are the mean.
  void add(const Measurement& m, Figures& figures) {
    const double records = static_cast<double>(m.outcome.records);
    const double share = 1.0 / static_cast<double>(processes_.size());
    figures.recordsPerS += records / m.wallSeconds;
    figures.cpuNsPerRecord += share * m.cpuSeconds * 1e9 / records;
    figures.allocationsPerRecord += share * static_cast<double>(m.allocations) / records;
    if (m.instructions >= 0)
      figures.instructionsPerRecord =
          figures.instructionsPerRecord.value_or(0) + share * static_cast<double>(m.instructions) / records;
    figures.cores += m.cpuSeconds / m.wallSeconds;
    figures.latency = m.outcome.latency;
    figures.firing = m.outcome.firing;
    figures.checkpointing = m.outcome.checkpointing;
    figures.recovery = m.outcome.recovery;
    peakResidentBytes_ = std::max(peakResidentBytes_, m.peakResidentBytes);
  }

  const char* label_;
  std::vector<std::unique_ptr<MeasuredProcess>> processes_;
  std::vector<Figures> rounds_;
  uint64_t peakResidentBytes_ = 0;
};

/// The sides of a case; null where it has none.
struct Sides {
  std::unique_ptr<Side> loop;
  std::unique_ptr<Side> pair;  // two one-lane jobs of the engine at once
  std::unique_ptr<Side> engine;

  Sides(const Case& benchmark, const Options& options) {
    Load load{.size = std::max<uint64_t>(
                  1, static_cast<uint64_t>(static_cast<double>(benchmark.size) * options.scale)),
              .lanes = 1,
              .patienceMs = static_cast<int>(60'000 * std::clamp(options.scale, 1.0, 100.0))};
    const bool twoProcesses = benchmark.kind == CaseKind::kTwoProcesses;
    const int processes = twoProcesses ? 2 : 1;
    const bool oneCore = benchmark.kind == CaseKind::kCheckpoint || benchmark.kind == CaseKind::kRecovery ||
                         benchmark.kind == CaseKind::kOneCore;
    if (benchmark.loop != nullptr) {
      loop = std::make_unique<Side>(benchmark.kind == CaseKind::kCheckpoint ? "without" : "loop",
                                    benchmark.loop, load, processes, twoProcesses || oneCore);
    }
    if (benchmark.engine == nullptr || options.onlyLoop) return;
    if (twoProcesses) pair = std::make_unique<Side>("two processes", benchmark.engine, load, processes, true);
    load.lanes = benchmark.lanes;
    engine = std::make_unique<Side>("engine", benchmark.engine, load, 1, oneCore);
  }

  /// A round of each side in turn.
  void run(ExpectedOutcome& expected, bool warmUp) {
    for (const auto* side : {&loop, &pair, &engine}) {
      if (*side == nullptr) continue;
      const double rate = (*side)->run(expected, warmUp);
      std::fprintf(stderr, "  %s %.2f M/s", (*side)->label(), rate / 1e6);
    }
    std::fprintf(stderr, "\n");
  }
};

Json toJson(const Case& benchmark, const Sides& sides) {
  const auto rate = [](const std::unique_ptr<Side>& side) -> Json {
    return side ? Json(static_cast<int64_t>(side->recordsPerS())) : Json(nullptr);
  };
  const Side* engine = sides.engine.get();
  const auto& base = benchmark.kind == CaseKind::kTwoProcesses ? sides.pair : sides.loop;
  Json line;
  line["case"] = benchmark.name;
  line["workers"] = benchmark.lanes;
  line["records_per_s"] = rate(sides.engine);
  line["loop_records_per_s"] = rate(sides.loop);
  if (benchmark.kind == CaseKind::kTwoProcesses) line["two_processes_records_per_s"] = rate(sides.pair);
  line["ratio"] =
      engine && base ? Json(Side::rounded(engine->recordsPerS() / base->recordsPerS(), 1000)) : Json();
  line["cpu_ns_per_record"] =
      engine ? Json(Side::rounded(engine->medianOf([](const Figures& f) { return f.cpuNsPerRecord; }), 100))
             : Json();
  line["allocations_per_record"] =
      engine ? Json(Side::rounded(engine->medianOf([](const Figures& f) { return f.allocationsPerRecord; }),
                                  1e6))
             : Json();
  line["instructions_per_record"] = engine ? engine->instructionsPerRecord() : Json();
  line["loop_instructions_per_record"] = sides.loop ? sides.loop->instructionsPerRecord() : Json();
  line["peak_rss_mb"] = engine ? Json(Side::rounded(engine->peakResidentMb(), 10)) : Json();
  line["loop_peak_rss_mb"] = sides.loop ? Json(Side::rounded(sides.loop->peakResidentMb(), 10)) : Json();
  if (benchmark.kind == CaseKind::kLatency) {
    if (engine) engine->addLatency("", line);
    if (engine && engine->checkpoints()) engine->addCheckpointing(line);
    if (sides.loop) sides.loop->addLatency("loop_", line);
  }
  if (benchmark.kind == CaseKind::kFiring) {
    if (engine) engine->addFiring("", line);
    if (sides.loop) sides.loop->addFiring("loop_", line);
  }
  if (benchmark.kind == CaseKind::kRecovery && engine) engine->addRecovery(line);
  if (benchmark.kind == CaseKind::kCheckpoint && engine) engine->addCheckpointing(line);
  return line;
}

}  // namespace

Percentiles percentilesOf(std::vector<int64_t>& nanoseconds) {
  const auto at = [&](double share) {
    const auto nth =
        nanoseconds.begin() + static_cast<int64_t>(share * static_cast<double>(nanoseconds.size() - 1));
    std::nth_element(nanoseconds.begin(), nth, nanoseconds.end());
    return static_cast<double>(*nth) / 1000;
  };
  return {.p50Us = at(0.5), .p99Us = at(0.99), .p999Us = at(0.999)};
}

bool runCase(const Case& benchmark, const Options& options) {
  const std::string name(benchmark.name);
  try {
    Sides sides(benchmark, options);
    ExpectedOutcome expected;
    for (int round = 0; round <= options.rounds; ++round) {
      std::fprintf(stderr, "%s, %s:", name.c_str(),
                   round == 0 ? "warm-up" : ("round " + std::to_string(round)).c_str());
      sides.run(expected, round == 0);
    }
    std::cout << toJson(benchmark, sides) << std::endl;
    return true;
  } catch (const std::runtime_error& e) {
    std::fprintf(stderr, "\nflott_bench: %s: %s\n", name.c_str(), e.what());
    return false;
  }
}

}  // namespace flott::bench
