#include "flott/connectors/files/part_compaction.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "flott/connectors/files/bulk_format.h"
#include "flott/connectors/files/part_store.h"
#include "flott/env/files.h"
#include "flott/operators/committing_sink.h"

namespace flott {
namespace {

/// One file behind the other, of what they begin with only the first.
class RowJoin final : public FileJoin {
 public:
  RowJoin(const std::string& head, FileWriter& to) : head_(head), to_(to) { to_.write(head_); }

  bool add(PartStore& store, const std::string& path, uint64_t length) override {
    const std::unique_ptr<FileReader> reader = store.open(path);
    std::string block(std::max(kCopyBlock, head_.size()), '\0');
    if (length < head_.size()) return false;
    read(*reader, path, 0, std::span<char>(block.data(), head_.size()));
    if (!block.starts_with(head_)) return false;
    for (uint64_t at = head_.size(); at < length;) {
      const size_t wanted = std::min<uint64_t>(block.size(), length - at);
      read(*reader, path, at, std::span<char>(block.data(), wanted));
      to_.write(std::string_view(block.data(), wanted));
      at += wanted;
    }
    return true;
  }
  void end() override {}

 private:
  static void read(FileReader& from, const std::string& path, uint64_t at, std::span<char> into) {
    while (!into.empty()) {
      const size_t got = from.read(at, into);
      if (got == 0) throw Error(ErrorKind::kTransient, "'" + path + "' became shorter while it was read");
      into = into.subspan(got);
      at += got;
    }
  }

  const std::string& head_;
  FileWriter& to_;
};

void checkThere(PartStore& store, const PartFile& part) {
  const std::optional<uint64_t> size = store.size(part.hidden);
  if (size && *size >= part.length) return;
  throw Error(
      ErrorKind::kUser,
      "'" + part.hidden + "', which waits to be joined with others, " +
          (size ? "is shorter than it was" : "is not there any more") +
          ": somebody has removed or changed it, or it was joined and published with a later checkpoint "
          "than the one that the job started from. Start from the later one");
}

}  // namespace

struct PartCompaction::Joining {
  std::vector<PartFile> parts;
  PartFile made;
  bool joined = false;           // whether it is needed
  std::vector<PartFile> inside;  // parts that are in it
  std::vector<PartFile> alone;   // the others

  void carryOut(PartStore& store, const std::string& head, const BulkFormat* bulk);
};

PartCompaction::PartCompaction(std::optional<CompactionPolicy> policy, std::string head,
                               std::shared_ptr<const BulkFormat> bulk)
    : policy_(policy), head_(std::move(head)), bulk_(std::move(bulk)) {}

PartCompaction::~PartCompaction() = default;

std::vector<PartFile> PartCompaction::open(OperatorContext& context, std::shared_ptr<PartStore> store,
                                           NewPart newPart) {
  context_ = &context;
  store_ = std::move(store);
  newPart_ = std::move(newPart);
  gatheredState_ = &context.operatorState().list<PartFile>("parts to join");
  madeState_ = &context.operatorState().list<PartFile>("parts being made");
  restored_ = gatheredState_->get();
  return madeState_->get();
}

void PartCompaction::gather(std::vector<PartFile> closed) {
  for (PartFile& part : std::exchange(restored_, {})) add(std::move(part));
  for (PartFile& part : closed) add(std::move(part));
  start();
}

void PartCompaction::add(PartFile part) {
  if (!policy_ || part.length >= policy_->size.bytes) {
    pass(std::move(part));
    return;
  }
  const auto at = groups_.try_emplace(folderOf(part.name)).first;
  Group& group = at->second;
  group.bytes += part.length;
  group.parts.push_back(std::move(part));
  if (group.bytes < policy_->size.bytes) return;
  ripe_.push_back(std::move(group));
  groups_.erase(at);
}

void PartCompaction::pass(PartFile part) {
  source_.push_back(part);
  finished_.push_back(std::move(part));
}

void PartCompaction::finish() {
  for (PartFile& part : std::exchange(restored_, {})) add(std::move(part));
  for (auto& [folder, group] : groups_) ripe_.push_back(std::move(group));
  groups_.clear();
  start();
}

// A group of one needs no joining.
void PartCompaction::start() {
  while (joining_ == nullptr && !ripe_.empty()) {
    std::vector<PartFile> parts = std::move(ripe_.front().parts);
    ripe_.pop_front();
    if (parts.size() == 1) {
      pass(std::move(parts[0]));
      continue;
    }
    joining_ = std::make_shared<Joining>();
    joining_->made = newPart_(folderOf(parts[0].name));
    joining_->parts = std::move(parts);
    context_->offload(
        "join files to '" + joining_->made.name + "'",
        [joining = joining_, store = store_, head = head_, bulk = bulk_] {
          joining->carryOut(*store, head, bulk.get());
        },
        [this, joining = joining_] { done(*joining); });
  }
}

void PartCompaction::Joining::carryOut(PartStore& store, const std::string& head, const BulkFormat* bulk) {
  for (const PartFile& part : parts) checkThere(store, part);
  const std::unique_ptr<FileWriter> writer = store.create(made.hidden);
  const std::unique_ptr<FileJoin> join =
      bulk != nullptr ? bulk->join(*writer) : std::make_unique<RowJoin>(head, *writer);
  for (const PartFile& part : parts) {
    (join->add(store, part.hidden, part.length) ? inside : alone).push_back(part);
  }
  join->end();
  writer->sync();
  made.length = writer->size();
  writer->close();
  joined = inside.size() > 1;
  if (joined) return;
  store.remove(made.hidden);
  alone = parts;
}

void PartCompaction::done(Joining& joining) {
  joining_ = nullptr;
  std::move(joining.parts.begin(), joining.parts.end(), std::back_inserter(source_));
  std::move(joining.alone.begin(), joining.alone.end(), std::back_inserter(finished_));
  if (joining.joined) {
    made_.push_back(joining.made);
    finished_.push_back(std::move(joining.made));
    for (PartFile& part : joining.inside) finished_.push_back({.hidden = std::move(part.hidden)});
  }
  start();
  context_->askToResume();
}

std::vector<PartFile> PartCompaction::take() {
  source_.clear();
  made_.clear();
  return std::exchange(finished_, {});
}

void PartCompaction::cut() {
  std::vector<PartFile> gathered = restored_;
  const auto keep = [&gathered](const std::vector<PartFile>& parts) {
    gathered.insert(gathered.end(), parts.begin(), parts.end());
  };
  for (const auto& [folder, group] : groups_) keep(group.parts);
  for (const Group& group : ripe_) keep(group.parts);
  keep(source_);
  std::vector<PartFile> made = made_;
  if (joining_ != nullptr) {
    keep(joining_->parts);
    made.push_back({.hidden = joining_->made.hidden});
  }
  gatheredState_->set(std::move(gathered));
  madeState_->set(std::move(made));
  for (auto at = groups_.begin(); at != groups_.end();) {
    Group& group = at->second;
    if (++group.checkpoints < policy_->checkpoints) {
      ++at;
      continue;
    }
    ripe_.push_back(std::move(group));
    at = groups_.erase(at);
  }
  start();
}

}  // namespace flott
