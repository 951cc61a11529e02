// States that were restored with the store they are in: taken over as they are where the program has them
// with the same types, and otherwise read from there.
#include <limits>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/scratch_value.h"

namespace flott {
namespace {

bool same(const KeyedStateSchema& a, std::string_view kind, const TypeDescription& value, bool expires) {
  return a.kind == kind && a.value == value && a.expires == expires;
}

/// Puts what a scan hands over into the tables of a state.
class TablesSink final : public SegmentSink {
 public:
  TablesSink(StateTables& tables, Conversion conversion) : tables_(tables), conversion_(conversion) {}
  void take(const SegmentImage& image) override {
    tables_.at(image.nameSpace).load(image.keyGroup, image.bytes, conversion_);
  }

 private:
  StateTables& tables_;
  const Conversion conversion_;
};

}  // namespace

ColdPlace KeyedStateBackend::placeFor(const std::string& name, const Kind& kind, bool expires) {
  if (cold_ == nullptr || !keepCold_ || kind.inMemory) return {};
  const bool lists = !expires && std::string_view(kind.name) == "list";
  for (const ColdImage::State& state : restoredCold_) {
    if (state.schema.name == name && same(state.schema, kind.name, kind.plain->description(), expires))
      return {cold_.get(), state.number, lists, lists || expires};
  }
  return {cold_.get(), cold_->newState(), lists, lists || expires};
}

void KeyedStateBackend::loadRestoredCold(State& state) {
  std::vector<ColdImage::State> mine, others;
  for (ColdImage::State& restored : restoredCold_)
    (restored.schema.name == state.name ? mine : others).push_back(std::move(restored));
  restoredCold_ = std::move(others);
  // Those first whose entries have to be found by what is loaded.
  for (const ColdImage::State& restored : mine) {
    if (state.tables.cold().side == nullptr || state.tables.cold().state != restored.number) continue;
    for (const auto& [nameSpace, entries] : restored.entries) state.tables.at(nameSpace).adopt(entries);
  }
  for (const ColdImage::State& restored : mine) {
    if (state.tables.cold().side == nullptr || state.tables.cold().state != restored.number)
      loadCold(state, restored);
  }
  releaseCold();
}

void KeyedStateBackend::loadCold(State& state, const ColdImage::State& stored) {
  std::optional<ValueRewriter> rewriter;
  const Conversion conversion = conversionOf(state, stored.schema, rewriter);
  TablesSink sink(state.tables, conversion);
  std::vector<ColdCut::State> states(size_t{stored.number} + 1);
  states.back().name = state.name;
  try {
    for (const auto& [nameSpace, atMost] : stored.entries) {
      StateTable& table = state.tables.at(nameSpace);
      const std::string prefix = ColdKey::prefix(stored.number, nameSpace);
      const std::string behind = ColdKey::behind(prefix);
      if (table.size() == 0 && !table.hasCold()) {
        size_t entries = 0;
        for (const auto scan = cold_->scan(prefix, behind); scan->valid(); scan->next()) ++entries;
        table.expect(entries);
      }
      {
        ColdCut scan(*cold_, states, home_.maxParallelism, sink, prefix, behind);
        size_t everything = std::numeric_limits<size_t>::max();
        scan.encodeSome(everything);
      }
      cold_->eraseRange(prefix, behind);
    }
  } catch (Error& error) {
    throw std::move(error).at("state '" + state.name + "' of the snapshot");
  }
}

void KeyedStateBackend::clearRestoredCold(int64_t nameSpace) {
  ScratchValue scratch(key_.ops());
  for (ColdImage::State& state : restoredCold_) {
    const auto left = state.entries.find(nameSpace);
    if (!state.schema.name.starts_with(kNamespaced) || left == state.entries.end()) continue;
    std::string from = ColdKey::prefix(state.number, nameSpace);
    ColdKey::appendOrder(key_.isWord() ? currentKey_.hash : hashWord(currentKey_.hash), from);
    for (const auto scan = cold_->scan(from, ColdKey::behind(from)); scan->valid(); scan->next()) {
      const ColdKey stored = ColdKey::parse(scan->key());
      ByteReader in(stored.key);
      key_.ops().decode(in, scratch.get());
      if (!key_.ops().equals(scratch.get(), currentKey_.object)) continue;
      cold_->erase(scan->key());
      if (--left->second == 0) state.entries.erase(left);
      break;
    }
  }
}

/// Where all is in memory the store goes when nothing is asked of it any more.
void KeyedStateBackend::releaseCold() {
  if (!keepCold_ && restoredCold_.empty() && coldCut_ == nullptr) cold_.reset();
}

uint32_t KeyedStateBackend::variantOf(const KeyedStateSchema& unregistered) const {
  const auto found = restored_.states().find(unregistered.name);
  if (found != restored_.states().end()) {
    const RestoredKeyedState::State& first = found->second;
    if (same(unregistered, first.kind, first.value, first.expires)) return 0;
    uint32_t variant = 1;
    for (const RestoredKeyedState::State& other : first.others) {
      if (same(unregistered, other.kind, other.value, other.expires)) return variant;
      ++variant;
    }
  }
  throw Error(ErrorKind::kCorruption,
              "the snapshot has a state '" + unregistered.name + "' on disk of which the rest knows nothing");
}

}  // namespace flott
