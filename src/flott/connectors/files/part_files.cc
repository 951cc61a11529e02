#include "flott/connectors/files/part_files.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>

#include "flott/connectors/files/bulk_format.h"
#include "flott/connectors/files/part_store.h"
#include "flott/env/env.h"
#include "flott/operators/context.h"

namespace flott {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr std::string_view kHiddenMark = ".inprogress.";
// Of an object that S3 copies, as publishing takes.
constexpr uint64_t kLargestObject = uint64_t{5} << 30;

std::optional<uint64_t> numberIn(std::string_view text) {
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct HiddenName {
  int subtask = 0;
  CheckpointId epoch;
};

/// Whose hidden part this is, if it is of this lineage, whatever prefix and suffix it was written with.
std::optional<HiddenName> parseHidden(std::string_view path, const std::string& lineage) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t mark = name.rfind(kHiddenMark);
  const size_t at = name.find("-" + lineage);
  if (!name.starts_with('.') || mark == std::string_view::npos || at == std::string_view::npos) return {};
  std::string_view epoch = name.substr(mark + kHiddenMark.size());
  epoch = epoch.substr(0, epoch.find('.'));  // ".cut" may follow
  const size_t dash = name.rfind('-', at - 1);
  if (dash == std::string_view::npos) return {};
  const auto subtask = numberIn(name.substr(dash + 1, at - dash - 1));
  const auto number = numberIn(epoch);
  if (!subtask || !number) return {};
  return HiddenName{.subtask = static_cast<int>(*subtask), .epoch = CheckpointId(*number)};
}

void removeLeftOvers(PartStore& store, const SinkAttempt& attempt, const std::vector<PartFile>& unneeded) {
  for (const PartFile& part : unneeded) store.remove(part.hidden);
  for (const std::string& path : store.list()) {
    const auto hidden = parseHidden(path, attempt.lineage);
    if (hidden && attempt.aborts(hidden->subtask, hidden->epoch)) store.remove(path);
  }
}

void copyBeginning(PartStore& store, const std::string& from, const std::string& to, uint64_t length) {
  const std::unique_ptr<FileReader> reader = store.open(from);
  const std::unique_ptr<FileWriter> writer = store.create(to);
  std::string block(std::min<uint64_t>(kCopyBlock, length), '\0');
  for (uint64_t at = 0; at < length;) {
    const size_t wanted = std::min<uint64_t>(block.size(), length - at);
    const size_t got = reader->read(at, std::span<char>(block.data(), wanted));
    if (got == 0) throw Error(ErrorKind::kTransient, "'" + from + "' became shorter while it was read");
    writer->write(std::string_view(block.data(), got));
    at += got;
  }
  writer->sync();
  writer->close();
}

// Of an attempt whose process was stopped, and not killed, or is cut off from the master: it may still write
// to a file that it had open. It has that file, and we a copy.
void takeOver(PartStore& store, const std::vector<PartFile>& open) {
  for (const PartFile& part : open) {
    const std::optional<uint64_t> size = store.size(part.hidden);
    if (!size || *size < part.length) continue;  // published before, or no more what it was: see publish()
    copyBeginning(store, part.hidden, part.hidden + ".cut", part.length);
    store.rename(part.hidden + ".cut", part.hidden);
  }
}

void checkBucket(std::string_view id) {
  bool inside = !id.starts_with('/') && !id.ends_with('/');
  for (size_t at = 0; at <= id.size() && !id.empty() && inside;) {
    const size_t end = std::min(id.find('/', at), id.size());
    const std::string_view part = id.substr(at, end - at);
    inside = !part.empty() && part != "." && part != ".." && part.find('\0') == std::string_view::npos;
    at = end + 1;
  }
  if (!inside) {
    throw Error(ErrorKind::kUser, "the bucket '" + std::string(id) +
                                      "' is no folder below the sink's: let the bucket assigner give a "
                                      "relative path, such as \"2024-05-01/10\"");
  }
}

}  // namespace

