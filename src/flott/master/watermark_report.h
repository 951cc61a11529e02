// Why a watermark does not rise: for each operator of a job, how far its event time is, and who holds it
// back.
//
// The watermark of an operator is that of its slowest subtask, and that of a subtask the least of its inputs
// that are active: so there is always one channel to blame, behind it one upstream subtask, and at the end
// one split of one source, or an operator that has not worked off what it got. The master collects where all
// tasks stand (TaskTimes) and follows the slowest way back. A pure function of that; the report is a value.
//
//   operator 'hourly', subtask 1/2: watermark 2026-01-01T00:00:05.000Z, unmoved for 2 min
//     held back by source 'clicks', subtask 2/2, split '3', by way of 'parse' 2/2:
//     no record for 2 min, and not declared idle; …
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/time.h"
#include "flott/graph/job_graph.h"
#include "flott/runtime/task_times.h"

namespace flott {

/// What holds a watermark back where it comes from.
enum class HoldCause : uint8_t {
  kEnded,         // nothing: the input has ended
  kNoWatermarks,  // the source has no strategy, and no operator behind it makes watermarks
  kNoData,        // no record yet, and not declared idle
  kQuiet,         // no record for a while, and not declared idle
  kNotRising,     // records come, but their timestamps, or what the generator makes of them, stay
  kIdle,          // declared idle, as is all beside it
  kNoSplit,       // the reader has nothing to read
  kQueued,        // the split waits until its reader is through with another
  kAlignment,     // paused, since it is ahead of its alignment group
  kBackPressure,  // what comes behind it takes nothing
  kBusy,          // has yet to work off what it got
  kNoAnswer,      // its task does not answer
};

struct WatermarkHold {
  struct Place {
    std::string operatorName;
    SubtaskIndex subtask;
    int parallelism = 1;
    bool source = false;
    bool operator==(const Place&) const = default;
  };

  Place at;                // the operator, and its slowest subtask
  Timestamp watermark;     // that it has put out; min(): none yet, max(): all its input has ended
  Duration unmoved;        // for how long it has not risen
  std::vector<Place> way;  // from `at` back to `holder`, without both
  Place holder;
  std::string split;  // of the holder; empty: all of it
  HoldCause cause = HoldCause::kEnded;
  Duration since;  // for how long the cause has been there; zero where that is not known
  std::string toString() const;
  /// What holds it back and why, without the operator that is held back.
  std::string reason() const;
};

struct WatermarkReport {
  std::vector<WatermarkHold> operators;  // in the order of the job graph
  /// For people, some lines for each operator.
  std::string toString() const;
};

/// By vertex and subtask: those that run. `silent` are running tasks that did not answer.
WatermarkReport makeWatermarkReport(const JobGraph& graph,
                                    const std::map<std::pair<int, int>, TaskTimes>& tasks,
                                    const std::set<std::pair<int, int>>& silent);

/// Which stalls have been told already: each is told once, until the watermark rises.
class StallLog {
 public:
  /// One text for each place that holds back a watermark which has not moved for `limit`.
  std::vector<std::string> news(const WatermarkReport& report, Duration limit);

 private:
  std::map<std::string, Timestamp> told_;  // by holder, the watermark that it was told for
};

}  // namespace flott
