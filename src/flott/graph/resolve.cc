#include "flott/graph/internal/resolve.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/graph/job_graph.h"

namespace flott {
namespace {

constexpr int kMaxParallelismLimit = 32768;
constexpr int kMinDefaultMaxParallelism = 128;

int roundUpToPowerOfTwo(int n) { return static_cast<int>(std::bit_ceil(static_cast<unsigned>(n))); }
int roundDownToPowerOfTwo(int n) { return static_cast<int>(std::bit_floor(static_cast<unsigned>(n))); }

std::string quoted(const std::string& name) { return "'" + name + "'"; }
std::string jobPlace(const StreamGraph& graph) { return "job " + quoted(graph.jobName); }
std::string operatorPlace(const StreamNode& node) { return "operator " + quoted(node.name); }

// "'a', 'b' and 'c'"
std::string quotedList(const std::vector<std::string>& names) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " and " : ", ";
    list += quoted(names[i]);
  }
  return list;
}

// What the API must have built; the user can do nothing about a breach.
void checkShape(const StreamGraph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const StreamNode& node = graph.nodes[i];
    FLOTT_CHECK(node.id == static_cast<int>(i) + 1, operatorPlace(node) + " is not at the place of its id");
    FLOTT_CHECK(node.inputs.empty() == (node.kind == NodeKind::kSource),
                operatorPlace(node) + ": sources have no inputs, all others have");
    for (const StreamEdge& edge : node.inputs) {
      FLOTT_CHECK(edge.from >= 1 && edge.from < node.id,
                  operatorPlace(node) + " has an input that was not created before it: a cycle");
      FLOTT_CHECK(edge.input >= 0, operatorPlace(node) + " has an input without a number");
      FLOTT_CHECK(edge.kind != PartitionKind::kHash || edge.partitioning.hasher != nullptr,
                  operatorPlace(node) + ": a hash exchange needs a hasher");
      FLOTT_CHECK(edge.kind != PartitionKind::kCustom || edge.partitioning.router != nullptr,
                  operatorPlace(node) + ": a custom exchange needs a router");
    }
  }
}

void checkSinks(const StreamGraph& graph) {
  std::set<int> consumed;
  for (const StreamNode& node : graph.nodes) {
    if (node.kind == NodeKind::kSink) return;
    for (const StreamEdge& edge : node.inputs) consumed.insert(edge.from);
  }
  if (graph.nodes.empty()) {
    throw Error(ErrorKind::kUser,
                jobPlace(graph) +
                    " has no sink: nothing was added to it. Begin with a source such as"
                    " fromElements(), and end with print(), sinkTo() or executeAndCollect()");
  }
  std::vector<std::string> loose;
  for (const StreamNode& node : graph.nodes) {
    if (!consumed.contains(node.id)) loose.push_back(node.name);
  }
  throw Error(ErrorKind::kUser,
              jobPlace(graph) + " has no sink: what comes out of " + quotedList(loose) +
                  " goes nowhere. End the stream with print(), sinkTo() or executeAndCollect()");
}

void checkUids(const StreamGraph& graph) {
  std::map<std::string, const StreamNode*> owners;
  for (const StreamNode& node : graph.nodes) {
    if (node.uid.empty()) continue;
    const auto [owner, added] = owners.emplace(node.uid, &node);
    if (added) continue;
    throw Error(ErrorKind::kUser,
                "operators " + quoted(owner->second->name) + " and " + quoted(node.name) +
                    " have the same uid " + quoted(node.uid) +
                    ": a restart finds state by the uid, so give each operator one of its own");
  }
}

/// The id that the user gave, in one way or the other.
std::optional<OperatorId> givenId(const StreamNode& node) {
  if (node.uidHash) return node.uidHash;
  return node.uid.empty() ? std::nullopt : std::optional(OperatorId(hashBytes(node.uid)));
}

void checkUidHashes(const StreamGraph& graph) {
  std::map<OperatorId, const StreamNode*> owners;
  for (const StreamNode& node : graph.nodes) {
    const std::optional<OperatorId> id = givenId(node);
    if (!id) continue;
    const auto [owner, added] = owners.emplace(*id, &node);
    if (added) continue;
    throw Error(ErrorKind::kUser, "operators " + quoted(owner->second->name) + " and " + quoted(node.name) +
                                      " have the same id " + toString(*id) +
                                      ": give one of them another uid or uid hash");
  }
}

void checkParallelism(int parallelism) {
  if (parallelism >= 1 && parallelism <= kMaxParallelismLimit) return;
  throw Error(ErrorKind::kUser, "parallelism is " + std::to_string(parallelism) +
                                    ": give a number from 1 to " + std::to_string(kMaxParallelismLimit));
}

void checkMaxParallelism(int maxParallelism) {
  const std::string is = "max parallelism is " + std::to_string(maxParallelism) + ": ";
  if (maxParallelism < 1 || maxParallelism > kMaxParallelismLimit) {
    throw Error(ErrorKind::kUser,
                is + "give a power of two from 1 to " + std::to_string(kMaxParallelismLimit));
  }
  if (!std::has_single_bit(static_cast<unsigned>(maxParallelism))) {
    throw Error(ErrorKind::kUser, is + "it must be a power of two; the nearest are " +
                                      std::to_string(roundDownToPowerOfTwo(maxParallelism)) + " and " +
                                      std::to_string(roundUpToPowerOfTwo(maxParallelism)));
  }
}

void checkDefaults(const StreamGraph& graph) try {
  checkParallelism(graph.defaultParallelism);
  if (graph.defaultMaxParallelism != 0) checkMaxParallelism(graph.defaultMaxParallelism);
} catch (Error& error) {
  error.at("environment's default").at(jobPlace(graph));
  throw;
}