struct PartFiles::File {
  PartFile part;
  // On the off-load thread only.
  std::unique_ptr<FileWriter> writer;
  std::unique_ptr<BulkFile> bulk;
  // Of a bulk format, as the last finished deed has left it; on the task's thread only.
  uint64_t taken = 0;    // bytes of records that it was given
  uint64_t written = 0;  // bytes that it made of them
  uint64_t held = 0;     // bytes of records of which it has not made any yet
};

struct PartFiles::Deed {
  enum class Kind : uint8_t { kRemoveLeftOvers, kWrite, kSync, kClose };
  Kind kind = Kind::kWrite;
  std::shared_ptr<File> file = nullptr;
  std::string bytes = {};
  uint64_t written = 0;
  uint64_t held = 0;

  void carryOut(PartStore& store, const BulkFormat* bulk);
};

PartFiles::PartFiles(std::string path, PartFileOptions options, std::string head,
                     std::shared_ptr<const BulkFormat> bulk)
    : path_(std::move(path)),
      options_(std::move(options)),
      head_(std::move(head)),
      bulk_(std::move(bulk)),
      wakeAt_(kNever),
      compaction_(options_.compaction, head_, bulk_) {}

PartFiles::~PartFiles() = default;

// Parts that were open in the checkpoint are closed at the length that it knows. They stay in the state until
// the next one has them as prepared.
void PartFiles::open(OperatorContext& context) {
  context_ = &context;
  store_ = partStoreFor(context.env(), context.configuration(), path_);
  unneeded_ =
      compaction_.open(context, store_, [this](const std::string& folder) { return nextPart(folder); });
  open_ = &context.operatorState().list<PartFile>("open parts");
  closed_ = restored_ = open_->get();
}

void PartFiles::begin(const SinkAttempt& attempt) {
  attempt_ = attempt;
  epoch_ = attempt.restored.value;
  const OperatorInfo& info = context_->info();
  Random random = context_->env().random.fork("parts of " + attempt.lineage + ", job " + info.jobId +
                                              ", attempt " + std::to_string(info.attempt) + ", subtask " +
                                              std::to_string(info.subtask.value));
  unique_ = attempt.lineage;
  for (int i = 0; i < 6; ++i) unique_ += "0123456789abcdef"[random.below(16)];
  if (attempt.restored.value == 0 && info.attempt == 0) return;
  waiting_.push_back({.kind = Deed::Kind::kRemoveLeftOvers});
  submit();
}

void PartFiles::enter(std::string_view id) {
  auto at = buckets_.find(id);
  if (at == buckets_.end()) {
    checkBucket(id);
    at = buckets_.emplace(std::string(id), std::make_unique<Bucket>()).first;
    at->second->id = at->first;
  }
  const int64_t now = context_->monotonicNanos();
  if (current_ != nullptr) current_->lastNanos = now;
  current_ = at->second.get();
  current_->lastNanos = now;
  if (current_->file == nullptr) beginPart(*current_);
}

PartFile PartFiles::nextPart(const std::string& folder) {
  const std::string name = options_.prefix + "-" + std::to_string(attempt_.subtask.value) + "-" + unique_ +
                           "-" + std::to_string(number_++) + options_.suffix;
  return {.hidden = folder + "/." + name + std::string(kHiddenMark) + std::to_string(epoch_),
          .name = folder + "/" + name};
}

void PartFiles::beginPart(Bucket& bucket) {
  bucket.file = std::make_shared<File>();
  bucket.file->part = nextPart(bucket.id.empty() ? path_ : path_ + "/" + bucket.id);
  bucket.handed = 0;
  bucket.buffer = head_;
  bucket.room = std::min(options_.bufferSize.bytes, options_.rolling.maxSize.bytes);
  bucket.begunNanos = context_->monotonicNanos();
  wakeFor(bucket);
}

