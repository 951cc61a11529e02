// The sending half of an exchange: spreads the batches of one edge over the channels to the next operator's
// subtasks.
//
// Owned and called by one task. Data goes into an open batch for each channel, which is sent when it is full,
// when its receiver has nothing left to do at the end of a step, or when it is older than the buffer
// time-out; control elements flush and go to all channels. What a full ring does not take waits here, in
// order: the exchange is then full and the task stops until it has drained. Bytes that wait are capped;
// breaching the cap fails the task.
//
// A barrier that overtakes goes before all that waits here, which becomes part of the checkpoint.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "flott/base/time.h"
#include "flott/data/element.h"
#include "flott/data/partitioning.h"
#include "flott/data/pool.h"
#include "flott/operators/metrics.h"
#include "flott/runtime/batch_counter.h"
#include "flott/runtime/channel.h"
#include "flott/runtime/in_flight.h"

namespace flott {

class HotKeys;

struct ExchangeOptions {
  Partitioning partitioning;
  /// Receiving subtasks of the whole edge and key groups; for kHash.
  uint32_t parallelism = 1;
  uint32_t maxParallelism = 128;
  /// Index of the sending subtask, where round robin begins; and the seed for shuffling.
  uint32_t subtask = 0;
  uint64_t seed = 0;
  Duration bufferTimeout = Duration::millis(100);  // negative: never; zero: after every step
  size_t overrunCapBytes = size_t{256} << 20;
  /// Round robin looks at so many next receivers and takes the least loaded, batch by batch; 0: strictly in
  /// turn.
  uint32_t adaptiveReach = 0;
  /// In checkpoints; and whether barriers may overtake here.
  EdgeName edge = {};
  bool overtakable = false;
};

class Exchange {
 public:
  /// One channel for each receiver, in the order of their subtasks, and the pools that its batches come from.
  /// The channels and pools outlive the exchange.
  Exchange(ExchangeOptions options, const std::vector<Channel*>& channels, std::vector<BatchPools*> pools);
  ~Exchange();

  /// Of an exchange by key: names the keys that have an outsized share of the records, in a metric of this
  /// name.
  void reportHotKeys(MetricGroup& metrics, const std::string& name);

  void emit(Batch batch);
  /// Watermarks, statuses, barriers, markers, end of input: flushes, then goes to every channel.
  void broadcast(const Element& control);
  /// To one channel, another each time, behind the records that wait there for their batch to fill: a marker
  /// takes as long as they do.
  void emitMarker(const LatencyMarker& marker);

  /// The barrier goes before what waits here and into the bypasses; also when it was broadcast before, and
  /// waits. Appends what it overtook, by channel. For overtakable ones only.
  void overtake(const Barrier& barrier, std::vector<InFlightSequence>& overtaken);
  bool overtakable() const { return options_.overtakable; }
  /// A barrier that was broadcast has not left for some channel.
  bool holds(CheckpointId checkpoint) const;

  /// Something waits for room: do not emit if it can be avoided.
  bool full() const { return waiting_.value() > 0 && waitingBytes_ >= allowance_; }
  /// So many bytes may wait before it counts as full; zero: nothing.
  void setAllowance(size_t bytes) { allowance_ = bytes; }
  /// Everything was handed to the channels.
  bool drained() const { return waiting_.value() == 0 && open_ == 0; }

  /// At the beginning of a step: moves what waits into the rings. Whether nothing waits any more.
  bool drain();
  /// At the end of a step: sends the open batches that are due.
  void endStep(int64_t nowNanos);
  /// Sends every open batch.
  void flush();
  /// When endStep() must be called again because of the buffer time-out.
  int64_t deadlineNanos() const { return deadline_; }

  size_t waitingBytes() const { return waitingBytes_; }
  /// What went into the channels. Any thread.
  const BatchCounter& sent() const { return sent_; }
  /// Elements that wait here, in the channels and, of those that lead elsewhere, at the other end. Any
  /// thread.
  ChannelFill fill() const;

 private:
  struct Target {
    explicit Target(Channel* to) : channel(to) {}
    Target(Target&&) = default;
    Target(const Target&) = delete;

    Channel* channel;
    std::deque<Element> waiting;
    CheckpointId barrier;                // the last one that was pushed
    size_t barrierPosition = 0;          // of it in the channel
    std::vector<LatencyMarker> markers;  // go behind the open batch
  };

  void emitWhole(size_t target, Batch batch);
  void emitScattered(Batch batch);
  void emitRoundRobin(Batch batch);
  size_t leastLoaded() const;
  void sendToAll(Batch batch, WakeUp when);
  bool broadcasts() const { return options_.partitioning.kind == PartitionKind::kBroadcast; }
  /// What has not been sent to this receiver: when all get the same there is one for all.
  Batch& openOf(size_t target) { return batches_[broadcasts() ? 0 : target]; }
  bool starving(size_t target) const;
  void sendMarkers(size_t target);
  void sendOpen(size_t target, WakeUp when = WakeUp::kNow);
  void overtake(size_t target, Barrier barrier, std::string& elements);
  bool tryPush(Target& receiver, Element& element, WakeUp when = WakeUp::kNow);
  void send(size_t target, Element element, WakeUp when = WakeUp::kNow);
  const uint32_t* keyTargets(const Batch& batch);
  void lookForHotKeys(const Batch& batch);

  const ExchangeOptions options_;
  const std::vector<BatchPools*> pools_;  // of each receiver
  std::vector<Target> receivers_;
  std::vector<Batch> batches_;  // open batch of each channel, empty handle when there is none
  size_t open_ = 0;
  bool stamped_ = false;  // whether the open batches have timestamps
  std::vector<uint32_t> targets_;
  int groupShift_;   // key group = hash >> 1 >> groupShift_: with one group the distance would be 64
  int spreadShift_;  // log2 of max parallelism
  uint32_t next_;    // round robin
  size_t nextMarker_ = 0;
  uint64_t random_;
  BatchCounter sent_;
  Counter waiting_;  // elements in all `waiting` queues
  size_t waitingBytes_ = 0;
  size_t allowance_ = 0;
  int64_t openedAt_ = 0;  // when the oldest open batch was first seen at the end of a step; 0: none
  int64_t deadline_;
  std::unique_ptr<HotKeys> hotKeys_;  // null: nobody asked
  TextGauge* hotKeysText_ = nullptr;
};

}  // namespace flott
