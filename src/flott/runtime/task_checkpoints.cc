#include "flott/runtime/task_checkpoints.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "flott/runtime/master_gateway.h"

namespace flott {
namespace {

// Of a section that is written before it is complete.
constexpr size_t kPartBytes = size_t{1} << 20;
// Encoded and not yet taken to be written: encoding waits.
constexpr size_t kMostEncoded = size_t{4} << 20;
// Files with segments of state in memory; they have no other name.
constexpr const char* kSegments = "segments";

/// Empty: checkpoints are kept in the master's memory.
std::string folderOf(const Barrier& barrier, const CheckpointStorage& storage) {
  return barrier.properties != nullptr && !barrier.properties->folder.empty()
             ? barrier.properties->folder
             : storage.folderOf(barrier.checkpoint);
}

std::string fileOf(const std::string& task, size_t index) { return task + "-" + std::to_string(index); }

}  // namespace

struct TaskCheckpoints::Stream {
  /// Without a folder it is a shared file.
  Stream(CheckpointId of, std::string folderOfFile, std::string nameOfFile)
      : checkpoint(of), folder(std::move(folderOfFile)), name(std::move(nameOfFile)) {}

  void write(CheckpointStorage& storage, const std::string& bytes) {
    if (error) return;
    try {
      if (folder.empty()) {
        if (!shared) shared.emplace(storage.createShared(checkpoint, name, kSegments));
        shared->write(bytes);
      } else {
        if (!writer) writer.emplace(storage.createFile(folder, name));
        writer->write(bytes);
      }
    } catch (...) {
      error = currentError();
    }
  }

  const CheckpointId checkpoint;
  const std::string folder;
  const std::string name;
  std::optional<StateFileWriter> writer;
  std::optional<SharedFileWriter> shared;
  std::optional<Error> error;
};

void TaskCheckpoints::begin(OperatorChain& chain, const Barrier& barrier, StepTime now, Alignment alignment) {
  SegmentCatalogs bases;
  if (const std::vector<Stored>* const base = baseOf(barrier)) {
    for (const Stored& stored : *base) bases.push_back(stored.segments);
  }
  chain.setBases(std::move(bases));
  const bool dated = barrier.triggered != Timestamp::min();
  const int64_t since = dated ? (now.wall - barrier.triggered).ms * 1'000'000 - alignment.nanos : 0;
  const int64_t delay = std::max<int64_t>(since, 0);
  lastDelay_.store(delay, std::memory_order_relaxed);
  lastAlignment_.store(alignment.nanos, std::memory_order_relaxed);
  underWay_[barrier.checkpoint] = {
      .overtakesFrom = barrier.overtakesFrom,
      .durations = {.startDelayNanos = delay, .alignmentNanos = alignment.nanos},
      .inFlight = {.unaligned = alignment.overtook, .processedBytes = alignment.bytes}};
}

bool TaskCheckpoints::step(OperatorChain& chain, InputGate& gate, ChainHost& host) {
  const bool more = chain.cutting() && encode(chain, host);
  while (!cut_.empty() && settled(cut_.front(), chain, gate, host.now())) {
    ChainSnapshot cut = std::move(cut_.front());
    cut_.pop_front();
    store(std::move(cut), host);
  }
  return more;
}

/// Whether there is more to encode right away.
bool TaskCheckpoints::encode(OperatorChain& chain, ChainHost& host) {
  if (waitsForWrite(chain)) return false;
  const bool encoded = chain.encodeCuts();
  writeAhead(chain, host);
  while (!writesAhead_ && chain.cutting()) {
    std::optional<ChainSnapshot> snapshot = chain.takeSnapshot();
    if (!snapshot) break;
    cut_.push_back(*std::move(snapshot));
  }
  return !encoded && !waitsForWrite(chain);
}

bool TaskCheckpoints::waitsForWrite(const OperatorChain& chain) const {
  return writesAhead_ && chain.cutting() && chain.encodedBytes() >= kMostEncoded;
}

// One part at a time, so that they are in their order. What fails is told when the cut is complete.
void TaskCheckpoints::writeAhead(OperatorChain& chain, ChainHost& host) {
  if (writesAhead_) return;
  const Barrier& barrier = chain.cutBarrier();
  const std::string folder = folderOf(barrier, storage_);
  if (folder.empty()) return;
  std::optional<ChainCut::Part> part = chain.takePart(kPartBytes);
  if (!part) return;
  std::shared_ptr<Stream>& stream = streams_[{barrier.checkpoint, part->index}];
  if (stream == nullptr) {
    stream = std::make_shared<Stream>(barrier.checkpoint, part->shared ? std::string() : folder,
                                      fileOf(file_, part->index));
  }
  writesAhead_ = true;
  host.offload(
      "write checkpoint " + std::to_string(barrier.checkpoint.value),
      [stream, bytes = std::move(part->bytes), &storage = storage_] { stream->write(storage, bytes); },
      [this](const std::optional<Error>&) { writesAhead_ = false; });
}

struct TaskCheckpoints::Writing {
  ChainSnapshot cut;
  std::string name;
  std::vector<std::shared_ptr<Stream>> streams;  // by operator; null: there is none
  std::vector<Stored> base;                      // by operator; what need not be written
  SegmentCatalogs segments = {};                 // by operator
  TaskSnapshot stored;
  std::optional<Error> error;

