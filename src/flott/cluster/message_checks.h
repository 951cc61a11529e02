// Whether what a message says fits the job that both sides have: indices that are none must not get further.
//
// Called where messages arrive. What fails here is a fault of the other side's program, since both have built
// the same graph and the bytes came as they were sent: Error(kBug), which ends the link.
#pragma once

#include <set>
#include <utility>

#include "flott/graph/job_graph.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/runtime/task_times.h"

namespace flott {

void checkTask(const JobGraph& graph, int vertex, int subtask);
/// Of a task that reads splits.
void checkReads(const JobGraph& graph, int vertex);
void checkFits(const JobGraph& graph, int vertex, const TaskSnapshot& snapshot);
void checkFits(const JobGraph& graph, int vertex, const TaskTimes& times);
void checkFits(const JobGraph& graph, int vertex, const RestoredTask& restored);
/// Each channel of one of `mine` leads to another of these or to one of `elsewhere`.
void checkPlaces(const JobGraph& graph, const std::set<std::pair<int, int>>& mine,
                 const std::set<std::pair<int, int>>& elsewhere);

}  // namespace flott
