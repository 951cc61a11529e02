#include "flott/runtime/chain.h"

#include <algorithm>
#include <utility>

#include "flott/base/options.h"
#include "flott/runtime/state_backend.h"
#include "flott/runtime/state_metrics.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/operator_state.h"

namespace flott {
namespace {

constexpr SideOutputIndex kMain{-1};
// Elements that waited in the chain and are worked off at once.
constexpr int kQueuedAtOnce = 16;

/// `more` follows the name.
std::string nameOf(const OperatorInfo& info, const std::string& more = {}) {
  return "operator '" + info.name + "'" + more + ", subtask " + std::to_string(info.subtask.value + 1) + "/" +
         std::to_string(info.parallelism);
}

}  // namespace

ChainNode::ChainNode(OperatorChain& chain, const ChainedOperator& description)
    : chain_(chain),
      info_{.jobName = chain.options_.jobName,
            .name = description.name,
            .uid = description.uid,
            .id = description.id,
            .subtask = chain.options_.subtask,
            .parallelism = chain.options_.vertex->parallelism,
            .maxParallelism = chain.options_.vertex->maxParallelism,
            .attempt = chain.options_.attempt,
            .jobId = chain.options_.jobId},
      where_(nameOf(info_)),
      recordsIn_(&metrics_.counter("numRecordsIn")),
      recordsOut_(&metrics_.counter("numRecordsOut")),
      watermarkIn_(&metrics_.gauge("currentInputWatermark")),
      watermarkOut_(&metrics_.gauge("currentOutputWatermark")) {
  watermarkIn_->set(static_cast<double>(Timestamp::min().ms));
  watermarkOut_->set(static_cast<double>(Timestamp::min().ms));
}

ChainNode::~ChainNode() = default;

const Configuration& ChainNode::configuration() const { return *chain_.options_.configuration; }
Env& ChainNode::env() { return chain_.env_; }
BatchPools& ChainNode::pools() { return chain_.pools_; }
Accumulators& ChainNode::accumulators() { return chain_.accumulators_; }
Timestamp ChainNode::processingTime() const { return chain_.host_.now().wall; }
int64_t ChainNode::monotonicNanos() const { return chain_.host_.now().nanos; }
int64_t ChainNode::availableNanos() const { return chain_.host_.availableNanos(); }
void ChainNode::reportWatermark(Timestamp time) { chain_.host_.reportWatermark(time); }
void ChainNode::requestSplit() { chain_.host_.requestSplit(); }
void ChainNode::sendEvent(std::string event) { chain_.host_.sendSourceEvent(std::move(event)); }
void ChainNode::warn(const std::string& text) { chain_.env_.log.warn(info_.name, text); }

KeyedStateBackend& ChainNode::keyedState(const TypeOps& key) {
  if (keyedState_ == nullptr) {
    const auto parallelism = static_cast<uint32_t>(info_.parallelism);
    const auto maxParallelism = static_cast<uint32_t>(info_.maxParallelism);
    const auto subtask = static_cast<uint32_t>(info_.subtask.value);
    const Configuration defaults;
    const Configuration& options = chain_.options_.configuration != nullptr ? configuration() : defaults;
    ColdStates cold = std::exchange(restoredCold_, {});
    if (cold.store == nullptr) cold.store = newColdStore(options, info_, chain_.options_.coldMemory);
    stateMetrics_ = std::make_unique<StateMetrics>(options, metrics_, chain_.env_.clock);
    keyedState_ = std::make_unique<KeyedStateBackend>(
        key,
        KeyedStateBackend::Options{.keyGroups = keyGroupRange(subtask, maxParallelism, parallelism),
                                   .maxParallelism = maxParallelism,
                                   .processingTime = processingTime(),
                                   .cold = std::move(cold.store),
                                   .cacheBytes = options.get(kRocksDbCache).bytes,
                                   .coldStates = std::move(cold.states),
                                   .keepCold = statesOnDisk(&options),
                                   .meter = stateMetrics_.get()},
        std::move(restoredKeyed_));
  }
  FLOTT_CHECK(&keyedState_->key().ops() == &key, "an operator has keys of two types");
  return *keyedState_;
}

Timestamp ChainNode::cleanUpAt() const {
  return keyedState_ != nullptr && !more_ ? keyedState_->cleanUpAt() : Timestamp::max();
}

OperatorStateBackend& ChainNode::operatorState() {
  if (operatorState_ == nullptr) operatorState_ = std::make_unique<OperatorStateBackend>();
  return *operatorState_;
}

void ChainNode::offload(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) {
  chain_.host_.offload(std::move(what), std::move(work),
                       [this, done = std::move(done)](std::optional<Error> error) mutable {
                         chain_.isAt(*this);
                         if (error) throw *std::move(error);
                         done();
                       });
}

MoveFunction<void()> ChainNode::resumeFromAnyThread() {
  return [this] { chain_.host_.post([this] { resumeAsked_ = true; }); };
}

bool ChainNode::canGoOn() const {
  if (retired() || full()) return false;
  return resumeAsked_ || (more_ ? !waiting_ : !queue_.empty());
}

bool ChainNode::Target::full() const {
  if (exchange != nullptr) return exchange->full();
  return !node->takesInput();
}

bool ChainNode::full() const {
  return std::any_of(targets_.begin(), targets_.end(), [](const Target& target) { return target.full(); });
}

void ChainNode::emit(Batch batch) {
  recordsOut_->add(static_cast<int64_t>(batch.size()));
  emitTo(kMain, std::move(batch));
}

void ChainNode::emitSide(SideOutputIndex side, Batch batch) { emitTo(side, std::move(batch)); }

bool ChainNode::reads(SideOutputIndex side) const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [side](const Target& target) { return target.side == side; });
}