  CheckpointId checkpoint() const { return cut.barrier.checkpoint; }
  void write(CheckpointStorage& storage);
  std::vector<StateHandle> endStreams(CheckpointStorage& storage);
  std::string writeSegments(CheckpointStorage& storage, size_t index, ColdSnapshot& cold);
  ColdSnapshot writeFiles(CheckpointStorage& storage, size_t index);
};

/// What the shared files hold of state in memory, as a SharedSection; empty where it is a section of its own.
std::string TaskCheckpoints::Writing::writeSegments(CheckpointStorage& storage, size_t index,
                                                    ColdSnapshot& cold) {
  ChainSnapshot::Operator& op = cut.operators[index];
  if (op.catalog == nullptr) return {};
  const std::shared_ptr<SegmentCatalog> catalog = std::move(op.catalog);
  const std::shared_ptr<Stream> stream = std::exchange(streams[index], nullptr);
  if (stream == nullptr && catalog->keptBytes() == 0 &&
      catalog->header().size() + op.keyed.size() <= storage.inlineThreshold()) {
    op.keyed.insert(0, catalog->header());
    return {};
  }
  std::optional<SharedFile> file;
  if (stream != nullptr || !op.keyed.empty()) {
    const std::shared_ptr<Stream> out =
        stream != nullptr ? stream : std::make_shared<Stream>(checkpoint(), "", fileOf(name, index));
    out->write(storage, std::exchange(op.keyed, {}));
    if (out->error) throw *out->error;
    file = out->shared->finish();
  }
  catalog->finish(file ? &*file : nullptr);
  cold.files = catalog->files();
  stored.sharedBytes += catalog->keptBytes();
  segments[index] = catalog;
  return catalog->section().encode();
}

/// By operator; empty where its state is in a section.
std::vector<StateHandle> TaskCheckpoints::Writing::endStreams(CheckpointStorage& storage) {
  std::vector<StateHandle> handles(cut.operators.size());
  const std::string folder = folderOf(cut.barrier, storage);
  for (size_t i = 0; i < streams.size(); ++i) {
    // Writes during the cut may have had all of it encoded within a step.
    if (streams[i] == nullptr && !folder.empty() && cut.operators[i].keyed.size() >= kPartBytes)
      streams[i] = std::make_shared<Stream>(checkpoint(), folder, fileOf(name, i));
    if (streams[i] == nullptr) continue;
    streams[i]->write(storage, std::exchange(cut.operators[i].keyed, {}));
    if (streams[i]->error) throw *streams[i]->error;
    handles[i] = streams[i]->writer->finish();
  }
  return handles;
}

void TaskCheckpoints::Writing::write(CheckpointStorage& storage) {
  std::vector<std::string> images;
  std::vector<ColdSnapshot> cold(cut.operators.size());
  segments.resize(cut.operators.size());
  for (size_t i = 0; i < cut.operators.size(); ++i) images.push_back(writeSegments(storage, i, cold[i]));
  std::vector<StateHandle> streamed = endStreams(storage);
  std::vector<std::string> sections;
  for (size_t i = 0; i < cut.operators.size(); ++i) {
    ChainSnapshot::Operator& op = cut.operators[i];
    sections.push_back(std::move(op.keyed));
    sections.push_back(std::move(op.operatorState));
    sections.push_back(op.files != nullptr ? op.files->image.encode() : std::move(images[i]));
    if (op.files != nullptr) cold[i] = writeFiles(storage, i);
  }
  sections.push_back(encodeInFlight(cut.overtaken));
  const SharedCheckpointProperties& properties = cut.barrier.properties;
  const std::string folder = properties != nullptr ? properties->folder : std::string();
  std::vector<StateHandle> handles = folder.empty() ? storage.write(checkpoint(), name, std::move(sections))
                                                    : storage.writeTo(folder, name, std::move(sections));
  for (size_t i = 0; i < cut.operators.size(); ++i) {
    cold[i].image = std::move(handles[3 * i + 2]);
    stored.operators.push_back({.id = cut.operators[i].id,
                                .keyed = std::move(streamed[i].empty() ? handles[3 * i] : streamed[i]),
                                .operatorState = std::move(handles[3 * i + 1]),
                                .unionList = cut.operators[i].unionList,
                                .cold = std::move(cold[i])});
  }
  stored.channels = std::move(handles.back());
}

ColdSnapshot TaskCheckpoints::Writing::writeFiles(CheckpointStorage& storage, size_t index) {
  ColdSnapshot cold;
  // The files go when they are written, here, where that may take its time.
  const std::unique_ptr<ColdCopy> copy = std::move(cut.operators[index].files);
  if (copy == nullptr) return cold;
  for (const ColdFiles::File& file : copy->files->files()) {
    if (index < base.size()) {
      const auto known = base[index].files.find(file.name);
      if (known != base[index].files.end() && known->second.length == file.bytes) {
        stored.sharedBytes += file.bytes;
        cold.files.push_back(known->second);
        continue;
      }
    }
    SharedFileWriter writer = storage.createShared(
        checkpoint(), name + "-" + toString(cut.operators[index].id) + "-" + file.name, file.name);
    copy->files->read(file, [&writer](std::string_view part) { writer.write(part); });
    cold.files.push_back(writer.finish());
  }
  return cold;
}

/// What the barrier's checkpoint may build on; null: nothing. Those before are not asked for again.
const std::vector<TaskCheckpoints::Stored>* TaskCheckpoints::baseOf(const Barrier& barrier) {
  const SharedCheckpointProperties& properties = barrier.properties;
  if (properties == nullptr || !properties->incremental) return nullptr;
  stored_.erase(stored_.begin(), stored_.lower_bound(properties->base));
  const auto base = stored_.find(properties->base);
  return base != stored_.end() ? &base->second : nullptr;
}

TaskCheckpoints::Stored& TaskCheckpoints::storedAt(CheckpointId checkpoint, size_t index) {
  std::vector<Stored>& stored = stored_[checkpoint];
  if (stored.size() <= index) stored.resize(index + 1);
  return stored[index];
}

void TaskCheckpoints::hasStored(CheckpointId checkpoint, size_t index, const std::vector<SharedFile>& files) {
  for (const SharedFile& file : files) storedAt(checkpoint, index).files.emplace(file.nameInStore, file);
}

void TaskCheckpoints::end(CheckpointId checkpoint, bool completed) {
  underWay_.erase(checkpoint);
  if (!completed) stored_.erase(checkpoint);
  std::erase_if(cut_,
                [checkpoint](const ChainSnapshot& cut) { return cut.barrier.checkpoint == checkpoint; });
  std::erase_if(streams_, [checkpoint](const auto& stream) { return stream.first.first == checkpoint; });
}

std::optional<MoveFunction<void()>> TaskCheckpoints::cleanUpOfCopies(CheckpointId checkpoint,
                                                                     bool completed) const {
  LocalCopies* const copies = storage_.copies();
  if (copies == nullptr) return std::nullopt;
  if (!completed) return [copies, task = file_, checkpoint] { copies->abandoned(task, checkpoint); };
  std::set<std::string> needed;
  for (auto at = stored_.lower_bound(checkpoint); at != stored_.end(); ++at) {
    for (const Stored& stored : at->second) {
      for (const auto& [name, file] : stored.files) needed.insert(pathOf(file));
      if (stored.segments == nullptr) continue;
      for (const SharedFile& file : stored.segments->files()) needed.insert(pathOf(file));
    }
  }
  return [copies, task = file_, checkpoint, needed = std::move(needed)] {
    copies->completed(task, checkpoint, needed);
  };
}

// Whether all that belongs to the share is in it.
bool TaskCheckpoints::settled(ChainSnapshot& cut, OperatorChain& chain, InputGate& gate, StepTime now) {
  const Barrier& barrier = cut.barrier;
  if (!barrier.mayOvertake()) return true;
  const auto under = underWay_.find(barrier.checkpoint);
  if (chain.holds(barrier.checkpoint)) {
    if (!barrier.overtakes(now.wall)) return false;
    chain.overtake(barrier, cut.overtaken);
  }
  if (gate.capturing(barrier.checkpoint)) return false;
  InputGate::Captured captured = gate.takeCaptured(barrier.checkpoint);
  if (under == underWay_.end()) return true;
  CheckpointInFlight& inFlight = under->second.inFlight;
  inFlight.processedBytes += captured.processedBytes;
  inFlight.unaligned |= !cut.overtaken.empty();
  for (InFlightSequence& sequence : captured.sequences) cut.overtaken.push_back(std::move(sequence));
  return true;
}

int64_t TaskCheckpoints::deadlineNanos(StepTime now) const {
  int64_t deadline = kNoDeadline;
  for (const auto& [checkpoint, under] : underWay_) {
    if (under.overtakesFrom == Timestamp::max() || under.overtakesFrom <= now.wall) continue;
    const int64_t wait = (under.overtakesFrom - now.wall).ms;
    if (wait < (kNoDeadline - now.nanos) / 1'000'000)
      deadline = std::min(deadline, now.nanos + wait * 1'000'000);
  }
  return deadline;
}

void TaskCheckpoints::store(ChainSnapshot cut, ChainHost& host) {
  auto writing = std::make_shared<Writing>();
  writing->cut = std::move(cut);
  writing->name = file_;
  for (size_t i = 0; i < writing->cut.operators.size(); ++i) {
    const auto stream = streams_.extract(std::pair(writing->checkpoint(), i));
    writing->streams.push_back(stream.empty() ? nullptr : stream.mapped());
  }
  if (const std::vector<Stored>* const base = baseOf(writing->cut.barrier)) writing->base = *base;
  const auto write = [writing, &storage = storage_] {
    try {
      writing->write(storage);
    } catch (...) {
      writing->error = currentError();
    }
    for (ChainSnapshot::Operator& op : writing->cut.operators) op.files.reset();
  };
  host.offload("write checkpoint " + std::to_string(writing->checkpoint().value), write,
               [this, writing](const std::optional<Error>&) { written(*writing); });
}

void TaskCheckpoints::written(Writing& writing) {
  const CheckpointId checkpoint = writing.checkpoint();
  const auto under = underWay_.extract(checkpoint);
  if (writing.error) return master_.declineCheckpoint(task_, checkpoint, *writing.error);
  // Also when the checkpoint has become void: the master then drops what was written.
  if (!under.empty()) {
    writing.stored.durations = under.mapped().durations;
    writing.stored.inFlight = under.mapped().inFlight;
    writing.stored.inFlight.persistedBytes = writing.stored.channels.length;
    for (size_t i = 0; i < writing.stored.operators.size(); ++i) {
      const ColdSnapshot& cold = writing.stored.operators[i].cold;
      if (writing.segments[i] != nullptr) {
        storedAt(checkpoint, i).segments = std::move(writing.segments[i]);
      } else if (!cold.files.empty()) {
        hasStored(checkpoint, i, cold.files);
      }
    }
  }
  writing.stored.durations.syncNanos = writing.cut.syncNanos;
  writing.stored.durations.asyncNanos = env_.clock.monotonicNanos() - writing.cut.cutNanos;
  master_.acknowledgeCheckpoint(task_, checkpoint, std::move(writing.stored));
}

}  // namespace flott
