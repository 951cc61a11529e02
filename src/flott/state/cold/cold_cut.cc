#include "flott/state/cold/cold_cut.h"

#include <algorithm>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kPieceBytes = size_t{64} << 10;

}  // namespace

ColdCut::ColdCut(ColdSide& side, std::vector<State> states, uint32_t maxParallelism, SegmentSink& sink,
                 std::string_view from, std::string_view to)
    : states_(std::move(states)),
      maxParallelism_(maxParallelism),
      sink_(sink),
      expired_(side.expired()),
      scan_(side.scan(from, to)) {}

bool ColdCut::encodeSome(size_t& budgetBytes) {
  for (; scan_->valid(); scan_->next()) {
    if (budgetBytes == 0) return false;
    const size_t bytes = scan_->key().size() + scan_->value().size();
    budgetBytes -= std::min(budgetBytes, bytes);
    if (expired_ != nullptr && expired_->drops(scan_->key(), scan_->value())) continue;
    const ColdKey key = ColdKey::parse(scan_->key());
    if (key.state >= states_.size() || states_[key.state].name.empty()) {
      throw Error(ErrorKind::kCorruption, "the state on disk has entries of a state that was never there");
    }
    const KeyGroup group = keyGroupOf(key.order, maxParallelism_);
    const bool same = piece_.entries > 0 && key.state == state_ && key.nameSpace == piece_.nameSpace &&
                      group == piece_.keyGroup;
    if (!same || (bytes_.size() >= kPieceBytes && key.order != lastOrder_)) {
      handOver();
      state_ = key.state;
      piece_ = {.state = states_[state_].name,
                .nameSpace = key.nameSpace,
                .keyGroup = group,
                .firstHash = key.order,
                .entries = 0,
                .bytes = {},
                .variant = states_[state_].variant};
    }
    lastOrder_ = key.order;
    const size_t before = bytes_.size();
    bytes_ += key.key;
    if (append(states_[state_], scan_->value())) {
      ++piece_.entries;
    } else {
      bytes_.resize(before);
    }
  }
  handOver();
  return true;
}

/// False when the value has expired.
bool ColdCut::append(const State& state, std::string_view value) {
  if (state.liveOnly.ops == nullptr) {
    bytes_ += value;
    return true;
  }
  ScratchValue decoded(*state.stored);
  ByteReader in(value);
  state.stored->decode(in, decoded.get());
  if (state.liveOnly.ops->allExpired(decoded.get(), state.liveOnly.expired)) return false;
  ByteWriter out(bytes_);
  state.liveOnly.ops->encodeLive(decoded.get(), state.liveOnly.expired, out);
  return true;
}

void ColdCut::handOver() {
  if (piece_.entries > 0) {
    piece_.bytes = bytes_;
    sink_.take(piece_);
  }
  piece_.entries = 0;
  bytes_.clear();
}

}  // namespace flott
