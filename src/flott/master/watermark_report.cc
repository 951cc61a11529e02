#include "flott/master/watermark_report.h"

#include <algorithm>

namespace flott {
namespace {

using Tasks = std::map<std::pair<int, int>, TaskTimes>;

// A split counts as quiet when its last record is so long ago; before, its timestamps are to blame.
constexpr Duration kQuiet = Duration::seconds(5);

std::string text(const WatermarkHold::Place& place) {
  return (place.source ? "source '" : "operator '") + place.operatorName + "', subtask " +
         std::to_string(place.subtask.value + 1) + "/" + std::to_string(place.parallelism);
}

// "3 s", "2 min 5 s": to the second, with the two largest units.
std::string roughly(Duration time) {
  const int64_t seconds = time.ms / 1000;
  const auto both = [](int64_t large, const char* unit, int64_t small, const char* smallUnit) {
    const std::string text = std::to_string(large) + unit;
    return small == 0 ? text : text + " " + std::to_string(small) + smallUnit;
  };
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return both(seconds / 60, " min", seconds % 60, " s");
  return both(seconds / 3600, " h", seconds / 60 % 60, " min");
}

// Follows the slowest way back from one operator of one subtask.
class Trace {
 public:
  Trace(const JobGraph& graph, const Tasks& tasks, const std::set<std::pair<int, int>>& silent)
      : graph_(graph), tasks_(tasks), silent_(silent) {}

  WatermarkHold from(int vertex, int subtask, size_t index) const {
    WatermarkHold hold;
    hold.at = place(vertex, subtask, index);
    const TaskTimes& task = tasks_.at({vertex, subtask});
    hold.watermark = task.nodes[index].output;
    hold.unmoved = Duration::millis((task.nowNanos - task.nodes[index].movedNanos) / 1'000'000);
    hold.holder = hold.at;
    if (hold.watermark < Timestamp::max()) follow(vertex, subtask, index, hold);
    if (!hold.way.empty()) hold.way.pop_back();  // the holder
    return hold;
  }

 private:
  WatermarkHold::Place place(int vertex, int subtask, size_t index) const {
    const JobVertex& at = graph_.vertices[static_cast<size_t>(vertex)];
    return {.operatorName = at.chain[index].name,
            .subtask = SubtaskIndex(subtask),
            .parallelism = at.parallelism,
            .source = at.chain[index].source != nullptr};
  }

  // Chains are short, edges go forward: this ends at a source.
  void follow(int vertex, int subtask, size_t index, WatermarkHold& hold) const {
    const JobVertex& at = graph_.vertices[static_cast<size_t>(vertex)];
    const auto found = tasks_.find({vertex, subtask});
    if (found == tasks_.end()) {
      hold.cause = silent_.contains({vertex, subtask}) ? HoldCause::kNoAnswer : HoldCause::kEnded;
      return;
    }
    const TaskTimes& task = found->second;
    const TaskTimes::Node& node = task.nodes[index];
    if (!node.origins.empty()) return originOf(task, node, hold);
    if (at.chain[index].source != nullptr) {
      hold.cause = HoldCause::kNoWatermarks;
      return;
    }
    if (node.input > node.output) return heldUp(task, node, hold);
    if (index > 0) {
      const size_t parent = parentOf(at, index);
      if (task.nodes[parent].output > node.input && node.busy) return heldUp(task, node, hold);
      return step(vertex, subtask, parent, hold);
    }
    const TaskTimes::Input* slowest = slowestInput(task);
    if (slowest == nullptr) {
      hold.cause = HoldCause::kEnded;
      return;
    }
    const JobEdge& edge = graph_.edges[static_cast<size_t>(slowest->edge)];
    const auto sender = tasks_.find({edge.from, slowest->sender});
    const auto from = static_cast<size_t>(edge.fromOperator);
    // It has put out more than has come through the channel: whoever reads the channel is behind.
    if (sender != tasks_.end() && sender->second.nodes[from].output > slowest->watermark &&
        slowest->waiting) {
      return heldUp(task, node, hold);
    }
    step(edge.from, slowest->sender, from, hold);
  }

