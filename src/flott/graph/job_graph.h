// The job as it will run: chains of operators (vertices), the exchanges between them, slots.
//
// compile() applies Flink's chaining rules, resolves parallelism, max parallelism, slot sharing and operator
// ids, and refuses what cannot run with an Error(kUser) that names the operators. The master calls it and
// turns the JobGraph into tasks. Everything here is a pure function of the logical graph: the same program
// gives the same job graph, byte for byte, in every process, so that master and workers agree on indices. Any
// thread; nothing is shared.
//
//   JobGraph job = compile(graph);
//   std::puts(planTree(graph, job).c_str());
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/types.h"
#include "flott/graph/stream_graph.h"

namespace flott {

/// Where one output of an operator goes.
struct ChainedOutput {
  SideOutputIndex side{-1};  // −1: main
  int to = -1;               // index in JobVertex::chain; −1: an exchange
  int edge = -1;             // index in JobGraph::edges when `to` is −1
};

struct ChainedOperator {
  int node = 0;  // StreamNode::id
  /// The uid hash where one is given, else the hash of the uid, else of the operator's name, kind and inputs'
  /// ids: it depends on neither chaining, partitioning nor parallelism. Equal operators on one input are told
  /// apart by their order.
  OperatorId id;
  std::string name;
  std::string uid;
  std::shared_ptr<const OperatorFactory> op;
  std::shared_ptr<const SourceFactory> source;
  std::vector<ChainedOutput> outputs;  // in the order of the consumers' creation
};

/// A chain: a tree of operators that hand batches on by a direct call. chain[0] is its head; parents come
/// before children.
struct JobVertex {
  int id = 0;        // index
  std::string name;  // "Source: lines -> split -> (count, Sink: print)"
  /// The same of the operators' descriptions, or as a tree of lines.
  std::string description;
  int parallelism = 1;
  int maxParallelism = 128;  // the head's: keyed state is keyed by the exchange before it
  std::string slotSharingGroup;
  std::vector<ChainedOperator> chain;
  std::vector<int> inputEdges;  // indices in JobGraph::edges, by input and then creation
  std::vector<int> outputEdges;
};

struct JobEdge {
  int id = 0;            // index
  int from = 0, to = 0;  // vertices
  int fromOperator = 0;  // index in from's chain
  int input = 0;         // input of the target's head
  SideOutputIndex side{-1};
  Partitioning partitioning;  // resolved
  Duration bufferTimeout;     // negative: flush only when full; 0: after every step
  PoolOf pool = nullptr;      // of its batches; null: unknown, so that none can be decoded
};

/// The slots of one slot sharing group.
struct JobSlotGroup {
  std::string name;
  int slots = 1;                           // the largest parallelism in it
  std::optional<SlotResources> resources;  // of each slot
};

struct JobGraph {
  std::string jobName;
  std::vector<JobVertex> vertices;       // sources first, every edge goes forward
  std::vector<JobEdge> edges;            // in the order of the consumers' creation
  std::vector<JobSlotGroup> slotGroups;  // in the order of their first vertex
  int slots = 1;                         // of all groups
};

/// Default max parallelism: next power of two of 1.5 × parallelism, from 128 to 32768.
int defaultMaxParallelism(int parallelism);
/// Throws Error(kUser) for a graph that cannot run: no sink, one uid twice, a parallelism or max parallelism
/// out of range, forward between different parallelisms.
JobGraph compile(const StreamGraph& graph);
/// Flink's plan JSON: {"nodes":[{"id","type","pact","contents","parallelism",
/// "predecessors":[{"id","ship_strategy","side"}]}]}, one node for each operator; where groups have resources
/// also "slot_sharing_groups":[{"name","slots","cpu_cores","task_memory","managed_memory","external"}], in
/// bytes. Throws as compile() does.
std::string planJson(const StreamGraph& graph);
/// For people: the vertices as an indented tree with parallelism, exchanges, ids and types.
std::string planTree(const StreamGraph& graph, const JobGraph& job);

}  // namespace flott
