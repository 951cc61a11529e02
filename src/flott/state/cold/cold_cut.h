// The cut of all states of a backend that have a cold side: a scan of the store, as pieces for a sink.
//
// The store holds keys and values as snapshots do, in their order: pieces are put together from them without
// decoding, except where what has expired is left out. Made once everything dirty is written; what is written
// afterwards is not seen. Owned by a backend, used on its task's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/state/cold/cold_side.h"
#include "flott/state/scratch_value.h"
#include "flott/state/snapshot.h"
#include "flott/state/state_table.h"

namespace flott {

class ColdCut {
 public:
  /// By their number in the store.
  struct State {
    std::string name;  // empty: no state has this number
    const TypeOps* stored = nullptr;
    LiveOnly liveOnly;
    uint32_t variant = 0;  // SegmentImage
  };
  /// Side and sink must outlive the cut. Of the store it takes what lies from `from` to before `to`.
  ColdCut(ColdSide& side, std::vector<State> states, uint32_t maxParallelism, SegmentSink& sink,
          std::string_view from = {}, std::string_view to = kEnd);

  /// As StateTable::encodeSome().
  bool encodeSome(size_t& budgetBytes);

 private:
  /// Behind all keys: no state has this number.
  static constexpr std::string_view kEnd = "\xff\xff\xff";

  void handOver();
  bool append(const State& state, std::string_view value);

  const std::vector<State> states_;
  const uint32_t maxParallelism_;
  SegmentSink& sink_;
  const std::unique_ptr<const ColdFilter> expired_;  // what the store may forget is left out
  const std::unique_ptr<ColdScan> scan_;
  // The piece that is being put together, all of one state, namespace and key group.
  std::string bytes_;
  SegmentImage piece_;
  uint16_t state_ = 0;
  uint64_t lastOrder_ = 0;
};

}  // namespace flott