// The last consumer gets the batch itself, those before it a copy.
void ChainNode::emitTo(SideOutputIndex side, Batch batch) {
  if (batch.size() == 0) return;
  Target* last = nullptr;
  const auto give = [this](Target& target, Batch what) {
    if (target.exchange != nullptr) {
      target.exchange->emit(std::move(what));
    } else {
      chain_.push(*target.node, 0, Element(std::move(what)));
      chain_.isAt(*this);
    }
  };
  for (Target& target : targets_) {
    if (target.side != side) continue;
    if (last != nullptr) give(*last, batch->clone(chain_.pools_));
    last = &target;
  }
  if (last != nullptr) give(*last, std::move(batch));
}

void ChainNode::emitControl(const Element& control) {
  for (Target& target : targets_) {
    if (target.exchange != nullptr) {
      target.exchange->broadcast(control);
    } else {
      chain_.push(*target.node, 0, copyControl(control));
    }
  }
  chain_.isAt(*this);
}

void ChainNode::emitWatermark(Watermark watermark) {
  noteOutput(watermark.time);
  emitControl(Element(watermark));
}

void ChainNode::noteInput(int input, Watermark watermark) {
  inputTimes_[static_cast<size_t>(input)] = watermark.time;
  const Timestamp low = *std::min_element(inputTimes_.begin(), inputTimes_.end());
  watermarkIn_->set(static_cast<double>(low.ms));
  if (targets_.empty()) noteOutput(low);  // a sink passes nothing on: it is as far as its input
}

void ChainNode::noteOutput(Timestamp time) {
  if (time <= outputTime_) return;
  outputTime_ = time;
  movedNanos_ = monotonicNanos();
  watermarkOut_->set(static_cast<double>(time.ms));
}
void ChainNode::emitStatus(WatermarkStatus status) { emitControl(Element(status)); }

// By the clock of the step: what is measured is the way, not the moment within a step.
void ChainNode::noteLatency(const LatencyMarker& marker) {
  const std::string& granularity = chain_.latencyGranularity_;
  Latency from{.source = {}, .subtask = {}, .micros = nullptr};
  if (granularity != "single") from.source = marker.source;
  if (granularity == "subtask") from.subtask = marker.subtask;
  auto known = std::find_if(latencies_.begin(), latencies_.end(), [&](const Latency& latency) {
    return latency.source == from.source && latency.subtask == from.subtask;
  });
  if (known == latencies_.end()) {
    std::string name = "latencyMicros";
    if (granularity == "subtask") {
      name = "source_subtask_index." + std::to_string(marker.subtask.value) + "." + name;
    }
    if (granularity != "single") name = "source_id." + toString(marker.source) + "." + name;
    from.micros = &metrics_.histogram("latency." + name);
    known = latencies_.insert(known, from);
  }
  known->micros->update((monotonicNanos() - marker.emittedNanos) / 1000);
}

void ChainNode::passOn(const LatencyMarker& marker) {
  for (Target& target : targets_) {
    if (target.exchange != nullptr) {
      target.exchange->emitMarker(marker);
    } else {
      chain_.push(*target.node, 0, Element(marker));
    }
  }
}

