// What a channel carries: data, and control elements that keep their place among it.
//
// A watermark T says: no record with a timestamp <= T follows on this channel. End of input is the last
// element of a channel. Elements move; a channel owns them while they wait.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/batch.h"
#include "flott/data/checkpoint_properties.h"

namespace flott {

struct Watermark {
  Timestamp time;
  constexpr auto operator<=>(const Watermark&) const = default;
};

/// An idle channel holds back no watermark until it turns active again.
struct WatermarkStatus {
  bool active = true;
  constexpr bool operator==(const WatermarkStatus&) const = default;
};

/// Marks the cut of one checkpoint in the stream.
struct Barrier {
  CheckpointId checkpoint;
  Timestamp triggered;                    // wall clock of the coordinator
  SharedCheckpointProperties properties;  // null: an ordinary checkpoint
  /// From when on, by the wall clock, it passes what waits: min() for at once, max() for never.
  Timestamp overtakesFrom = Timestamp::max();

  bool mayOvertake() const { return overtakesFrom != Timestamp::max(); }
  bool overtakes(Timestamp now) const { return mayOvertake() && overtakesFrom <= now; }
  StopMode stop() const { return properties ? properties->stop : StopMode::kGoOn; }
  CheckpointKind kind() const { return properties ? properties->kind : CheckpointKind::kCheckpoint; }
};

/// Measures the time from a source to here; passed on by operators, never delayed behind a flush.
struct LatencyMarker {
  OperatorId source;
  SubtaskIndex subtask;
  int64_t emittedNanos = 0;  // monotonic clock of the source's worker
};

struct EndOfInput {};

using Element = std::variant<Batch, Watermark, WatermarkStatus, Barrier, LatencyMarker, EndOfInput>;

/// For several receivers of one control element; data is no such thing.
inline Element copyControl(const Element& element) {
  return std::visit(
      [](const auto& control) -> Element {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(control)>, Batch>) {
          checkFailed("control element", __FILE__, __LINE__, "data has one owner");
        } else {
          return control;
        }
      },
      element);
}

}  // namespace flott
