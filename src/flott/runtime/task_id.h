// Which task of a job.
#pragma once

#include "flott/base/types.h"

namespace flott {

struct TaskId {
  int vertex = 0;
  SubtaskIndex subtask;
  int attempt = 0;
};

}  // namespace flott