OperatorChain::OperatorChain(ChainOptions options, Env& env, BatchPools& pools, ChainHost& host,
                             std::vector<std::unique_ptr<Exchange>> exchanges)
    : options_(std::move(options)), env_(env), pools_(pools), host_(host), exchanges_(std::move(exchanges)) {
  const JobVertex& vertex = *options_.vertex;
  for (const ChainedOperator& op : vertex.chain) nodes_.push_back(std::make_unique<ChainNode>(*this, op));
  for (size_t i = 0; i < nodes_.size(); ++i) {
    int exchanges = 0;
    for (const ChainedOutput& output : vertex.chain[i].outputs) {
      ChainNode::Target target{.side = output.side};
      if (output.to >= 0) {
        target.node = nodes_[static_cast<size_t>(output.to)].get();
      } else {
        target.exchange = exchanges_[static_cast<size_t>(output.edge)].get();
        target.exchange->reportHotKeys(nodes_[i]->metrics_,
                                       ++exchanges == 1 ? "hotKeys" : "hotKeys." + std::to_string(exchanges));
        live_.push_back(target.exchange);
      }
      nodes_[i]->targets_.push_back(target);
    }
  }
  nodes_.front()->inputsOpen_ = std::max(1, options_.headInputs);
  for (const auto& node : nodes_) node->inputTimes_.resize(static_cast<size_t>(node->inputsOpen_));
  current_.store(nodes_.front().get(), std::memory_order_relaxed);
  if (options_.configuration != nullptr)
    latencyGranularity_ = options_.configuration->get(kLatencyGranularity);
}

OperatorChain::~OperatorChain() = default;

void OperatorChain::open(RestoredTask restored) {
  const JobVertex& vertex = *options_.vertex;
  for (size_t i = nodes_.size(); i-- > 0;) {
    ChainNode& node = *nodes_[i];
    isAt(node);
    node.movedNanos_ = host_.now().nanos;
    const bool restoring = i < restored.operators.size();
    if (restoring) node.restore(std::move(restored.operators[i]));
    ++opened_;
    try {
      openNode(vertex.chain[i], node);
    } catch (Error& error) {
      if (!restoring || node.info().uid.empty()) throw;
      located_ = true;  // with what its state was found by
      throw std::move(error).at(nameOf(node.info(), " (uid '" + node.info().uid + "')"));
    }
  }
}

void OperatorChain::openNode(const ChainedOperator& op, ChainNode& node) {
  if (op.source != nullptr) {
    node.reader_ = op.source->createReader();
    node.reader_->open(node);
    if (!node.restoredSplits_.empty()) node.reader_->addSplits(std::move(node.restoredSplits_));
  } else {
    node.op_ = op.op->create();
    node.op_->open(node);
  }
}

void OperatorChain::close() noexcept {
  for (size_t i = nodes_.size() - opened_; i < nodes_.size(); ++i) {
    ChainNode& node = *nodes_[i];
    isAt(node);
    if (node.reader_) node.reader_->close();
    if (node.op_) node.op_->close();
  }
  opened_ = 0;
}

void OperatorChain::releaseState() {
  for (const std::unique_ptr<ChainNode>& node : nodes_) {
    node->keyedState_.reset();
    node->operatorState_.reset();
  }
}

SourceReader& OperatorChain::enterReader() {
  ChainNode& head = *nodes_.front();
  isAt(head);
  return *head.reader_;
}

Poll OperatorChain::poll() { return enterReader().poll(*nodes_.front()); }

bool OperatorChain::takeReaderCall() {
  ChainNode& head = *nodes_.front();
  if (!head.resumeAsked_ && head.alarm_ > host_.now().wall) return false;
  head.resumeAsked_ = false;
  if (head.alarm_ <= host_.now().wall) head.alarm_ = Timestamp::max();
  return true;
}

void OperatorChain::deliver(int input, Element element) { push(*nodes_.front(), input, std::move(element)); }

void OperatorChain::push(ChainNode& node, int input, Element element) {
  if (node.takesInput()) return process(node, input, std::move(element));
  if (const Batch* batch = std::get_if<Batch>(&element)) {
    node.queuedBytes_ += (*batch)->bytes();
    if (node.queuedBytes_ > options_.overrunCapBytes) {
      throw Error(ErrorKind::kUser,
                  "a single call put out more than " + std::to_string(options_.overrunCapBytes) +
                      " bytes beyond what operator '" + node.info_.name +
                      "' could take: emit less per record, or raise flott.output.overrun-cap");
    }
  }
  node.queue_.push_back({input, std::move(element)});
}