int resolveParallelism(const StreamGraph& graph, const StreamNode& node) {
  if (node.parallelismFixed) {
    if (node.parallelism == 0 || node.parallelism == 1) return 1;
    throw Error(ErrorKind::kUser,
                "parallelism is " + std::to_string(node.parallelism) +
                    ", but this operator only runs with parallelism 1: leave setParallelism() out");
  }
  if (node.parallelism == 0) return graph.defaultParallelism;
  checkParallelism(node.parallelism);
  return node.parallelism;
}

int resolveMaxParallelism(const StreamGraph& graph, const StreamNode& node, int parallelism) {
  if (node.maxParallelism != 0) checkMaxParallelism(node.maxParallelism);
  const int given = node.maxParallelism != 0 ? node.maxParallelism : graph.defaultMaxParallelism;
  if (given == 0) return defaultMaxParallelism(parallelism);
  if (given >= parallelism) return given;
  const std::string whose = node.maxParallelism != 0 ? "" : " (the environment's default)";
  throw Error(ErrorKind::kUser, "max parallelism " + std::to_string(given) + whose +
                                    " is below the parallelism " + std::to_string(parallelism) +
                                    ": raise it to " + std::to_string(roundUpToPowerOfTwo(parallelism)) +
                                    " or more, or run the operator with parallelism " +
                                    std::to_string(given) + " or less");
}

PartitionKind resolveKind(const StreamEdge& edge, const StreamNode& from, int fromParallelism,
                          const StreamNode& to, int toParallelism) {
  const bool equal = fromParallelism == toParallelism;
  if (!edge.kind) return equal ? PartitionKind::kForward : PartitionKind::kRebalance;
  if (*edge.kind != PartitionKind::kForward || equal) return *edge.kind;
  throw Error(ErrorKind::kUser,
              "Forward partitioning does not allow change of parallelism: " + quoted(from.name) +
                  " has parallelism " + std::to_string(fromParallelism) + " and " + quoted(to.name) +
                  " has " + std::to_string(toParallelism) +
                  ". Give both the same, or replace forward() by rebalance(), rescale(),"
                  " shuffle(), broadcast() or global()");
}

std::string resolveSlotSharingGroup(const StreamNode& node, const std::vector<ResolvedNode>& before) {
  if (!node.slotSharingGroup.empty()) return node.slotSharingGroup;
  if (node.inputs.empty()) return "default";
  const std::string& first = before[node.inputs[0].from - 1].slotSharingGroup;
  const bool agree = std::all_of(node.inputs.begin(), node.inputs.end(), [&](const StreamEdge& edge) {
    return before[edge.from - 1].slotSharingGroup == first;
  });
  return agree ? first : "default";
}

// Leaves out parallelism, partitioning and chaining: they may change between a savepoint and the restart from
// it. The ids of the inputs stand for their names, their inputs' names, and so on.
uint64_t hashOfPlace(const StreamNode& node, const std::vector<ResolvedNode>& before) {
  std::string place;
  ByteWriter writer(place);
  writer.fixed(static_cast<uint8_t>(node.kind));
  writer.string(node.name);
  for (const StreamEdge& edge : node.inputs) {
    writer.fixed(before[edge.from - 1].id.value);
    writer.varint(static_cast<uint64_t>(edge.input));
    writer.zigzag(edge.side.value);
  }
  return hashBytes(place);
}

// uids come first, so that giving one operator a uid never moves the id of another that has one.
void assignIds(const StreamGraph& graph, std::vector<ResolvedNode>& resolved) {
  std::set<OperatorId> taken;
  for (const StreamNode& node : graph.nodes) {
    if (const std::optional<OperatorId> id = givenId(node)) taken.insert(resolved[node.id - 1].id = *id);
  }
  for (const StreamNode& node : graph.nodes) {
    if (givenId(node)) continue;
    const uint64_t place = hashOfPlace(node, resolved);
    OperatorId id(place);
    for (uint64_t sibling = 1; !taken.insert(id).second; ++sibling)
      id = OperatorId(combineHashes(place, sibling));
    resolved[node.id - 1].id = id;
  }
}

}  // namespace

int defaultMaxParallelism(int parallelism) {
  return std::clamp(roundUpToPowerOfTwo(parallelism + parallelism / 2), kMinDefaultMaxParallelism,
                    kMaxParallelismLimit);
}

std::vector<ResolvedNode> resolve(const StreamGraph& graph) {
  checkShape(graph);
  checkSinks(graph);
  checkUids(graph);
  checkUidHashes(graph);
  checkDefaults(graph);
  std::vector<ResolvedNode> resolved;
  resolved.reserve(graph.nodes.size());
  for (const StreamNode& node : graph.nodes) {
    ResolvedNode now;
    try {
      now.parallelism = resolveParallelism(graph, node);
      now.maxParallelism = resolveMaxParallelism(graph, node, now.parallelism);
    } catch (Error& error) {
      error.at(operatorPlace(node));
      throw;
    }
    now.slotSharingGroup = resolveSlotSharingGroup(node, resolved);
    for (const StreamEdge& edge : node.inputs) {
      now.inputKinds.push_back(resolveKind(edge, graph.nodes[edge.from - 1],
                                           resolved[edge.from - 1].parallelism, node, now.parallelism));
    }
    resolved.push_back(std::move(now));
  }
  assignIds(graph, resolved);
  return resolved;
}

std::string displayName(const StreamNode& node) {
  switch (node.kind) {
    case NodeKind::kSource:
      return "Source: " + node.name;
    case NodeKind::kOperator:
      return node.name;
    case NodeKind::kSink:
      return "Sink: " + node.name;
  }
  return node.name;
}

}  // namespace flott
