#include "flott/master/source_coordinator.h"

#include <utility>

namespace flott {

SourceCoordinator::SourceCoordinator(const JobVertex& vertex, Worker& worker, Env& env, CoordinatorHost& host)
    : vertex_(vertex), worker_(worker), env_(env), host_(host) {}

template <typename F>
void SourceCoordinator::guarded(F&& call) {
  try {
    call();
  } catch (...) {
    throw currentError().at("source '" + vertex_.chain.front().name + "', split enumerator");
  }
}

void SourceCoordinator::start(const std::string& state, const std::vector<bool>& finished) {
  guarded([&] {
    enumerator_ = vertex_.chain.front().source->createEnumerator(state);
    enumerator_->start(*this);
    for (int reader = 0; reader < vertex_.parallelism; ++reader) {
      if (!finished[static_cast<size_t>(reader)]) enumerator_->addReader(SubtaskIndex(reader));
    }
  });
}

void SourceCoordinator::handleSplitRequest(SubtaskIndex reader) {
  guarded([&] { enumerator_->handleSplitRequest(reader); });
}

void SourceCoordinator::handleSourceEvent(SubtaskIndex reader, const std::string& event) {
  guarded([&] { enumerator_->handleSourceEvent(reader, event); });
}

std::string SourceCoordinator::snapshot() {
  std::string state;
  guarded([&] { state = enumerator_->snapshot(); });
  return state;
}

void SourceCoordinator::assign(SubtaskIndex reader, SourceSplit split) {
  std::vector<SourceSplit> splits;
  splits.push_back(std::move(split));
  worker_.task(vertex_.id, reader).assignSplits(std::move(splits));
}

void SourceCoordinator::signalNoMoreSplits(SubtaskIndex reader) {
  worker_.task(vertex_.id, reader).signalNoMoreSplits();
}

void SourceCoordinator::sendEvent(SubtaskIndex reader, std::string event) {
  worker_.task(vertex_.id, reader).deliverSourceEvent(std::move(event));
}

void SourceCoordinator::setIsProcessingBacklog(bool backlog) {
  if (std::exchange(backlog_, backlog) != backlog) host_.backlogChanged();
}

void SourceCoordinator::callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) {
  host_.callAsync(
      "source '" + vertex_.chain.front().name + "': " + what,
      [this, work = std::move(work)]() mutable { guarded(work); },
      [this, done = std::move(done)]() mutable { guarded(done); });
}

void SourceCoordinator::callAfter(Duration delay, MoveFunction<void()> then) {
  host_.callAfter(delay, [this, then = std::move(then)]() mutable { guarded(then); });
}

}  // namespace flott
