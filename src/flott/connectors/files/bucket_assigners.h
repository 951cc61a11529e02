// Which folder below a file sink's a record goes to.
//
// A bucket assigner is any copyable callable that takes a record, and a SinkContext if it likes, and returns
// a relative path as text. Each writer has a copy. Called for each record on the task's thread.
//
//   sink.withBucketAssigner([](const Order& order) { return order.country; })
//   sink.withBucketAssigner(DateTimeBuckets("yyyy-MM-dd/HH", UtcOffset::hours(2)))
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flott/base/time.h"
#include "flott/operators/sink.h"

namespace flott {

/// All files directly in the sink's folder.
struct BasePathBuckets {
  template <typename T>
  std::string_view operator()(const T&, const SinkContext&) const {
    return {};
  }
};

/// How far a zone's clocks are ahead of UTC, all the year.
struct UtcOffset {
  Duration ahead;
  static constexpr UtcOffset hours(int64_t n) { return {Duration::seconds(n * 3600)}; }
  static constexpr UtcOffset minutes(int64_t n) { return {Duration::seconds(n * 60)}; }
};

/// Folders named after the processing time at which records come. The pattern has the letters yyyy, MM, dd,
/// HH, mm and ss, text in '…', and any other character but letters.
class DateTimeBuckets {
 public:
  /// Throws Error(kUser) for another letter.
  explicit DateTimeBuckets(std::string pattern = "yyyy-MM-dd--HH", UtcOffset zone = {});

  template <typename T>
  std::string_view operator()(const T&, const SinkContext& context) {
    return at(context.processingTime);
  }
  /// Good until the next call.
  std::string_view at(Timestamp time);

 private:
  std::string format(int64_t second) const;

  std::string pattern_;
  Duration ahead_;
  int64_t second_;  // what text_ is for
  std::string text_;
};

}  // namespace flott
