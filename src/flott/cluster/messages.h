// What the master of a job and its workers say to each other: plain values, and the bytes that carry them.
//
// Messages are structs of one variant for each direction, encoded as records are (data/codec.h), in frames
// (message_frames.h): their layout, and the order in the variants, is the protocol; kProtocolVersion rises
// with every change, which a test watches. Messages of a task name its attempt: what comes of an earlier one
// is not listened to. Any thread; no state.
//
//   port.send(frameOf(messages::Cancel{task}));
//   std::visit(handler, decodeToWorker(frame));
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/time.h"
#include "flott/cluster/message_frames.h"
#include "flott/data/element.h"
#include "flott/graph/graph_digest.h"
#include "flott/operators/accumulators.h"
#include "flott/operators/source.h"
#include "flott/runtime/task_gateway.h"
#include "flott/runtime/task_id.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/runtime/task_times.h"

namespace flott {

namespace messages {

/// An Error on its way.
struct Failure {
  ErrorKind kind = ErrorKind::kBug;
  std::string message;
  std::vector<std::string> context;

  static Failure of(const Error& error) { return {error.kind(), error.message(), error.context()}; }
  Error error() const;
};

// --- in both directions ---

/// From time to time, so that the other side knows that this one lives.
struct Heartbeat {};

// --- from a worker to the master ---

/// The first message. The answer is Welcome or Refused.
struct Register {
  std::string worker;  // its name, of no other worker of the job at the same time
  int32_t slots = 1;
  GraphDigest graph;
};

/// A task as it stands; with its last word too.
struct TaskReport {
  TaskId task;
  TaskState state = TaskState::kCreated;
  std::vector<OperatorReadings> operators = {};
  std::vector<MetricReading> metrics = {};  // of the task itself
};

struct Reports {
  std::vector<TaskReport> tasks;
};

// As the calls of MasterGateway.
struct TaskEnded {
  TaskReport last;
  std::optional<Failure> failure;
  Accumulators accumulators;
};

struct Damaged {
  TaskId task;
  Failure what;
};

struct SplitRequest {
  TaskId task;
};

struct EventOfReader {
  TaskId task;
  std::string event;
};

struct WatermarkOfTask {
  TaskId task;
  Timestamp time;
};

struct Acknowledgement {
  TaskId task;
  CheckpointId checkpoint;
  TaskSnapshot snapshot;
};

struct AwaitsFinalCheckpoint {
  TaskId task;
};

struct Decline {
  TaskId task;
  CheckpointId checkpoint;
  Failure reason;
};

struct Times {
  TaskId task;
  uint64_t question = 0;
  TaskTimes times;
};

struct AccumulatorsOfTask {
  TaskId task;
  uint64_t question = 0;
  Accumulators accumulators;
};

/// The answer to OpenLinks: where other workers reach it, unless it has failed.
struct LinksOpened {
  uint64_t links = 0;
  std::string address;  // numeric
  uint16_t port = 0;
  std::optional<Failure> failure;
};

/// From whoever had started a worker, over a connection of its own, which ends with it: the process is gone.
struct WorkerEnded {
  std::string worker;
  std::string how;  // "was killed by signal 11 (segmentation fault)", and what it has left
};

// --- from the master to a worker ---

/// The worker belongs to the job.
struct Welcome {
  std::string jobId;
  std::map<std::string, std::string> configuration;
};

/// It does not, and the link is closed.
struct Refused {
  std::string why;
};

/// The worker will get tasks with channels to other workers, and is to listen for these.
struct OpenLinks {
  uint64_t links = 0;  // a number of these in the job, never used again
  int32_t attempt = 0;
};

/// Another worker with tasks of the same attempt and region.
struct Peer {
  struct One {
    int32_t vertex = 0;
    int32_t subtask = 0;
  };
  std::string worker;
  std::string address;  // numeric
  uint16_t port = 0;
  std::vector<One> tasks;
};

/// Tasks of one attempt of a region that are to run in the worker. The rest of the region is at the peers.
struct Deploy {
  struct One {
    int32_t vertex = 0;
    int32_t subtask = 0;
    RestoredTask restored;
  };
  int32_t attempt = 0;
  uint32_t region = 0;
  bool isRestored = false;
  std::vector<One> tasks;
  uint64_t links = 0;  // those to the peers
  std::vector<Peer> peers;
};

/// All tasks that used them have ended, in all workers, or will never be deployed.
struct CloseLinks {
  uint64_t links = 0;
};

/// The job has ended, or wants this worker no more: what still runs there is cancelled.
struct Dismiss {};

// As the calls of TaskGateway.
struct Cancel {
  TaskId task;
};

struct Splits {
  TaskId task;
  std::vector<SourceSplit> splits;
};

struct NoMoreSplits {
  TaskId task;
};

struct EventForReader {
  TaskId task;
  std::string event;
};

struct WatermarkLimit {
  TaskId task;
  Timestamp limit;
};

struct Trigger {
  TaskId task;
  Barrier barrier;
};

struct CheckpointEnd {
  TaskId task;
  CheckpointId checkpoint;
  bool completed = false;
};

struct Drain {
  TaskId task;
};

struct ReadTimes {
  TaskId task;
  uint64_t question = 0;
};

struct ReadAccumulators {
  TaskId task;
  uint64_t question = 0;
};

}  // namespace messages

using ToMaster = std::variant<messages::Heartbeat, messages::Register, messages::Reports, messages::TaskEnded,
                              messages::Damaged, messages::SplitRequest, messages::EventOfReader,
                              messages::WatermarkOfTask, messages::Acknowledgement,
                              messages::AwaitsFinalCheckpoint, messages::Decline, messages::Times,
                              messages::AccumulatorsOfTask, messages::LinksOpened, messages::WorkerEnded>;

using ToWorker = std::variant<messages::Heartbeat, messages::Welcome, messages::Refused, messages::Deploy,
                              messages::Dismiss, messages::Cancel, messages::Splits, messages::NoMoreSplits,
                              messages::EventForReader, messages::WatermarkLimit, messages::Trigger,
                              messages::CheckpointEnd, messages::Drain, messages::ReadTimes,
                              messages::ReadAccumulators, messages::OpenLinks, messages::CloseLinks>;

std::string frameOf(const ToMaster& message);
std::string frameOf(const ToWorker& message);
/// Of a whole frame. Throws as messageBytes(), and Error(kCorruption) for bytes that are not as they were
/// sent.
ToMaster decodeToMaster(std::string_view frame);
ToWorker decodeToWorker(std::string_view frame);

}  // namespace flott
