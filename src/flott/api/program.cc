#include "flott/api/program.h"

#include "flott/api/execution_host.h"
#include "flott/base/metric_options.h"
#include "flott/base/options.h"
#include "flott/rest/local_server.h"

namespace flott {

Program::Program(Configuration configuration, std::shared_ptr<ExecutionHost> host)
    : configuration_(std::move(configuration)), host_(std::move(host)) {}

LocalServer* Program::webInterface() {
  const bool documents = configuration_.get(kWebUi);
  if (!webInterface_ && host_->servesWeb() && (documents || configuration_.find(kPrometheusPort))) {
    webInterface_ = std::make_shared<LocalServer>(host_->env(), configuration_, documents);
    if (documents) host_->env().log.info("rest", "the web page about the jobs is at " + webInterface_->url());
  }
  return webInterface_.get();
}

StreamGraph Program::takeGraph(const std::string& jobName) {
  StreamGraph graph = graphWithSettings();
  if (!jobName.empty()) graph.jobName = jobName;
  ++generation_;
  graph_ = {};
  return graph;
}

StreamGraph Program::graphWithSettings() const {
  StreamGraph graph = graph_;
  graph.jobName = configuration_.find(kJobName).value_or("Flott streaming job");
  graph.defaultParallelism = static_cast<int>(configuration_.get(kDefaultParallelism));
  const int64_t maxParallelism = configuration_.get(kMaxParallelism);
  if (maxParallelism == 0) {
    throw Error(ErrorKind::kUser,
                std::string(kMaxParallelism.key) +
                    " is 0: give a power of two from 1 to 32768, or -1 to derive it from the "
                    "parallelism");
  }
  graph.defaultMaxParallelism = maxParallelism < 0 ? 0 : static_cast<int>(maxParallelism);
  graph.chaining = configuration_.get(kOperatorChaining);
  graph.chainDifferentMaxParallelism = configuration_.get(kChainDifferentMaxParallelism);
  graph.cascadingDescriptions = configuration_.get(kVertexDescriptionMode) == "CASCADING";
  graph.slotResources = slotResources_;
  graph.vertexIndexPrefix = configuration_.get(kVertexNameIndexPrefix);
  graph.bufferTimeout =
      configuration_.get(kBufferTimeoutEnabled) ? configuration_.get(kBufferTimeout) : Duration::millis(-1);
  return graph;
}

void Program::registerSlotSharingGroup(const SlotSharingGroup& group) {
  check(group);
  if (!group.resources) return;
  const auto [at, added] = slotResources_.emplace(group.name, *group.resources);
  if (added || at->second == *group.resources) return;
  throw Error(ErrorKind::kUser, "slot sharing group '" + group.name + "' is given " +
                                    toString(*group.resources) + ", but has " + toString(at->second) +
                                    " already: use another name, or the same resources");
}

int Program::add(StreamNode node, const std::vector<std::vector<StreamOrigin>>& inputs) {
  node.id = static_cast<int>(graph_.nodes.size()) + 1;
  for (size_t input = 0; input < inputs.size(); ++input) {
    for (const StreamOrigin& origin : inputs[input]) {
      node.inputs.push_back({.from = origin.node,
                             .input = static_cast<int>(input),
                             .kind = origin.kind,
                             .partitioning = origin.partitioning,
                             .side = origin.side});
    }
  }
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().id;
}

Program& StreamHandle::program() const {
  if (generation_ != program_->generation()) {
    throw Error(
        ErrorKind::kUser,
        "this stream belongs to a job that was executed already: build the next job from its own sources");
  }
  return *program_;
}

StreamNode& StreamHandle::only(const char* what) const {
  if (origins_.size() != 1) {
    throw Error(ErrorKind::kUser, std::string(what) +
                                      " applies to one operator, not to a union: call it on the streams "
                                      "before union(…), or on the operator after it");
  }
  return program().node(origins_.front().node);
}

StreamHandle StreamHandle::with(PartitionKind kind, Partitioning partitioning) const {
  StreamHandle copy = *this;
  partitioning.kind = kind;
  for (StreamOrigin& origin : copy.origins_) {
    origin.kind = kind;
    origin.partitioning = partitioning;
  }
  return copy;
}

StreamHandle StreamHandle::unite(const std::vector<const StreamHandle*>& others) const {
  StreamHandle copy = *this;
  for (const StreamHandle* other : others) {
    if (&other->program() != &program()) {
      throw Error(ErrorKind::kUser,
                  "streams of two environments cannot be united: build both from one environment");
    }
    copy.origins_.insert(copy.origins_.end(), other->origins_.begin(), other->origins_.end());
  }
  return copy;
}

StreamHandle StreamHandle::side(SideOutputIndex side) const {
  StreamHandle copy = *this;
  for (StreamOrigin& origin : copy.origins_)
    origin = {.node = origin.node, .side = side, .kind = {}, .partitioning = {}};
  return copy;
}

StreamHandle StreamHandle::apply(StreamNode node, const std::vector<StreamHandle>& others) const {
  std::vector<std::vector<StreamOrigin>> inputs{origins_};
  for (const StreamHandle& other : others) {
    if (&other.program() != &program()) {
      throw Error(ErrorKind::kUser,
                  "streams of two environments cannot be joined: build both from one environment");
    }
    inputs.push_back(other.origins_);
  }
  const int id = program().add(std::move(node), inputs);
  return StreamHandle(program_, {StreamOrigin::mainOf(id)});
}

}  // namespace flott
