#include "flott/runtime/exchange.h"

#include <algorithm>
#include <bit>

#include "flott/env/clock.h"
#include "flott/operators/metrics.h"
#include "flott/operators/skew/hot_keys.h"
#include "flott/runtime/encoded_batch.h"

namespace flott {
namespace {

// Below this many rows a round robin goes record by record, so that short inputs spread too.
constexpr size_t kWholeBatchRows = 256;
// Latency markers that wait for one batch to fill; more would not tell more.
constexpr size_t kMarkersAtOnce = 16;

size_t bytesOf(const Element& element) {
  const Batch* batch = std::get_if<Batch>(&element);
  return batch == nullptr ? 0 : (*batch)->bytes();
}

}  // namespace

Exchange::Exchange(ExchangeOptions options, const std::vector<Channel*>& channels,
                   std::vector<BatchPools*> pools)
    : options_(std::move(options)),
      pools_(std::move(pools)),
      batches_(channels.size()),
      groupShift_(63 - std::countr_zero(options_.maxParallelism)),
      spreadShift_(std::countr_zero(options_.maxParallelism)),
      next_(channels.empty() ? 0 : options_.subtask % static_cast<uint32_t>(channels.size())),
      random_(options_.seed | 1),
      deadline_(kNoDeadline) {
  FLOTT_CHECK(!channels.empty(), "an exchange has at least one receiver");
  FLOTT_CHECK(channels.size() == pools_.size(), "each receiver has its pools");
  FLOTT_CHECK(std::has_single_bit(options_.maxParallelism), "max parallelism is a power of two");
  FLOTT_CHECK((options_.partitioning.kind != PartitionKind::kHash &&
               options_.partitioning.kind != PartitionKind::kCustom) ||
              channels.size() == options_.parallelism);
  for (Channel* channel : channels) receivers_.emplace_back(channel);
}

Exchange::~Exchange() = default;

void Exchange::reportHotKeys(MetricGroup& metrics, const std::string& name) {
  if (options_.partitioning.kind != PartitionKind::kHash || receivers_.size() == 1) return;
  hotKeys_ = std::make_unique<HotKeys>();
  hotKeysText_ = &metrics.text(name);
  hotKeysText_->set("none", 0);
}

void Exchange::lookForHotKeys(const Batch& batch) {
  const uint64_t* hashes = batch->hashes();
  const size_t count = batch.size();
  for (size_t i = hotKeys_->next(); i < count; i = hotKeys_->next()) {
    hotKeys_->sample(hashes[i], [&] { return options_.partitioning.hasher->keyText(batch, i); });
  }
  hotKeys_->endBatch(count);
  if (!hotKeys_->reportDue()) return;
  HotKeys::Report report = hotKeys_->report();
  hotKeysText_->set(report.text.empty() ? "none" : std::move(report.text), report.share);
}

void Exchange::emit(Batch batch) {
  if (batch.size() == 0) return;
  if (batch->hasTimestamps() != stamped_) {  // a union may mix both kinds; a batch may not
    flush();
    stamped_ = batch->hasTimestamps();
  }
  if (options_.partitioning.kind != PartitionKind::kHash) batch->dropHashes();
  switch (options_.partitioning.kind) {
    case PartitionKind::kHash:  // hashes that are there may be those of an earlier key
      options_.partitioning.hasher->hash(batch);
      if (hotKeys_) lookForHotKeys(batch);
      return emitScattered(std::move(batch));
    case PartitionKind::kCustom:
    case PartitionKind::kShuffle:
      return emitScattered(std::move(batch));
    case PartitionKind::kRebalance:
    case PartitionKind::kRescale:
      return emitRoundRobin(std::move(batch));
    case PartitionKind::kBroadcast:
    case PartitionKind::kForward:
    case PartitionKind::kGlobal:
      return emitWhole(0, std::move(batch));
  }
}

// A batch that is nearly full goes as it is; small ones are gathered.
void Exchange::emitWhole(size_t target, Batch batch) {
  Batch& open = batches_[target];
  if (!open) {
    open = std::move(batch);
    ++open_;
  } else {
    open->append(std::move(batch));
  }
  if (2 * open.size() >= open->capacity()) sendOpen(target);
}

const uint32_t* Exchange::keyTargets(const Batch& batch) {
  const uint64_t* hashes = batch->hashes();
  uint32_t* targets = targets_.data();
  const uint64_t parallelism = options_.parallelism;
  const size_t count = batch.size();
  if (std::has_single_bit(parallelism) &&
      parallelism > 1) {  // then the subtask is the top bits of the key group
    const int shift = 64 - std::countr_zero(parallelism);
    constexpr size_t kAtOnce = 8;  // a number that the compiler knows, so that it takes whole registers
    size_t i = 0;
    for (; i + kAtOnce <= count; i += kAtOnce) {
      for (size_t j = 0; j < kAtOnce; ++j) targets[i + j] = static_cast<uint32_t>(hashes[i + j] >> shift);
    }
    for (; i < count; ++i) targets[i] = static_cast<uint32_t>(hashes[i] >> shift);
    return targets;
  }
  for (size_t i = 0; i < count; ++i) {
    targets[i] = static_cast<uint32_t>(((hashes[i] >> 1 >> groupShift_) * parallelism) >> spreadShift_);
  }
  return targets;
}

void Exchange::emitScattered(Batch batch) {
  const auto count = static_cast<uint32_t>(receivers_.size());
  if (count == 1 && options_.partitioning.kind != PartitionKind::kCustom)
    return emitWhole(0, std::move(batch));
  if (targets_.size() < batch.size()) targets_.resize(batch.size());
  switch (options_.partitioning.kind) {
    case PartitionKind::kHash:
      keyTargets(batch);
      break;
    case PartitionKind::kCustom:
      options_.partitioning.router->route(batch, count, targets_.data());
      break;
    case PartitionKind::kShuffle:
      for (size_t i = 0; i < batch.size(); ++i) {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        targets_[i] = static_cast<uint32_t>(((random_ >> 32) * count) >> 32);
      }
      break;
    default:  // round robin
      for (size_t i = 0; i < batch.size(); ++i) {
        targets_[i] = next_;
        next_ = next_ + 1 == count ? 0 : next_ + 1;
      }
  }
  batch->scatter(targets_.data(), count, batches_.data(), OutputPools(pools_.data()));
  open_ = 0;
  for (size_t target = 0; target < count; ++target) {
    if (!batches_[target]) continue;
    ++open_;
    if (batches_[target]->full()) sendOpen(target);
  }
}

void Exchange::emitRoundRobin(Batch batch) {
  const bool adaptive = options_.adaptiveReach > 0;
  if (!adaptive && batch.size() < kWholeBatchRows) return emitScattered(std::move(batch));
  const size_t target = adaptive ? leastLoaded() : next_;
  next_ = target + 1 == receivers_.size() ? 0 : static_cast<uint32_t>(target) + 1;
  emitWhole(target, std::move(batch));
}

// The first of the next ones that has nothing to do, else that with the least.
size_t Exchange::leastLoaded() const {
  const size_t reach = std::min<size_t>(options_.adaptiveReach, receivers_.size());
  size_t best = next_;
  size_t bestLoad = SIZE_MAX;
  for (size_t i = 0; i < reach && bestLoad > 0; ++i) {
    const size_t target = (next_ + i) % receivers_.size();
    const Target& receiver = receivers_[target];
    const size_t load = receiver.channel->backlog() + receiver.waiting.size() + (batches_[target] ? 1 : 0);
    if (load >= bestLoad) continue;
    best = target;
    bestLoad = load;
  }
  return best;
}

void Exchange::sendOpen(size_t target, WakeUp when) {
  --open_;
  if (broadcasts()) return sendToAll(std::move(batches_[0]), when);
  send(target, Element(std::move(batches_[target])), when);
  sendMarkers(target);
}

// A copy for each receiver here; receivers elsewhere share the bytes, which are made once.
void Exchange::sendToAll(Batch batch, WakeUp when) {
  EncodedBatch::Bytes bytes;
  const auto copyFor = [&](size_t target) {
    if (!receivers_[target].channel->leavesProcess()) return batch->clone(*pools_[target]);
    if (bytes == nullptr) bytes = EncodedBatch::bytesOf(batch);
    return Batch(std::make_unique<EncodedBatch>(bytes, batch.size()));
  };
  for (size_t target = 1; target < receivers_.size(); ++target) {
    send(target, Element(copyFor(target)), when);
    sendMarkers(target);
  }
  const bool leaves = receivers_[0].channel->leavesProcess();
  send(0, Element(leaves ? copyFor(0) : std::move(batch)), when);
  sendMarkers(0);
}

void Exchange::sendMarkers(size_t target) {
  for (const LatencyMarker& marker : receivers_[target].markers) send(target, Element(marker));
  receivers_[target].markers.clear();
}

// The open batch of a broadcast is due when any of its receivers has nothing to do.
bool Exchange::starving(size_t target) const {
  if (!broadcasts()) return receivers_[target].channel->starving();
  return std::any_of(receivers_.begin(), receivers_.end(),
                     [](const Target& receiver) { return receiver.channel->starving(); });
}

void Exchange::emitMarker(const LatencyMarker& marker) {
  const size_t target = nextMarker_;
  nextMarker_ = target + 1 == receivers_.size() ? 0 : target + 1;
  if (!openOf(target)) return send(target, Element(marker));
  std::vector<LatencyMarker>& markers = receivers_[target].markers;
  if (markers.size() < kMarkersAtOnce) markers.push_back(marker);
}

void Exchange::send(size_t target, Element element, WakeUp when) {
  Target& receiver = receivers_[target];
  if (receiver.waiting.empty() && tryPush(receiver, element, when)) return;
  waitingBytes_ += bytesOf(element);
  waiting_.add();
  receiver.waiting.push_back(std::move(element));
  if (waitingBytes_ > options_.overrunCapBytes) {
    throw Error(ErrorKind::kUser,
                "a single call put out more than " + std::to_string(options_.overrunCapBytes) +
                    " bytes beyond what the next operator could take: emit less per record, or "
                    "raise flott.output.overrun-cap");
  }
}

bool Exchange::tryPush(Target& receiver, Element& element, WakeUp when) {
  const auto* barrier = std::get_if<Barrier>(&element);
  if (barrier == nullptr) {
    const auto* batch = std::get_if<Batch>(&element);
    if (batch == nullptr) return receiver.channel->tryPush(element, when);
    const int64_t bytes = sent_.weigh(*batch);
    if (!receiver.channel->tryPush(element, when)) return false;
    sent_.add(bytes);
    return true;
  }
  const Barrier pushed = *barrier;
  const size_t position = receiver.channel->pushed();
  if (!receiver.channel->tryPush(element, when)) return false;
  receiver.barrier = pushed.checkpoint;
  receiver.barrierPosition = position;
  // One that keeps its place for now: so that the receiver knows of it when its time is up.
  if (options_.overtakable && pushed.mayOvertake() && pushed.overtakesFrom != Timestamp::min())
    receiver.channel->announce(pushed, position);
  return true;
}

ChannelFill Exchange::fill() const {
  ChannelFill fill{.waiting = static_cast<size_t>(std::max<int64_t>(waiting_.value(), 0)), .capacity = 0};
  for (const Target& receiver : receivers_)
    fill += {.waiting = receiver.channel->backlog(), .capacity = receiver.channel->capacity()};
  return fill;
}

bool Exchange::holds(CheckpointId checkpoint) const {
  if (waiting_.value() == 0) return false;
  return std::any_of(receivers_.begin(), receivers_.end(), [checkpoint](const Target& receiver) {
    return std::any_of(receiver.waiting.begin(), receiver.waiting.end(),
                       [checkpoint](const Element& element) {
                         const auto* barrier = std::get_if<Barrier>(&element);
                         return barrier != nullptr && barrier->checkpoint == checkpoint;
                       });
  });
}

void Exchange::overtake(const Barrier& barrier, std::vector<InFlightSequence>& overtaken) {
  Barrier early = barrier;
  early.overtakesFrom = Timestamp::min();
  for (size_t target = 0; target < receivers_.size(); ++target) {
    InFlightSequence sequence{.edge = options_.edge,
                              .sender = static_cast<int32_t>(options_.subtask),
                              .receiver = static_cast<int32_t>(target),
                              .unsent = true,
                              .elements = {}};
    overtake(target, early, sequence.elements);
    if (!sequence.elements.empty()) overtaken.push_back(std::move(sequence));
  }
}

// What is in the ring is the receiver's. Where the barrier was broadcast before, the open batch came after
// it, and what waits behind it as well.
void Exchange::overtake(size_t target, Barrier barrier, std::string& elements) {
  Target& receiver = receivers_[target];
  if (receiver.barrier == barrier.checkpoint) {
    return receiver.channel->announce(barrier, receiver.barrierPosition);
  }
  const auto same = [&barrier](const Element& element) {
    const auto* other = std::get_if<Barrier>(&element);
    return other != nullptr && other->checkpoint == barrier.checkpoint;
  };
  const auto own = std::find_if(receiver.waiting.begin(), receiver.waiting.end(), same);
  for (auto at = receiver.waiting.begin(); at != own; ++at) appendElement(*at, elements);
  if (own != receiver.waiting.end()) {
    receiver.waiting.erase(own);
    waiting_.add(-1);
  } else if (batches_[target]) {  // not a broadcast, which nothing overtakes
    appendBatch(batches_[target], elements);
  }
  receiver.channel->announce(barrier, receiver.channel->pushed());
  Element element(std::move(barrier));
  if (tryPush(receiver, element)) return;
  receiver.waiting.push_front(std::move(element));
  waiting_.add();
}

void Exchange::broadcast(const Element& control) {
  flush();
  for (size_t target = 0; target < receivers_.size(); ++target) send(target, copyControl(control));
}

void Exchange::flush() {
  if (open_ == 0) return;
  for (size_t target = 0; target < receivers_.size(); ++target) {
    if (batches_[target]) sendOpen(target);
  }
}

bool Exchange::drain() {
  if (waiting_.value() == 0) return true;
  for (Target& receiver : receivers_) {
    while (!receiver.waiting.empty()) {
      const size_t bytes = bytesOf(receiver.waiting.front());
      if (!tryPush(receiver, receiver.waiting.front())) break;
      receiver.waiting.pop_front();
      waitingBytes_ -= bytes;
      waiting_.add(-1);
    }
  }
  return waiting_.value() == 0;
}

void Exchange::endStep(int64_t nowNanos) {
  deadline_ = kNoDeadline;
  if (open_ == 0) {
    openedAt_ = 0;
    return;
  }
  const int64_t timeout = options_.bufferTimeout.ms * 1'000'000;
  const bool due = timeout >= 0 && (timeout == 0 || (openedAt_ != 0 && nowNanos - openedAt_ >= timeout));
  for (size_t target = 0; target < receivers_.size(); ++target) {
    if (batches_[target] && (due || starving(target))) sendOpen(target, WakeUp::kAfterStep);
  }
  if (open_ == 0) {
    openedAt_ = 0;
    return;
  }
  if (openedAt_ == 0) openedAt_ = nowNanos;
  if (timeout >= 0) deadline_ = openedAt_ + timeout;
}

}  // namespace flott