void PartFiles::bufferFull() {
  Bucket& bucket = *current_;
  if (sizeOf(bucket) >= options_.rolling.maxSize.bytes) {
    roll(bucket);
  } else {
    handOver(bucket);
  }
  submit();
}

void PartFiles::handOver(Bucket& bucket) {
  if (bucket.buffer.empty()) return;
  bucket.handed += bucket.buffer.size();
  waitingBytes_ += bucket.buffer.size();
  waiting_.push_back(
      {.kind = Deed::Kind::kWrite, .file = bucket.file, .bytes = std::exchange(bucket.buffer, {})});
  const uint64_t left =
      options_.rolling.maxSize.bytes - std::min(options_.rolling.maxSize.bytes, sizeOf(bucket));
  bucket.room = std::max<uint64_t>(1, std::min(options_.bufferSize.bytes, left));
}

uint64_t PartFiles::sizeOf(const Bucket& bucket) const {
  if (bulk_ == nullptr) return bucket.handed + bucket.buffer.size();
  const File& file = *bucket.file;
  return file.written + file.held + (bucket.handed - file.taken) + bucket.buffer.size();
}

// The bucket goes with its file, so that only as many are kept as there are open files.
void PartFiles::roll(Bucket& bucket) {
  handOver(bucket);
  bucket.file->part.length = bucket.handed;
  waiting_.push_back({.kind = Deed::Kind::kClose, .file = std::move(bucket.file)});
  if (current_ == &bucket) current_ = nullptr;
  buckets_.erase(buckets_.find(bucket.id));
}

void PartFiles::rollAll() {
  while (!buckets_.empty()) roll(*buckets_.begin()->second);
}

int64_t PartFiles::dueAt(const Bucket& bucket) const {
  const auto after = [](int64_t nanos, Duration wait) {
    return wait.ms >= (kNever - nanos) / 1'000'000 ? kNever : nanos + wait.ms * 1'000'000;
  };
  return std::min(after(bucket.begunNanos, options_.rolling.interval),
                  after(bucket.lastNanos, options_.rolling.inactivity));
}

void PartFiles::wakeFor(const Bucket& bucket) {
  const int64_t due = dueAt(bucket);
  if (due >= wakeAt_) return;
  wakeAt_ = due;
  context_->wakeAtNanos(due);
}

void PartFiles::rollDue(int64_t now) {
  wakeAt_ = kNever;
  for (auto at = buckets_.begin(); at != buckets_.end();) {
    Bucket& bucket = *at++->second;
    if (dueAt(bucket) <= now) {
      roll(bucket);
    } else {
      wakeFor(bucket);
    }
  }
}

void PartFiles::keepToLimits() {
  uint64_t buffered = 0;
  for (const auto& [id, bucket] : buckets_) buffered += bucket->buffer.size();
  if (buffered >= kBuffers * options_.bufferSize.bytes) {
    for (const auto& [id, bucket] : buckets_) handOver(*bucket);
  }
  while (buckets_.size() > static_cast<size_t>(options_.maxOpenFiles)) {
    const auto oldest = std::min_element(buckets_.begin(), buckets_.end(), [](const auto& a, const auto& b) {
      return a.second->lastNanos < b.second->lastNanos;
    });
    roll(*oldest->second);
  }
  if (bulk_ == nullptr) return;
  uint64_t held = 0;
  for (const auto& [id, bucket] : buckets_) held += bucket->file->held;
  while (held > bulk_->mayHold() && !buckets_.empty()) {
    const auto most = std::max_element(buckets_.begin(), buckets_.end(), [](const auto& a, const auto& b) {
      return a.second->file->held < b.second->file->held;
    });
    held -= most->second->file->held;
    roll(*most->second);
  }
}

void PartFiles::endBatch() {
  if (current_ != nullptr) current_->lastNanos = context_->monotonicNanos();
  if (buckets_.size() > 1) keepToLimits();
  submit();
}

