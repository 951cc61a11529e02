// What each task of a job has counted for itself, and all of it together.
//
// Values; any thread.
//
//   master.readTaskAccumulators([](std::vector<TaskAccumulators> all) { show(merged(all)); });
#pragma once

#include <vector>

#include "flott/operators/accumulators.h"
#include "flott/runtime/task_id.h"

namespace flott {

struct TaskAccumulators {
  TaskId task;
  Accumulators values;
};

/// By name. Throws Error(kUser) where tasks use one name for different classes.
inline Accumulators merged(const std::vector<TaskAccumulators>& all) {
  Accumulators together;
  for (const TaskAccumulators& one : all) together.merge(one.values);
  return together;
}

inline std::vector<TaskAccumulators> cloned(const std::vector<TaskAccumulators>& all) {
  std::vector<TaskAccumulators> copy;
  copy.reserve(all.size());
  for (const TaskAccumulators& one : all) copy.push_back({one.task, one.values.clone()});
  return copy;
}

}  // namespace flott
