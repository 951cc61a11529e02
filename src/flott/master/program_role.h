// What a program is started for when it is not by its user: the two sides of that talk, and their bytes.
//
// The program that asks starts it with a ProgramRole (env/processes.h). The program builds its job as always.
// The first job that it starts is not run: it is answered with its ProgramPlan, or the process is its master,
// which answers with a MasterAnswer as soon as workers may come, or one of these workers. All begin with a
// version, since the two may have been built at different times. Plain values; any thread.
//
//   spec.role = ProgramRole{.options = {{"parallelism.default", "4"}}}.encode();
//   const ProgramPlan plan = ProgramPlan::decode(child->answer(…));
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "flott/graph/graph_digest.h"

namespace flott {

struct ProgramRole {
  static constexpr uint32_t kVersion = 3;

  enum class Kind : uint8_t { kPlan, kMaster, kWorker };

  Kind kind = Kind::kPlan;
  /// Options that hold where neither the program nor its arguments say otherwise.
  std::map<std::string, std::string> options = {};
  // Of a worker: its name, its slots, the numeric address and port of the master, its own address, by which
  // other workers reach it, and where copies of state may be kept for all jobs; empty: nowhere.
  std::string worker = {};
  int slots = 1;
  std::string masterAddress = "127.0.0.1";
  uint16_t port = 0;
  std::string dataAddress = "127.0.0.1";
  std::string localFolder = {};
  /// Of a master.
  struct Managed {
    /// Of the job; empty: it draws one.
    std::string jobId = {};
    /// That workers come to; numeric.
    std::string address = "127.0.0.1";
    /// It begins with the newest of the job's own checkpoints, where an earlier master has left some.
    bool recovers = false;
    /// It serves the documents about the job over HTTP on this machine.
    bool serves = false;
    /// Where it leaves them at the end of the job; empty: nowhere.
    std::string archive = {};
    /// Of who manages workers, and is told those that are lost; 0: nobody.
    std::string managerAddress = {};
    uint16_t managerPort = 0;
  };
  Managed master = {};

  std::string encode() const;
  /// Throws Error(kUser) that names both versions for those of another one, Error(kCorruption) for other
  /// bytes.
  static ProgramRole decode(std::string_view bytes);
};

/// The log file of a part of a job, where that of the job has this name: "/logs/orders.log" gives
/// "/logs/orders-w1.log" for the part "w1". Empty stays empty.
std::string logFileOf(const std::string& file, const std::string& part);

/// What a worker answers when its master has no more to do for it.
inline constexpr const char* kDismissed = "dismissed";

/// How a master is reached.
struct MasterAnswer {
  std::string jobId;
  std::string jobName;
  uint16_t port = 0;      // for workers
  uint16_t restPort = 0;  // 0: it serves nothing
  int32_t slots = 1;      // that the job takes

  std::string encode() const;
  /// As ProgramRole's.
  static MasterAnswer decode(std::string_view bytes);
};

struct ProgramPlan {
  std::string jobName;
  std::string tree;  // for people
  std::string json;  // of its operators, as Flink's for the client
  std::string rest;  // of its vertices, as Flink's for REST: {"plan":…}
  GraphDigest digest;

  std::string encode() const;
  /// As ProgramRole's.
  static ProgramPlan decode(std::string_view bytes);
};

}  // namespace flott