// A failure gets its place here, before operators further up the chain, whose call it passes through, can
// take it for one of their own records.
void OperatorChain::process(ChainNode& node, int input, Element element) {
  try {
    call(node, input, std::move(element));
  } catch (...) {
    throw located();
  }
}

std::string OperatorChain::where() const { return current_.load(std::memory_order_relaxed)->where_; }

Error OperatorChain::located() {
  return std::exchange(located_, true) ? currentError() : currentError().at(where());
}

/// Before the operator is called.
void OperatorChain::enter(ChainNode& node) {
  isAt(node);
  if (node.keyedState_ != nullptr) node.keyedState_->setProcessingTime(host_.now().wall);
}

void OperatorChain::call(ChainNode& node, int input, Element element) {
  enter(node);
  if (Batch* batch = std::get_if<Batch>(&element)) {
    node.recordsIn_->add(static_cast<int64_t>(batch->size()));
    settle(node, node.op_->onBatch(input, std::move(*batch), node));
  } else if (const auto* watermark = std::get_if<Watermark>(&element)) {
    node.noteInput(input, *watermark);
    settle(node, node.op_->onWatermark(input, *watermark, node));
  } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    settle(node, node.op_->onStatus(input, *status, node));
  } else if (const auto* barrier = std::get_if<Barrier>(&element)) {
    node.barrier_ = *barrier;
    settle(node, node.op_->beforeBarrier(barrier->checkpoint, node));
  } else if (const auto* marker = std::get_if<LatencyMarker>(&element)) {
    node.noteLatency(*marker);
    node.passOn(*marker);
  } else {
    endInput(node, input);
  }
}

void OperatorChain::endInput(ChainNode& node, int input) {
  if (--node.inputsOpen_ == 0) node.ending_ = true;
  settle(node, node.op_->onEndOfInput(input, node));
}

void OperatorChain::settle(ChainNode& node, Step step) {
  node.more_ = step != Step::kDone;
  node.waiting_ = step == Step::kWait;
  node.yielded_ = step == Step::kMore && !node.full();
  if (node.more_) return;
  node.op_->settled(node);
  // Not between the steps of a firing, which may hold places in its tables.
  if (node.keyedState_ != nullptr) node.keyedState_->keepToBudget();
  if (node.barrier_) {
    const Barrier barrier = *std::exchange(node.barrier_, std::nullopt);
    cut(node, barrier);
    node.emitBarrier(barrier);
    isAt(node);
  }
  if (std::exchange(node.ending_, false)) ended(node);
}

void OperatorChain::ended(ChainNode& node) {
  node.ended_ = true;
  if (node.retired()) {
    node.alarm_ = Timestamp::max();
    node.wakeNanos_ = kNoDeadline;
  }
  node.emitControl(Element(EndOfInput{}));
}

void OperatorChain::endSource() {
  ChainNode& head = *nodes_.front();
  head.emitWatermark({Timestamp::max()});
  ended(head);
}

void OperatorChain::endWithoutOperators() {
  for (Exchange* exchange : live_) {
    exchange->broadcast(Element(Watermark{Timestamp::max()}));
    exchange->broadcast(Element(EndOfInput{}));
  }
  for (const auto& node : nodes_) node->ended_ = true;
}

void OperatorChain::beginStep() {
  for (const auto& node : nodes_) node->yielded_ = false;
}

void OperatorChain::emitMarker() {
  ChainNode& head = *nodes_.front();
  head.passOn({.source = head.info_.id, .subtask = head.info_.subtask, .emittedNanos = host_.now().nanos});
}

void OperatorChain::drain() {
  for (Exchange* exchange : live_) exchange->drain();
  for (size_t i = nodes_.size(); i-- > 0;) drainNode(*nodes_[i]);
}

void OperatorChain::resume(ChainNode& node) {
  node.resumeAsked_ = false;
  enter(node);
  settle(node, node.op_->resume(node));
}

void OperatorChain::drainNode(ChainNode& node) {
  for (int budget = kQueuedAtOnce;;) {
    if (node.canResume()) {
      resume(node);
      continue;
    }
    if (node.more_ || node.queue_.empty() || node.full() || budget-- == 0) return;
    ChainNode::Queued next = std::move(node.queue_.front());
    node.queue_.pop_front();
    if (const Batch* batch = std::get_if<Batch>(&next.element)) node.queuedBytes_ -= (*batch)->bytes();
    process(node, next.input, std::move(next.element));
  }
}

