// Where the event time of one task stands: what the master puts together to an explanation of watermarks that
// do not rise. Made by the task on its lane, then the master's own.
#pragma once

#include <cstdint>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/operators/watermark_origin.h"

namespace flott {

struct TaskTimes {
  /// One operator of the chain.
  struct Node {
    Timestamp input;         // least of its inputs
    Timestamp output;        // what it has put out
    int64_t movedNanos = 0;  // monotonic, when `output` last rose; at first when it was opened
    bool busy = false;       // has not worked off what it got
    bool full = false;       // what comes behind it takes nothing
    std::vector<WatermarkOrigin> origins;
  };
  /// One channel that the task reads.
  struct Input {
    int edge = 0;    // JobEdge::id
    int sender = 0;  // subtask
    Timestamp watermark;
    bool active = true;
    bool over = false;     // nothing but the end may follow
    bool waiting = false;  // it holds elements that are not read yet
  };

  int64_t nowNanos = 0;
  /// Since when back-pressure keeps it from taking input; 0: it does not.
  int64_t heldUpSinceNanos = 0;
  std::vector<Node> nodes;    // as JobVertex::chain
  std::vector<Input> inputs;  // empty for sources
};

}  // namespace flott
