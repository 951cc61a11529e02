// What a place that makes watermarks knows about them: for the explanation of a watermark that stalls.
//
// A source with a strategy has one for each of its splits; an operator behind
// assignTimestampsAndWatermarks(…) has one. Filled by the task, read by the master.
#pragma once

#include <cstdint>
#include <string>

#include "flott/base/time.h"

namespace flott {

struct WatermarkOrigin {
  enum class State : uint8_t {
    kActive,   // counts
    kIdle,     // left out: without a record for its idleness
    kQueued,   // its reader reads one split after the other, and is at another
    kPaused,   // ahead of its alignment group
    kNoSplit,  // the reader has none at the moment
  };

  std::string split;  // empty: all of this subtask
  Timestamp watermark;
  State state = State::kActive;
  int64_t lastRecordNanos = 0;  // monotonic; 0: none yet
};

}  // namespace flott