bool OperatorChain::blocked() const {
  for (const auto& node : nodes_) {
    if (node->more_ || !node->queue_.empty()) return true;
  }
  return std::any_of(live_.begin(), live_.end(), [](const Exchange* exchange) { return exchange->full(); });
}

void OperatorChain::runDue() {
  const StepTime now = host_.now();
  for (const auto& node : nodes_) {
    if (node->retired()) continue;
    if (node->wakeNanos_ <= now.nanos) {
      node->wakeNanos_ = kNoDeadline;
      node->resumeAsked_ = true;
    }
    if (node->op_ != nullptr && !node->more_) runDue(*node, now.wall);
  }
}

void OperatorChain::runDue(ChainNode& node, Timestamp now) {
  if (node.resumeAsked_ && !node.full()) resume(node);
  if (node.suspended_) return;
  if (node.cleanUpAt() <= now) {
    enter(node);
    node.keyedState_->cleanUp();
  }
  if (node.alarm_ > now || !node.canRunAlarm()) return;
  node.alarm_ = Timestamp::max();
  enter(node);
  settle(node, node.op_->onProcessingTime(now, node));
}

bool OperatorChain::canGoOn() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->canGoOn(); });
}

void OperatorChain::endStep() {
  for (Exchange* exchange : live_) exchange->endStep(host_.now().nanos);
}

bool OperatorChain::lingers() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const auto& node) { return (node->ended_ || node->suspended_) && !node->retired(); });
}

bool OperatorChain::finished() const {
  return std::all_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->ended_; }) &&
         std::all_of(live_.begin(), live_.end(),
                     [](const Exchange* exchange) { return exchange->drained(); });
}

int64_t OperatorChain::deadlineNanos(StepTime now) const {
  int64_t deadline = kNoDeadline;
  for (const Exchange* exchange : live_) deadline = std::min(deadline, exchange->deadlineNanos());
  for (const auto& node : nodes_) {
    if (node->retired()) continue;
    deadline = std::min(deadline, node->wakeNanos_);
    if (node->suspended_) continue;
    const Timestamp alarm =
        std::min(node->cleanUpAt(), node->canRunAlarm() ? node->alarm_ : Timestamp::max());
    if (alarm == Timestamp::max()) continue;
    const int64_t wait = std::max<int64_t>(0, alarm.ms - now.wall.ms);
    if (wait < (kNoDeadline - now.nanos) / 1'000'000)
      deadline = std::min(deadline, now.nanos + wait * 1'000'000);
  }
  return deadline;
}

std::vector<TaskTimes::Node> OperatorChain::times() const {
  std::vector<TaskTimes::Node> all;
  for (const auto& node : nodes_) {
    TaskTimes::Node& times = all.emplace_back();
    times.input = *std::min_element(node->inputTimes_.begin(), node->inputTimes_.end());
    times.output = node->outputTime_;
    times.movedNanos = node->movedNanos_;
    times.busy = node->more_ || !node->queue_.empty();
    times.full = node->full();
    if (node->reader_) node->reader_->watermarkOrigins(times.origins);
    if (node->op_) node->op_->watermarkOrigins(times.origins);
  }
  return all;
}

bool OperatorChain::makesWatermarks() const {
  const std::vector<TaskTimes::Node> all = times();
  return std::any_of(all.begin(), all.end(), [](const auto& node) { return !node.origins.empty(); });
}

std::vector<OperatorChain::NodeMetrics> OperatorChain::metrics() const {
  std::vector<NodeMetrics> all;
  for (const auto& node : nodes_) all.push_back({node->info_, node->metrics_});
  return all;
}

OperatorChain::Traffic OperatorChain::traffic() const {
  Traffic all;
  for (const auto& node : nodes_) {
    all.nodes.emplace_back(node->recordsIn_->value(), node->recordsOut_->value());
    const bool leaves = std::any_of(
        node->targets_.begin(), node->targets_.end(),
        [](const ChainNode::Target& target) { return target.exchange != nullptr && target.side == kMain; });
    if (leaves) all.recordsOut += node->recordsOut_->value();
  }
  for (const Exchange* exchange : live_) {
    all.batchesOut += exchange->sent().batches();
    all.bytesOut += exchange->sent().bytes();
    all.out += exchange->fill();
  }
  return all;
}

void OperatorChain::publishStateSizes() {
  for (const auto& node : nodes_)
    if (node->keyedState_ != nullptr) node->stateMetrics_->publish(*node->keyedState_);
}

}  // namespace flott
