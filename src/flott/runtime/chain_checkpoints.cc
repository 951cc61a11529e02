// The chain's part in checkpoints: a barrier cuts each operator as it passes, and what was cut is encoded
// between batches.
#include <algorithm>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/data/describe.h"
#include "flott/runtime/chain.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/operator_state.h"

namespace flott {
namespace {

// Encoded between two steps of the task.
constexpr size_t kEncodedAtOnce = size_t{256} << 10;
// May wait at an exchange for the sake of a barrier that overtakes.
constexpr size_t kHurriedBytes = size_t{1} << 20;
// Void checkpoints whose barriers may come behind the news.
constexpr size_t kVoidKnown = 64;
// What a reader's splits are kept under in the state of its operator; no name that a user would choose.
constexpr std::string_view kSplits = ":splits";

/// As encodeSplit() writes it.
struct StoredSplit {
  std::string id;
  std::string state;
};

std::string encodeSplit(const SourceSplit& split) {
  std::string bytes;
  ByteWriter out(bytes);
  out.string(split.id);
  out.string(split.state);
  return bytes;
}

SourceSplit decodeSplit(const std::string& bytes) {
  ByteReader in(bytes);
  SourceSplit split;
  split.id = in.string();
  split.state = in.string();
  return split;
}

}  // namespace

std::string ChainNode::encodeOperatorState() {
  OperatorStateImage image;
  if (operatorState_ != nullptr) image = operatorState_->snapshot();
  if (reader_ != nullptr) {
    OperatorStateImage::State splits{
        .name = std::string(kSplits), .type = describe<StoredSplit>(), .items = {}};
    for (const SourceSplit& split : reader_->snapshot()) splits.items.push_back(encodeSplit(split));
    if (!splits.items.empty()) image.states.insert(image.states.begin(), std::move(splits));
  }
  std::string bytes;
  if (image.states.empty()) return bytes;
  ByteWriter out(bytes);
  image.encode(out);
  return bytes;
}

void ChainNode::restore(RestoredOperator restored) {
  std::vector<OperatorStateImage::State>& states = restored.operatorState.states;
  std::erase_if(states, [this](const OperatorStateImage::State& state) {
    if (state.name != kSplits) return false;
    for (const std::string& item : state.items) restoredSplits_.push_back(decodeSplit(item));
    return true;
  });
  restoredKeyed_ = std::move(restored.keyed);
  restoredCold_ = std::move(restored.cold);
  if (!states.empty()) {
    operatorState_ = std::make_unique<OperatorStateBackend>(std::move(restored.operatorState));
  }
}

// The barrier goes no further than the chain where the channels have got their last element.
void ChainNode::emitBarrier(const Barrier& barrier) {
  const Element element(barrier);
  for (Target& target : targets_) {
    if (target.exchange == nullptr) {
      chain_.push(*target.node, 0, copyControl(element));
    } else if (!ended_) {
      chain_.send(barrier, *target.exchange);
    }
  }
}

// That of a void checkpoint overtakes too: those behind may not know yet.
void OperatorChain::send(const Barrier& barrier, Exchange& exchange) {
  if (!exchange.overtakable() || !barrier.overtakes(host_.now().wall)) {
    return exchange.broadcast(Element(barrier));
  }
  std::vector<InFlightSequence> dropped;
  const auto under = std::find_if(cuts_.begin(), cuts_.end(), [&barrier](const ChainCut& cut) {
    return cut.checkpoint() == barrier.checkpoint;
  });
  exchange.overtake(barrier, under == cuts_.end() ? dropped : under->overtaken());
}

void OperatorChain::hurry(bool hurries) {
  if (std::exchange(hurries_, hurries) == hurries) return;
  for (Exchange* exchange : live_) {
    exchange->setAllowance(hurries ? std::min(kHurriedBytes, options_.overrunCapBytes / 2) : 0);
  }
}

bool OperatorChain::overtakingInside() const {
  return std::any_of(cuts_.begin(), cuts_.end(), [this](const ChainCut& cut) {
    return !cut.passed() && cut.barrier().overtakes(host_.now().wall);
  });
}

bool OperatorChain::holds(CheckpointId checkpoint) const {
  return std::any_of(live_.begin(), live_.end(), [checkpoint](const Exchange* exchange) {
    return exchange->overtakable() && exchange->holds(checkpoint);
  });
}

void OperatorChain::overtake(const Barrier& barrier, std::vector<InFlightSequence>& overtaken) {
  for (Exchange* exchange : live_) {
    if (exchange->overtakable() && exchange->holds(barrier.checkpoint))
      exchange->overtake(barrier, overtaken);
  }
}

void OperatorChain::injectBarrier(const Barrier& barrier) {
  ChainNode& head = *nodes_.front();
  isAt(head);
  cut(head, barrier);
  head.emitBarrier(barrier);
}

void OperatorChain::cutEnded(const Barrier& barrier) {
  for (const auto& node : nodes_) {
    current_.store(node.get(), std::memory_order_relaxed);
    cut(*node, barrier);
  }
}

bool OperatorChain::awaitsFinalCheckpoint() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& node) {
    return node->op_ != nullptr && node->op_->awaitsFinalCheckpoint();
  });
}

