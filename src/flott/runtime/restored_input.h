// What a task starts with before it reads its channels: what was in flight in the job before.
//
// It has the channels that the job had when its checkpoint was made, each with a time of its own, in place of
// today's: there may have been others then. They take turns; of a channel whose records went to several tasks
// each task takes those that are its own by the edge's partitioner. Once all are drained today's channels
// begin with the times that those had reached. Part of an input gate, on its task's thread.
//
//   while (std::optional<RestoredInput::Taken> taken = restored.next()) work(taken->line, taken->element);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flott/data/partitioning.h"
#include "flott/runtime/in_flight.h"

namespace flott {

class RestoredInput {
 public:
  /// How today's records of the edge find their way to this task.
  struct Routing {
    Partitioning partitioning;
    uint32_t parallelism = 1;
    uint32_t maxParallelism = 128;
    uint32_t subtask = 0;
  };
  struct Line {
    int edge = 0;
    int input = 0;
    int sender = 0;  // of the job before
    bool exact = false;
    Timestamp watermark = Timestamp::min();
    bool active = true;
    bool over() const { return watermark == Timestamp::max(); }
  };
  struct Taken {
    size_t line;
    Element element;
  };

  /// `pools` are those of the task's lane; `pool` is that of the edge's batches, which may be null where the
  /// channel has none. `where` names the edge in errors.
  void add(RestoredChannel channel, int input, Routing routing, BatchPools& pools, PoolOf pool,
           std::string where);
  bool empty() const { return lines_.empty(); }
  const std::vector<Line>& lines() const { return lines_; }
  bool has(int edge) const;
  /// Batches, watermarks, which are noted in their line, and statuses; nothing when all are drained.
  std::optional<Taken> next();
  /// What is known of the time of records that `sender` sends on this edge from now on.
  Timestamp watermarkOf(int edge, int sender) const;
  void clear();

 private:
  struct Content {
    RestoredChannel channel;
    Routing routing;
    BatchPools* pools;
    PoolOf pool;
    std::string where;
    size_t part = 0;
    std::optional<InFlightReader> reader;
  };

  std::optional<Element> next(Content& content);
  static Batch own(Content& content, Batch batch, std::vector<uint32_t>& targets);

  std::vector<Line> lines_;
  std::vector<Content> contents_;  // as lines_
  std::vector<uint32_t> targets_;
  size_t turn_ = 0;
};

}  // namespace flott
