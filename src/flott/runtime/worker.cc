#include "flott/runtime/worker.h"

#include <bit>

#include "flott/base/error.h"
#include "flott/runtime/remote_channels.h"
#include "flott/runtime/state_backend.h"

namespace flott {

// Fewer senders than receivers: each sender has a contiguous group of receivers. Otherwise each receiver has
// a contiguous group of senders.
std::vector<int> pointwiseReceivers(int subtask, int senders, int receivers) {
  std::vector<int> reached;
  if (senders >= receivers) {
    reached.push_back(static_cast<int>(static_cast<int64_t>(subtask) * receivers / senders));
    return reached;
  }
  for (int r = 0; r < receivers; ++r) {
    if (static_cast<int64_t>(r) * senders / receivers == subtask) reached.push_back(r);
  }
  return reached;
}

Worker::Worker(const JobGraph& graph, const Configuration& configuration, Placement placement,
               WorkerOptions options, Env& env, MasterGateway& master, RestoredJob restored)
    : graph_(graph),
      configuration_(configuration),
      placement_(std::move(placement)),
      options_(std::move(options)),
      env_(env) {
  if (options_.checkpoints == nullptr) {
    options_.checkpoints = &ownCheckpoints_.emplace(env_.files, CheckpointStorageOptions{});
  }
  for (int lane = 0; lane < placement_.lanes; ++lane) {
    pools_.push_back(std::make_unique<BatchPools>());
    crossingPools_.push_back(std::make_unique<BatchPools>(Reuse::kInTurn));
  }
  if (options_.coldMemory == nullptr) options_.coldMemory = newColdMemory(configuration_);
  for (const JobVertex& vertex : graph_.vertices) {
    indexOf_.emplace_back(static_cast<size_t>(vertex.parallelism), kNotMine);
    int headInputs = 0;
    for (int edge : vertex.inputEdges) {
      headInputs = std::max(headInputs, graph_.edges[static_cast<size_t>(edge)].input + 1);
    }
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
      if (!options_.tasks.empty() && !options_.tasks.contains({vertex.id, subtask})) continue;
      indexOf_.back()[static_cast<size_t>(subtask)] = tasks_.size();
      ChainOptions chain{.jobName = graph_.jobName,
                         .vertex = &vertex,
                         .subtask = SubtaskIndex(subtask),
                         .attempt = options_.attempt,
                         .jobId = options_.jobId,
                         .headInputs = headInputs,
                         .configuration = &configuration_,
                         .overrunCapBytes = options_.overrunCapBytes,
                         .coldMemory = options_.coldMemory};
      tasks_.push_back(std::make_unique<Task>(TaskId{vertex.id, SubtaskIndex(subtask), options_.attempt},
                                              std::move(chain), *options_.checkpoints, env_,
                                              *pools_[laneOf(vertex.id, subtask)], master));
    }
  }
  connect(std::move(restored));
}

Worker::~Worker() = default;

size_t Worker::laneOf(int vertex, int subtask) const {
  return static_cast<size_t>(placement_.laneOf[static_cast<size_t>(vertex)][static_cast<size_t>(subtask)]);
}

size_t Worker::taskIndex(int vertex, int subtask) const {
  return indexOf_[static_cast<size_t>(vertex)][static_cast<size_t>(subtask)];
}

Task& Worker::task(int vertex, SubtaskIndex subtask) {
  const size_t index = taskIndex(vertex, subtask.value);
  FLOTT_CHECK(index != kNotMine, "a task was looked for at a worker that does not have it");
  return *tasks_[index];
}

std::vector<std::vector<int>> receiversOf(const JobGraph& graph, const JobEdge& edge) {
  const int senders = graph.vertices[static_cast<size_t>(edge.from)].parallelism;
  const int receivers = graph.vertices[static_cast<size_t>(edge.to)].parallelism;
  const PartitionKind kind = edge.partitioning.kind;
  std::vector<std::vector<int>> reached(static_cast<size_t>(senders));
  for (int sender = 0; sender < senders; ++sender) {
    std::vector<int>& mine = reached[static_cast<size_t>(sender)];
    if (kind == PartitionKind::kForward || kind == PartitionKind::kRescale) {
      mine = pointwiseReceivers(sender, senders, receivers);
    } else {  // global too: data goes to the first only, watermarks and the end to all
      for (int r = 0; r < receivers; ++r) mine.push_back(r);
    }
  }
  return reached;
}

