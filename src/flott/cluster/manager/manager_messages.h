// What the JobManager and its TaskManagers say to each other: plain values, and the bytes that carry them.
//
// As messages.h, in the same frames. A TaskManager opens the connection and registers; what it is told to
// start it tells the end of. Any thread; no state.
//
//   port.send(encodeFrame(ToTaskManager(manager_messages::StopWorker{7})));
//   std::visit(handler, decodeFrame<ToJobManager>(frame));
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "flott/cluster/message_frames.h"

namespace flott {

namespace manager_messages {

/// In both directions, from time to time.
struct Heartbeat {};

// --- from a TaskManager to the JobManager ---

/// The first message. The answer is Welcome or Refused.
struct Register {
  std::string id;           // of no other TaskManager of the cluster at the same time
  std::string host;         // for people
  std::string address;      // numeric, by which workers elsewhere reach those that it starts
  std::string restAddress;  // where it serves its logs and metrics
  uint16_t restPort = 0;
  int32_t slots = 1;
  int32_t cpus = 1;
  uint64_t memoryBytes = 0;  // of the machine
  std::string version;       // of Flott
};

/// A worker is there no more, or was never started.
struct WorkerEnded {
  uint64_t worker = 0;
  bool dismissed = false;  // by its master: the job needs it no more
  std::string how;         // "was killed by signal 9 (killed)"
};

// --- from the master of a job to the JobManager, over a connection of its own ---

/// The master has given up a worker whose process may still be there.
struct LostWorker {
  std::string jobId;
  std::string worker;  // its name
};

/// A worker has come to its master.
struct WorkerRegistered {
  std::string jobId;
  std::string worker;  // its name
};

// --- from the JobManager to a TaskManager ---

struct Welcome {
  int64_t heartbeatIntervalMs = 0;
  int64_t heartbeatTimeoutMs = 0;
  /// Where programs are to be had.
  std::string restAddress;
  uint16_t restPort = 0;
  /// Ids of those that have not ended.
  std::vector<std::string> jobs = {};
};

struct Refused {
  std::string why;
};

struct StartWorker {
  uint64_t worker = 0;  // a number of none before
  std::string jobId;
  std::string name;     // as the job's master knows it
  std::string program;  // its id in the store
  std::vector<std::string> arguments;
  std::map<std::string, std::string> options;
  int32_t slots = 1;
  std::string masterAddress;  // numeric
  uint16_t masterPort = 0;
};

/// Ends it, unless it has ended.
struct StopWorker {
  uint64_t worker = 0;
};

/// What is kept for it on the disk may go.
struct JobEnded {
  std::string jobId;
};

/// The cluster ends, and the TaskManager with it.
struct Shutdown {};

}  // namespace manager_messages

using ToJobManager =
    std::variant<manager_messages::Heartbeat, manager_messages::Register, manager_messages::WorkerEnded,
                 manager_messages::LostWorker, manager_messages::WorkerRegistered>;
using ToTaskManager =
    std::variant<manager_messages::Heartbeat, manager_messages::Welcome, manager_messages::Refused,
                 manager_messages::StartWorker, manager_messages::StopWorker, manager_messages::Shutdown,
                 manager_messages::JobEnded>;

}  // namespace flott