  void step(int vertex, int subtask, size_t index, WatermarkHold& hold) const {
    hold.holder = place(vertex, subtask, index);
    hold.way.push_back(hold.holder);
    follow(vertex, subtask, index, hold);
  }

  static size_t parentOf(const JobVertex& vertex, size_t index) {
    for (size_t parent = 0; parent < index; ++parent) {
      for (const ChainedOutput& output : vertex.chain[parent].outputs) {
        if (output.to == static_cast<int>(index)) return parent;
      }
    }
    return 0;
  }

  // Of those that are active; when none is, the furthest of the others decides.
  static const TaskTimes::Input* slowestInput(const TaskTimes& task) {
    const TaskTimes::Input* slowest = nullptr;
    const TaskTimes::Input* furthestIdle = nullptr;
    for (const TaskTimes::Input& input : task.inputs) {
      if (input.over) continue;
      if (!input.active) {
        if (furthestIdle == nullptr || input.watermark > furthestIdle->watermark) furthestIdle = &input;
      } else if (slowest == nullptr || input.watermark < slowest->watermark) {
        slowest = &input;
      }
    }
    return slowest != nullptr ? slowest : furthestIdle;
  }

  static void heldUp(const TaskTimes& task, const TaskTimes::Node& node, WatermarkHold& hold) {
    hold.cause = node.full ? HoldCause::kBackPressure : HoldCause::kBusy;
    if (task.heldUpSinceNanos > 0) {
      hold.since = Duration::millis((task.nowNanos - task.heldUpSinceNanos) / 1'000'000);
    }
  }

  static void originOf(const TaskTimes& task, const TaskTimes::Node& node, WatermarkHold& hold) {
    using State = WatermarkOrigin::State;
    const WatermarkOrigin* slowest = nullptr;
    for (const WatermarkOrigin& origin : node.origins) {
      if (origin.state == State::kIdle) continue;
      if (slowest == nullptr || origin.watermark < slowest->watermark) slowest = &origin;
    }
    if (slowest == nullptr) {
      hold.cause = HoldCause::kIdle;
      return;
    }
    hold.split = slowest->split;
    const bool none = slowest->lastRecordNanos == 0;
    if (!none) hold.since = Duration::millis((task.nowNanos - slowest->lastRecordNanos) / 1'000'000);
    switch (slowest->state) {
      case State::kNoSplit:
        hold.cause = HoldCause::kNoSplit;
        return;
      case State::kQueued:
        hold.cause = HoldCause::kQueued;
        return;
      case State::kPaused:
        hold.cause = HoldCause::kAlignment;
        return;
      default:
        break;
    }
    if (node.full) return heldUp(task, node, hold);
    if (none) hold.since = hold.unmoved;
    hold.cause = none ? HoldCause::kNoData : hold.since >= kQuiet ? HoldCause::kQuiet : HoldCause::kNotRising;
  }