void Worker::connect(RestoredJob restored) {
  std::vector<Task::Wiring> wirings(tasks_.size());
  for (Task::Wiring& wiring : wirings) {
    wiring.gate.setBlocking(options_.alignedBarriers);
    wiring.exchanges.resize(graph_.edges.size());
  }
  const std::vector<EdgeName> names = edgeNames(graph_);
  uint32_t number = 0;
  for (const JobEdge& edge : graph_.edges) {
    const EdgeName& name = names[static_cast<size_t>(edge.id)];
    const bool overtaken = options_.overtakingBarriers && overtakable(edge, options_.forcedOvertaking);
    const JobVertex& to = graph_.vertices[static_cast<size_t>(edge.to)];
    const std::vector<std::vector<int>> reached = receiversOf(graph_, edge);
    for (size_t sender = 0; sender < reached.size(); ++sender) {
      std::vector<Channel*> channels;
      for (int receiver : reached[sender]) {
        channels.push_back(connectChannel({.edge = &edge,
                                           .number = number++,
                                           .sender = static_cast<int>(sender),
                                           .receiver = receiver,
                                           .name = name,
                                           .overtaken = overtaken},
                                          wirings));
      }
      const size_t from = taskIndex(edge.from, static_cast<int>(sender));
      if (from == kNotMine) continue;
      ExchangeOptions options{.partitioning = edge.partitioning,
                              .parallelism = static_cast<uint32_t>(to.parallelism),
                              .maxParallelism = static_cast<uint32_t>(to.maxParallelism),
                              .subtask = static_cast<uint32_t>(sender),
                              .seed = env_.random.fork("shuffle").next() + (uint64_t{sender} << 20) + from,
                              .bufferTimeout = edge.bufferTimeout,
                              .overrunCapBytes = options_.overrunCapBytes,
                              .adaptiveReach = options_.adaptiveReach,
                              .edge = name,
                              .overtakable = overtaken};
      const size_t lane = laneOf(edge.from, static_cast<int>(sender));
      std::vector<BatchPools*> pools;
      for (int receiver : reached[sender]) {
        const bool stays = taskIndex(edge.to, receiver) != kNotMine && laneOf(edge.to, receiver) == lane;
        pools.push_back((stays ? pools_ : crossingPools_)[lane].get());
      }
      wirings[from].exchanges[static_cast<size_t>(edge.id)] =
          std::make_unique<Exchange>(std::move(options), std::move(channels), std::move(pools));
    }
  }
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const TaskId& id = tasks_[i]->id();
    if (!restored.empty()) {
      wirings[i].restored =
          std::move(restored[static_cast<size_t>(id.vertex)][static_cast<size_t>(id.subtask.value)]);
      wirings[i].gate.restore(restoredInput(*tasks_[i], std::move(wirings[i].restored.channels)));
    }
    tasks_[i]->wire(std::move(wirings[i]));
  }
}

// The one between two of its tasks, or its end of one with a task elsewhere; null when none of the two is
// here.
Channel* Worker::connectChannel(const ChannelPlace& place, std::vector<Task::Wiring>& wirings) {
  const JobEdge& edge = *place.edge;
  const size_t from = taskIndex(edge.from, place.sender);
  const size_t target = taskIndex(edge.to, place.receiver);
  if (from == kNotMine && target == kNotMine) return nullptr;
  if (from == kNotMine || target == kNotMine) {
    FLOTT_CHECK(options_.remote != nullptr, "a channel leads to a task that is not here");
    if (edge.pool == nullptr) {
      throw Error(ErrorKind::kUser, "records between " + tasks_[from == kNotMine ? target : from]->where() +
                                        " and another worker have no form as bytes");
    }
  }
  // What waits at the sender's end is beyond the reach of the receiver: so little of it.
  const size_t capacity = std::bit_ceil(options_.channelCapacity);
  const size_t room = target == kNotMine ? (capacity + 1) / 2 : capacity;
  Waker& producer = from == kNotMine ? options_.remote->waker() : tasks_[from]->waker();
  Waker& consumer = target == kNotMine ? options_.remote->waker() : tasks_[target]->waker();
  Channel* channel = channels_.emplace_back(std::make_unique<Channel>(room, producer, consumer)).get();
  if (target == kNotMine) {
    channel->leaveProcess();
    options_.remote->addOutgoing(place.number, {edge.to, place.receiver}, *channel, *tasks_[from]);
    return channel;
  }
  wirings[target].gate.addChannel(edge.input, *channel,
                                  {.edge = edge.id,
                                   .sender = place.sender,
                                   .name = place.name,
                                   .receiver = place.receiver,
                                   .overtakable = place.overtaken,
                                   .remote = from == kNotMine});
  if (from == kNotMine) {
    options_.remote->addIncoming(place.number, {edge.from, place.sender}, *channel, *tasks_[target],
                                 edge.pool);
  }
  return channel;
}

RestoredInput Worker::restoredInput(const Task& task, std::vector<RestoredChannel> channels) {
  RestoredInput input;
  const TaskId& id = task.id();
  const JobVertex& to = graph_.vertices[static_cast<size_t>(id.vertex)];
  BatchPools& pools = *pools_[laneOf(id.vertex, id.subtask.value)];
  for (RestoredChannel& channel : channels) {
    const JobEdge& edge = graph_.edges[static_cast<size_t>(channel.edge)];
    const JobVertex& from = graph_.vertices[static_cast<size_t>(edge.from)];
    const ChainedOperator& sender = from.chain[static_cast<size_t>(edge.fromOperator)];
    input.add(std::move(channel), edge.input,
              {.partitioning = edge.partitioning,
               .parallelism = static_cast<uint32_t>(to.parallelism),
               .maxParallelism = static_cast<uint32_t>(to.maxParallelism),
               .subtask = static_cast<uint32_t>(id.subtask.value)},
              pools, edge.pool, "records that were on their way from operator '" + sender.name + "'");
  }
  return input;
}

void Worker::deploy(Scheduler& scheduler) {
  for (const auto& task : tasks_) {
    const TaskId& id = task->id();
    scheduler.add(static_cast<int>(laneOf(id.vertex, id.subtask.value)), *task);
  }
}

void Worker::cancel() {
  for (const auto& task : tasks_) task->cancel();
}

size_t Worker::batchesAlive() const {
  size_t sum = 0;
  for (const auto& pools : pools_) sum += pools->inUse();
  for (const auto& pools : crossingPools_) sum += pools->inUse();
  return sum;
}

}  // namespace flott
