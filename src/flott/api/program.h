// The program under construction: the logical graph that streams add to, and the settings around it.
//
// One for each StreamExecutionEnvironment, shared by all its streams; filled by the user's main thread.
// execute() takes the graph out and leaves an empty one, so that a program may hold several jobs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/config.h"
#include "flott/graph/slot_sharing_group.h"
#include "flott/graph/stream_graph.h"

namespace flott {

class ExecutionHost;
class JobListener;
class LocalServer;

/// Where the records of a stream come from: one output of one node, and how they are to be spread next.
struct StreamOrigin {
  int node = 0;
  SideOutputIndex side{-1};
  std::optional<PartitionKind> kind;
  Partitioning partitioning;

  /// The main output of a node, spread as the next operator's parallelism asks for.
  static StreamOrigin mainOf(int node) {
    return {.node = node, .side = SideOutputIndex(-1), .kind = {}, .partitioning = {}};
  }
};

class Program {
 public:
  /// `host` is where its jobs run; null for a graph that is only looked at.
  explicit Program(Configuration configuration, std::shared_ptr<ExecutionHost> host = {});

  Configuration& configuration() { return configuration_; }
  const std::shared_ptr<ExecutionHost>& host() const { return host_; }
  StreamGraph& graph() { return graph_; }
  /// In the order in which they were registered.
  std::vector<std::shared_ptr<JobListener>>& listeners() { return listeners_; }
  /// Serves REST and the web page about the program's jobs as flott.web-ui.enabled says, from the first call
  /// on and as long as the program lives; null when it does not. Throws Error(kUser) when it cannot listen.
  LocalServer* webInterface();
  /// The same without the first call.
  const LocalServer* servedWebInterface() const { return webInterface_.get(); }
  /// Counts the graphs taken out: streams of an earlier job are refused.
  int generation() const { return generation_; }
  /// The graph so far with the environment's settings.
  StreamGraph graphWithSettings() const;
  /// The same, and a new one begins. Without a name it is that of the configuration.
  StreamGraph takeGraph(const std::string& jobName = {});

  /// For all jobs from now on. Throws Error(kUser) for a group that is wrong, or has other resources already.
  void registerSlotSharingGroup(const SlotSharingGroup& group);

  /// Adds a node whose input i takes the streams inputs[i], and returns its id.
  int add(StreamNode node, const std::vector<std::vector<StreamOrigin>>& inputs);
  StreamNode& node(int id) { return graph_.nodes[static_cast<size_t>(id) - 1]; }

 private:
  Configuration configuration_;
  std::shared_ptr<ExecutionHost> host_;
  StreamGraph graph_;
  std::vector<std::shared_ptr<JobListener>> listeners_;
  std::shared_ptr<LocalServer> webInterface_;           // uses the host
  std::map<std::string, SlotResources> slotResources_;  // by slot sharing group
  int generation_ = 0;
};

/// What every stream is made of.
class StreamHandle {
 public:
  StreamHandle(std::shared_ptr<Program> program, std::vector<StreamOrigin> origins)
      : program_(std::move(program)), generation_(program_->generation()), origins_(std::move(origins)) {}

  /// Throws Error(kUser) when the job that the stream belongs to was executed already.
  Program& program() const;
  const std::shared_ptr<Program>& shared() const { return program_; }
  const std::vector<StreamOrigin>& origins() const { return origins_; }
  /// The one node behind the stream; throws Error(kUser) for a union. `what` is the method that needs it.
  StreamNode& only(const char* what) const;
  StreamHandle with(PartitionKind kind, Partitioning partitioning = {}) const;
  StreamHandle unite(const std::vector<const StreamHandle*>& others) const;
  StreamHandle side(SideOutputIndex side) const;
  /// Adds an operator over this stream (and others, as inputs 1, 2, …) and returns its output.
  StreamHandle apply(StreamNode node, const std::vector<StreamHandle>& others = {}) const;

 private:
  std::shared_ptr<Program> program_;
  int generation_;
  std::vector<StreamOrigin> origins_;
};

}  // namespace flott
