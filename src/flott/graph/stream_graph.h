// The logical job: one node for each transformation that does something, edges with their partitioning.
//
// The API fills it while the user's program runs; nothing here knows threads or record types. It is then
// compiled into a JobGraph (job_graph.h). Operator and source factories are opaque handles: code is never
// part of the graph's data.
//
// Invariants, checked by compile(): a node lies at the place of its id, its inputs were created before it (so
// there is no cycle), sources have no inputs and all other nodes have. A union is no node: its streams are
// inputs of one number.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/partitioning.h"
#include "flott/graph/slot_sharing_group.h"

namespace flott {

class OperatorFactory;
class SourceFactory;

enum class ChainingStrategy : uint8_t {
  kAlways,  // chain with the operator before and after where possible
  kNever,
  kHead,  // begins a chain
};

enum class NodeKind : uint8_t { kSource, kOperator, kSink };

struct StreamEdge {
  int from = 0;                       // node id
  int input = 0;                      // which input of the target
  std::optional<PartitionKind> kind;  // none: forward if the parallelism is equal, else rebalance
  Partitioning partitioning;          // hasher / router for kHash / kCustom; its own kind is not looked at
  SideOutputIndex side{-1};           // −1: the main output
};

/// A side output that somebody reads.
struct SideOutput {
  SideOutputIndex index;
  std::string name;
  std::string type;  // text of the type description
  PoolOf pool = nullptr;
};

struct StreamNode {
  int id = 0;  // index + 1, in the order of creation
  NodeKind kind = NodeKind::kOperator;
  std::string name;  // without "Source: " or "Sink: ", which names of vertices and plans put before it
  std::string uid;   // empty: none given
  std::optional<OperatorId> uidHash;            // the operator's id itself, in place of a uid's hash
  std::string description;                      // empty: the name; for plans
  std::shared_ptr<const OperatorFactory> op;    // kOperator, kSink
  std::shared_ptr<const SourceFactory> source;  // kSource
  int parallelism = 0;                          // 0: the environment's default
  int maxParallelism = 0;                       // a power of two; 0: the environment's, else derived
  bool parallelismFixed = false;                // may only be 1 (fromCollection, windowAll)
  ChainingStrategy chaining = ChainingStrategy::kAlways;
  std::string slotSharingGroup;  // empty: that of the inputs if they agree, else "default"
  std::optional<Duration> bufferTimeout;
  std::string outputType;       // text of the type description; for plans
  PoolOf outputPool = nullptr;  // of what it puts out; null: such records are in no checkpoint
  std::vector<StreamEdge> inputs;
  std::vector<SideOutput> sideOutputs;  // indices and names are unique
};

struct StreamGraph {
  std::string jobName;
  int defaultParallelism = 1;
  int defaultMaxParallelism = 0;  // 0: next power of two of 1.5 × parallelism, from 128 to 32768
  bool chaining = true;
  bool chainDifferentMaxParallelism = true;
  Duration bufferTimeout = Duration::millis(100);
  bool cascadingDescriptions = false;  // of vertices: a line like their names, not a tree
  bool vertexIndexPrefix = false;      // names of vertices begin with "[vertex-0]"
  std::map<std::string, SlotResources>
      slotResources;  // by slot sharing group; others take slots as they come
  std::vector<StreamNode> nodes;
};

}  // namespace flott
