#include "flott/runtime/restored_input.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"
#include "flott/state/key_groups.h"

namespace flott {

void RestoredInput::add(RestoredChannel channel, int input, Routing routing, BatchPools& pools, PoolOf pool,
                        std::string where) {
  lines_.push_back({.edge = channel.edge, .input = input, .sender = channel.sender, .exact = channel.exact});
  contents_.push_back({.channel = std::move(channel),
                       .routing = std::move(routing),
                       .pools = &pools,
                       .pool = pool,
                       .where = std::move(where),
                       .part = 0,
                       .reader = {}});
}

bool RestoredInput::has(int edge) const {
  return std::any_of(lines_.begin(), lines_.end(), [edge](const Line& line) { return line.edge == edge; });
}

void RestoredInput::clear() {
  lines_.clear();
  contents_.clear();
  turn_ = 0;
}

std::optional<RestoredInput::Taken> RestoredInput::next() {
  for (size_t looked = 0; looked < lines_.size(); ++looked) {
    const size_t at = turn_;
    turn_ = turn_ + 1 == lines_.size() ? 0 : turn_ + 1;
    std::optional<Element> element;
    try {
      element = next(contents_[at]);
    } catch (Error& error) {
      throw std::move(error).at(contents_[at].where);
    }
    if (!element) continue;
    if (const auto* watermark = std::get_if<Watermark>(&*element)) {
      lines_[at].watermark = std::max(lines_[at].watermark, watermark->time);
    } else if (const auto* status = std::get_if<WatermarkStatus>(&*element)) {
      lines_[at].active = status->active;
    }
    return Taken{at, *std::move(element)};
  }
  return std::nullopt;
}

/// Batches of which nothing is for this task are passed over.
std::optional<Element> RestoredInput::next(Content& content) {
  while (content.part < content.channel.parts.size()) {
    if (!content.reader) {
      BatchPool* pool = content.pool == nullptr ? nullptr : &content.pool(*content.pools);
      content.reader.emplace(*content.channel.parts[content.part], pool);
    }
    std::optional<Element> element = content.reader->next();
    if (!element) {
      content.reader.reset();
      content.channel.parts[content.part++].reset();
      continue;
    }
    Batch* batch = std::get_if<Batch>(&*element);
    if (batch == nullptr || content.channel.takes == RestoredChannel::Takes::kAll) return element;
    if (content.channel.takes == RestoredChannel::Takes::kNothing) continue;
    Batch mine = own(content, std::move(*batch), targets_);
    if (mine.size() > 0) return Element(std::move(mine));
  }
  return std::nullopt;
}

Batch RestoredInput::own(Content& content, Batch batch, std::vector<uint32_t>& targets) {
  const Routing& to = content.routing;
  targets.resize(batch.size());
  if (to.partitioning.kind == PartitionKind::kCustom) {
    to.partitioning.router->route(batch, to.parallelism, targets.data());
  } else {
    // As its sender found it: a hasher may give a key another hash each time, to spread it.
    if (!batch->hasHashes()) to.partitioning.hasher->hash(batch);
    const uint64_t* hashes = batch->hashes();
    for (size_t i = 0; i < targets.size(); ++i) {
      targets[i] = subtaskOf(keyGroupOf(hashes[i], to.maxParallelism), to.maxParallelism, to.parallelism);
    }
  }
  for (uint32_t& target : targets) target = target == to.subtask ? 1 : 0;
  Batch parts[2];
  batch->scatter(targets.data(), 2, parts, *content.pools);
  return std::move(parts[1]);
}

Timestamp RestoredInput::watermarkOf(int edge, int sender) const {
  Timestamp least = Timestamp::max();
  Timestamp leastActive = Timestamp::max();
  bool active = false;
  for (const Line& line : lines_) {
    if (line.edge != edge) continue;
    if (line.exact && line.sender == sender) return line.watermark;
    least = std::min(least, line.watermark);
    if (!line.active) continue;
    active = true;
    leastActive = std::min(leastActive, line.watermark);
  }
  return active ? leastActive : least;
}

}  // namespace flott
