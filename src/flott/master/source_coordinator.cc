#include "flott/master/source_coordinator.h"

#include <iterator>
#include <utility>

namespace flott {

SourceCoordinator::SourceCoordinator(const JobVertex& vertex, bool tracks, CheckpointId from, Env& env,
                                     CoordinatorHost& host)
    : vertex_(vertex), tracks_(tracks), env_(env), host_(host), lastTriggered_(from) {}

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

std::string SourceCoordinator::snapshot(CheckpointId checkpoint) {
  lastTriggered_ = checkpoint;
  std::string state;
  guarded([&] { state = enumerator_->snapshot(); });
  return state;
}

void SourceCoordinator::checkpointCompleted(CheckpointId checkpoint) {
  for (auto& [index, reader] : readers_)
    std::erase_if(reader.given, [&](const Given& given) { return given.after < checkpoint; });
}

bool SourceCoordinator::forgotSplitsOf(SubtaskIndex reader) const {
  const auto found = readers_.find(reader.value);
  return found != readers_.end() && found->second.forgot;
}

// A split that was given before the checkpoint was triggered is in the reader's state, or done.
void SourceCoordinator::restartReader(SubtaskIndex index, CheckpointId from, bool finished) {
  Reader& reader = readers_[index.value];
  std::vector<SourceSplit> back;
  for (Given& given : reader.given) {
    if (given.after >= from) back.push_back(std::move(given.split));
  }
  reader.given.clear();
  reader.up = true;
  if (finished) return;
  guarded([&] {
    back.insert(back.end(), std::make_move_iterator(reader.waiting.begin()),
                std::make_move_iterator(reader.waiting.end()));
    reader.waiting.clear();
    enumerator_->addSplitsBack(std::move(back), index);
    enumerator_->addReader(index);
  });
}

void SourceCoordinator::assign(SubtaskIndex index, SourceSplit split) {
  Reader& reader = readers_[index.value];
  if (!reader.up) return reader.waiting.push_back(std::move(split));
  if (tracks_ && !reader.forgot) {
    reader.given.push_back({lastTriggered_, split});
    if (reader.given.size() > kRememberedSplits) {
      reader.forgot = true;
      reader.given = {};
    }
  }
  std::vector<SourceSplit> splits;
  splits.push_back(std::move(split));
  host_.task(vertex_.id, index).assignSplits(std::move(splits));
}

void SourceCoordinator::signalNoMoreSplits(SubtaskIndex index) {
  if (readers_[index.value].up) host_.task(vertex_.id, index).signalNoMoreSplits();
}

void SourceCoordinator::sendEvent(SubtaskIndex reader, std::string event) {
  if (!readers_[reader.value].up) return;
  host_.task(vertex_.id, reader).deliverSourceEvent(std::move(event));
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