// A barrier of a checkpoint that was abandoned meanwhile only passes through.
void OperatorChain::cut(ChainNode& node, const Barrier& barrier) {
  const auto begin = env_.clock.monotonicNanos();
  const auto index = static_cast<size_t>(
      std::find_if(nodes_.begin(), nodes_.end(), [&node](const auto& n) { return n.get() == &node; }) -
      nodes_.begin());
  if (index == 0) {
    cuts_.emplace_back(barrier, nodes_.size(), std::exchange(bases_, {}));
    std::erase_if(void_, [&barrier](CheckpointId id) { return id < barrier.checkpoint; });
  }
  const auto under = std::find_if(cuts_.begin(), cuts_.end(), [&barrier](const ChainCut& cut) {
    return cut.checkpoint() == barrier.checkpoint;
  });
  if (under == cuts_.end()) return;
  if (node.op_ != nullptr) node.op_->snapshotState(barrier.checkpoint);
  if (node.keyedState_ != nullptr && node.keyedState_->cutting()) {
    for (ChainCut& other : cuts_) other.finish(*node.keyedState_);
  }
  under->add(index, node.info_.id, node.keyedState_.get(), node.encodeOperatorState(),
             !node.ended_ && node.operatorState_ != nullptr && node.operatorState_->hasUnionList());
  const auto end = env_.clock.monotonicNanos();
  under->noteSync(end - begin, end);
  if (barrier.stop() != StopMode::kSuspend || void_.contains(barrier.checkpoint)) return;
  node.suspended_ = true;
  suspendedBy_ = barrier.checkpoint;
}

bool OperatorChain::encodeCuts() {
  return std::all_of(cuts_.begin(), cuts_.end(),
                     [](ChainCut& cut) { return cut.encodeSome(kEncodedAtOnce); });
}

std::optional<ChainSnapshot> OperatorChain::takeSnapshot() {
  if (cuts_.empty() || !cuts_.front().complete()) return std::nullopt;
  ChainSnapshot snapshot = cuts_.front().take();
  cuts_.pop_front();
  return snapshot;
}

void OperatorChain::endCheckpoint(CheckpointId checkpoint, bool completed) {
  std::erase_if(cuts_, [checkpoint](ChainCut& cut) {
    if (cut.checkpoint() != checkpoint) return false;
    cut.abandon();
    return true;
  });
  if (!completed) void_.insert(checkpoint);
  if (void_.size() > kVoidKnown) void_.erase(void_.begin());
  for (const auto& node : nodes_) {
    if (!completed && suspendedBy_ == checkpoint) node->suspended_ = false;
    current_.store(node.get(), std::memory_order_relaxed);
    if (node->reader_ != nullptr) node->reader_->onCheckpointEnded(checkpoint, completed);
    if (node->op_ != nullptr) node->op_->onCheckpointEnded(checkpoint, completed);
  }
}

}  // namespace flott
