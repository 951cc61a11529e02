// What a job graph looks like, in lines that can be compared: so that a worker whose program builds another
// graph than the master's is found before it gets tasks, and can be told what differs.
//
// Everything that indices of messages and names of state rest on is in it; code is not, for two builds of one
// program cannot be told apart by it. A plain value, made once on each side.
//
//   if (auto difference = digest.differenceTo(digestOf(graph))) refuse(*difference);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flott/graph/job_graph.h"

namespace flott {

struct GraphDigest {
  std::vector<std::string> lines;

  /// The first difference, for people: "has … where … is expected"; nothing when they are equal.
  std::optional<std::string> differenceTo(const GraphDigest& expected) const;
  bool operator==(const GraphDigest&) const = default;
};

GraphDigest digestOf(const JobGraph& graph);

}  // namespace flott