void PartFiles::resume() {
  const int64_t now = context_->monotonicNanos();
  if (wakeAt_ <= now) rollDue(now);
  submit();
}

bool PartFiles::flush() {
  if (!flushing_) {
    flushing_ = true;
    if (ended_ || options_.rolling.onCheckpoint || bulk_ != nullptr || isInStore(path_)) {
      rollAll();
    } else {
      for (const auto& [id, bucket] : buckets_) {
        handOver(*bucket);
        waiting_.push_back({.kind = Deed::Kind::kSync, .file = bucket->file});
      }
    }
  }
  submit();
  if (busy_ || !waiting_.empty()) return false;
  if (ended_) {
    compaction_.gather(std::exchange(closed_, {}));
    compaction_.finish();
    if (!compaction_.idle()) return false;
  }
  flushing_ = false;
  return true;
}

std::vector<PartFile> PartFiles::takeClosed() {
  open_->clear();
  compaction_.gather(std::exchange(closed_, {}));
  return compaction_.take();
}

void PartFiles::cut(CheckpointId checkpoint) {
  epoch_ = checkpoint.value;
  std::vector<PartFile> open;
  for (const auto& [id, bucket] : buckets_) {
    open.push_back(bucket->file->part);
    open.back().length = bucket->handed;
  }
  open_->set(std::move(open));
  compaction_.cut();
}

void PartFiles::submit() {
  if (busy_ || waiting_.empty()) return;
  busy_ = true;
  auto deeds = std::make_shared<std::deque<Deed>>(std::exchange(waiting_, {}));
  context_->offload(
      "write files in '" + path_ + "'",
      [deeds, store = store_, attempt = attempt_, bulk = bulk_, unneeded = unneeded_,
       open = std::exchange(restored_, {})] {
        for (Deed& deed : *deeds) {
          if (deed.kind == Deed::Kind::kRemoveLeftOvers) {
            removeLeftOvers(*store, attempt, unneeded);
            takeOver(*store, open);
          } else {
            deed.carryOut(*store, bulk.get());
          }
        }
      },
      [this, deeds] { done(*deeds); });
}

void PartFiles::Deed::carryOut(PartStore& store, const BulkFormat* format) {
  File& of = *file;
  if (of.writer == nullptr) {
    of.writer = store.create(of.part.hidden);
    if (format != nullptr) of.bulk = format->begin(*of.writer);
  }
  if (kind == Kind::kWrite) {
    if (of.bulk == nullptr) return of.writer->write(bytes);
    of.bulk->write(bytes);
    held = of.bulk->held();
    written = of.writer->size();
    return;
  }
  if (kind == Kind::kClose && of.bulk != nullptr) {
    of.bulk->end();
    of.bulk.reset();
    of.part.length = of.writer->size();
  }
  of.writer->sync();
  if (kind != Kind::kClose) return;
  of.writer->close();
  of.writer.reset();
}

void PartFiles::done(std::deque<Deed>& deeds) {
  busy_ = false;
  for (Deed& deed : deeds) {
    if (deed.kind == Deed::Kind::kClose) closed_.push_back(deed.file->part);
    if (deed.kind != Deed::Kind::kWrite) continue;
    waitingBytes_ -= deed.bytes.size();
    deed.file->taken += deed.bytes.size();
    deed.file->written = deed.written;
    deed.file->held = deed.held;
  }
  submit();
  context_->askToResume();
}

