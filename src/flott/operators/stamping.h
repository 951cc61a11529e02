// Gives the records of a batch their event time, for those who make watermarks: the operator behind
// assignTimestampsAndWatermarks(…) and sources with a strategy. One for each subtask, on its task's thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "flott/data/rows.h"
#include "flott/operators/event_time.h"
#include "flott/operators/function.h"
#include "flott/operators/watermark_strategy.h"

namespace flott {

template <typename T, typename Assigner>
class Stamper {
 public:
  static constexpr bool kIngestion = std::is_same_v<Assigner, StampWithProcessingTime>;

  explicit Stamper(Assigner assigner) : assigner_(std::move(assigner)) {}

  void open(OperatorContext& context) { openFunction(assigner_, context); }
  void close() noexcept { closeFunction(assigner_); }

  void stamp(Rows<T>& rows, Timestamp now) {
    if constexpr (!std::is_same_v<Assigner, KeepTimestamps>) {
      const bool had = rows.hasTimestamps();
      int64_t* timestamps = rows.enableTimestamps();
      if constexpr (kIngestion) {
        std::fill_n(timestamps, rows.size(), advance(now).ms);
      } else if constexpr (AssignerOfRecords<Assigner, T>) {
        forEachRow(rows, 0, [&](size_t i) { timestamps[i] = millis(assigner_(std::as_const(rows[i]))); });
      } else {
        forEachRow(rows, 0, [&](size_t i) {
          const Timestamp before = had ? Timestamp(timestamps[i]) : Timestamp::min();
          timestamps[i] = millis(assigner_(std::as_const(rows[i]), before));
        });
      }
      if constexpr (!kIngestion) {
        checkEventTimes(rows, rangeOf(rows));
      }
    }
  }
  static TimeRange rangeOf(const Rows<T>& rows) { return timeRangeOf({rows.timestamps(), rows.size()}); }

  /// Processing time as far as it has ever come.
  Timestamp advance(Timestamp now) { return ingestionTime_ = std::max(ingestionTime_, now); }

 private:
  static int64_t millis(Timestamp timestamp) { return timestamp.ms; }
  static int64_t millis(int64_t timestamp) { return timestamp; }

  Assigner assigner_;
  Timestamp ingestionTime_;
};

/// A batch of their own for these rows, with their timestamps.
template <typename T>
Batch takeRows(BatchPool& pool, Rows<T>& rows, size_t begin, size_t end) {
  Batch piece = pool.acquire();
  Rows<T>& to = piece.rows<T>();
  to.reserve(end - begin);
  for (size_t i = begin; i < end; ++i) to.emplace(std::move(rows[i]));
  if (rows.hasTimestamps()) {
    std::copy(rows.timestamps() + begin, rows.timestamps() + end, to.enableTimestamps());
  }
  return piece;
}

/// Such a generator looks at no single record: it is told the latest timestamp of any number of them.
template <typename Generator>
inline constexpr bool kWholeBatches = requires(Generator& generator, Timestamp at) {
  generator.onTimestamps(at);
};

}  // namespace flott