  const JobGraph& graph_;
  const Tasks& tasks_;
  const std::set<std::pair<int, int>>& silent_;
};

std::string why(const WatermarkHold& hold) {
  const std::string time = roughly(hold.since);
  const std::string idleness = "; withIdleness(…) in its strategy lets the others go on without it";
  switch (hold.cause) {
    case HoldCause::kEnded:
      return "its input has ended";
    case HoldCause::kNoWatermarks:
      return "it makes no watermarks; give it a strategy with fromSource(source, strategy), or call "
             "assignTimestampsAndWatermarks(strategy) on its stream";
    case HoldCause::kNoData:
      return "no record has come yet, and it is not declared idle" + idleness;
    case HoldCause::kQuiet:
      return "no record for " + time + ", and it is not declared idle" + idleness;
    case HoldCause::kNotRising:
      return "records come, the last " + time +
             " ago, but their timestamps do not rise, or its generator makes no watermark of them";
    case HoldCause::kIdle:
      return "it is idle, and so are all beside it: time stands still until a record comes";
    case HoldCause::kNoSplit:
      return "its reader has no split to read, and it is not declared idle" + idleness;
    case HoldCause::kQueued:
      return "this split waits until the reader is through with the one before it";
    case HoldCause::kAlignment:
      return "it is paused, since it is ahead of its alignment group: look for the group's slowest source";
    case HoldCause::kBackPressure:
      return "back-pressure" + (hold.since > Duration() ? " for " + time : std::string()) +
             ": what comes behind it is too slow";
    case HoldCause::kBusy:
      return "it has not yet worked off what it got" +
             (hold.since > Duration() ? ", for " + time : std::string());
    case HoldCause::kNoAnswer:
      return "its task does not answer: user code may block its lane";
  }
  return {};
}

}  // namespace

WatermarkReport makeWatermarkReport(const JobGraph& graph, const Tasks& tasks,
                                    const std::set<std::pair<int, int>>& silent) {
  WatermarkReport report;
  const Trace trace(graph, tasks, silent);
  for (const JobVertex& vertex : graph.vertices) {
    for (size_t index = 0; index < vertex.chain.size(); ++index) {
      int slowest = -1;
      Timestamp low;
      for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
        const auto task = tasks.find({vertex.id, subtask});
        if (task == tasks.end()) continue;
        const Timestamp output = task->second.nodes[index].output;
        if (slowest >= 0 && output >= low) continue;
        slowest = subtask;
        low = output;
      }
      if (slowest >= 0) report.operators.push_back(trace.from(vertex.id, slowest, index));
    }
  }
  return report;
}

std::string WatermarkHold::reason() const {
  std::string text = flott::text(holder);
  if (!split.empty()) text += ", split '" + split + "'";
  return text + ": " + why(*this);
}

std::string WatermarkHold::toString() const {
  std::string lines = text(at) + ": ";
  if (watermark == Timestamp::max()) return lines + "all its input has ended\n";
  lines += watermark == Timestamp::min() ? std::string("no watermark yet")
                                         : "watermark " + flott::toString(watermark);
  lines += ", unmoved for " + roughly(unmoved) + "\n  held back by " + reason() + "\n";
  if (way.empty()) return lines;
  lines += "  by way of";
  for (size_t i = 0; i < way.size(); ++i) lines += (i == 0 ? " " : ", then ") + text(way[i]);
  return lines + "\n";
}

std::string WatermarkReport::toString() const {
  std::string lines;
  for (const WatermarkHold& hold : operators) lines += hold.toString();
  return lines;
}

std::vector<std::string> StallLog::news(const WatermarkReport& report, Duration limit) {
  struct Stall {
    const WatermarkHold* first;
    size_t operators;
  };
  std::map<std::string, Stall> stalls;
  for (const WatermarkHold& hold : report.operators) {
    const bool expected = hold.cause == HoldCause::kEnded || hold.cause == HoldCause::kIdle ||
                          hold.cause == HoldCause::kNoWatermarks;
    if (expected || hold.unmoved < limit) continue;
    const auto [stall, fresh] = stalls.try_emplace(text(hold.holder) + hold.split, Stall{&hold, 0});
    ++stall->second.operators;
  }
  std::vector<std::string> texts;
  std::map<std::string, Timestamp> told;
  for (const auto& [key, stall] : stalls) {
    const WatermarkHold& hold = *stall.first;
    const auto known = told_.find(key);
    if (known == told_.end() || known->second != hold.watermark) {
      std::string line = "the watermark of " + text(hold.at);
      if (stall.operators > 1) line += ", and of " + std::to_string(stall.operators - 1) + " behind it,";
      line += hold.watermark == Timestamp::min() ? std::string(" has not come")
                                                 : " stands at " + toString(hold.watermark);
      texts.push_back(line + " for " + roughly(hold.unmoved) + ". Held back by " + hold.reason());
    }
    told[key] = hold.watermark;
  }
  told_ = std::move(told);
  return texts;
}

}  // namespace flott