namespace {

CommitOutcome publish(PartStore& store, const PartFile& part) {
  const std::optional<uint64_t> hidden = store.size(part.hidden);
  const std::optional<uint64_t> there = store.size(part.name);
  if (there && *there == part.length) {
    store.remove(part.hidden);
    return CommitOutcome::alreadyCommitted();
  }
  if (there) {
    return CommitOutcome::rejected(
        "'" + part.name + "' has " + std::to_string(*there) + " bytes, and the checkpoint knows of " +
        std::to_string(part.length) +
        ": it was published with a later checkpoint than the one that the job "
        "started from. Start from the later one; or cut the file to that length, and remove those that were "
        "published since, whose records come again");
  }
  if (!hidden || *hidden < part.length) {
    return CommitOutcome::rejected("'" + part.hidden + "' " +
                                   (hidden ? "is shorter than it was" : "is not there any more") +
                                   ": somebody has removed or changed what the sink had written");
  }
  if (*hidden == part.length) {
    store.rename(part.hidden, part.name);
    return CommitOutcome::committed();
  }
  copyBeginning(store, part.hidden, part.hidden + ".cut", part.length);
  store.rename(part.hidden + ".cut", part.name);
  store.remove(part.hidden);
  return CommitOutcome::committed();
}

}  // namespace

void checkPartFiles(const std::string& path, const PartFileOptions& options, DeliveryGuarantee guarantee) {
  const auto refuse = [&path](const std::string& what) {
    throw Error(ErrorKind::kUser, "the file sink for '" + path + "' " + what);
  };
  if (path.empty()) refuse("has no path: name the folder that its files go to");
  if (options.prefix.empty() || options.prefix.starts_with('.') || options.prefix.starts_with('_')) {
    refuse("has the prefix '" + options.prefix +
           "', with which its finished files would be hidden: use one that begins with a letter");
  }
  for (const std::string& part : {options.prefix, options.suffix}) {
    if (part.find('/') != std::string::npos) refuse("has '/' in '" + part + "', which is part of a name");
  }
  if (options.rolling.maxSize.bytes == 0) refuse("closes its files at 0 bytes: give a larger maxSize");
  if (options.rolling.interval.ms <= 0 || options.rolling.inactivity.ms <= 0) {
    refuse("closes its files after no time: give a longer interval and inactivity");
  }
  if (options.bufferSize.bytes == 0) refuse("has no buffer: give it a size");
  if (options.maxOpenFiles < 1) refuse("may open no file: raise maxOpenFiles");
  uint64_t largest = options.rolling.maxSize.bytes;
  if (options.compaction) {
    if (guarantee != DeliveryGuarantee::kExactlyOnce) {
      refuse(
          "publishes files before they could be joined: leave out the compaction, or the delivery guarantee");
    }
    if (options.compaction->checkpoints < 1 || options.compaction->size.bytes == 0) {
      refuse("joins files after no checkpoint or no byte: give CompactionPolicy at least one of each");
    }
    largest = std::max(largest, options.compaction->size.bytes);
  }
  if (!isInStore(path)) return;
  checkScheme(path);
  if (largest > kLargestObject / 2) {
    refuse(
        "makes objects of up to " + toString(MemorySize(largest)) +
        ", which cannot be published in a store: give a maxSize, and a size of the compaction, of not more "
        "than 2 gb");
  }
}

void PartFileCommitter::open(OperatorContext& context) {
  store_ = partStoreFor(context.env(), context.configuration(), path_);
}

// A name counts as published when it is on the disk: the next checkpoint does not know of it any more, and
// what a part was made of is removed behind it.
std::vector<CommitOutcome> PartFileCommitter::commit(std::span<const PartFile> parts) {
  std::vector<CommitOutcome> outcomes;
  std::set<std::string> folders;
  const auto sync = [&] {
    for (const std::string& folder : std::exchange(folders, {})) store_->syncFolder(folder);
  };
  for (const PartFile& part : parts) {
    if (part.name.empty()) {
      sync();
      store_->remove(part.hidden);
      outcomes.push_back(CommitOutcome::committed());
      continue;
    }
    outcomes.push_back(publish(*store_, part));
    folders.insert(folderOf(part.name));
  }
  sync();
  return outcomes;
}

}  // namespace flott
