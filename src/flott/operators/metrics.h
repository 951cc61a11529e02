// What operators and users count: counters, gauges, meters, histograms.
//
// One task writes a metric, any thread may read it; each value is a relaxed atomic, so writing costs what a
// plain variable costs. Metrics live in a MetricGroup, one for each operator instance, which the job lists at
// its end and serves while it runs. Names are Flink's where the concept is the same (numRecordsIn,
// currentInputWatermark, …).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flott {

class Counter {
 public:
  /// By the owning task only.
  void add(int64_t n = 1) { value_.store(value() + n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// A text and the number it is about; for what cannot be said in a number alone, and changes rarely: a change
/// takes a lock.
class TextGauge {
 public:
  TextGauge();
  ~TextGauge();
  void set(std::string text, double value);
  std::pair<std::string, double> get() const;

 private:
  struct Shared;
  const std::unique_ptr<Shared> shared_;
};

/// Events and their rate since the task began.
class Meter {
 public:
  void mark(int64_t n = 1) { count_.add(n); }
  int64_t count() const { return count_.value(); }
  /// Events a second; `elapsedNanos` is the time since the task began.
  double rate(int64_t elapsedNanos) const {
    return elapsedNanos <= 0 ? 0 : static_cast<double>(count()) * 1e9 / static_cast<double>(elapsedNanos);
  }

 private:
  Counter count_;
};

/// Distribution of non-negative values, exact to 1 part in 16: 16 buckets for each power of two.
class Histogram {
 public:
  void update(int64_t value);
  int64_t count() const { return count_.value(); }
  /// Value below which the share `quantile` (0 … 1) lies; 0 when empty.
  int64_t quantile(double quantile) const;
  double mean() const;
  int64_t max() const { return max_.load(std::memory_order_relaxed); }
  int64_t min() const { return count() == 0 ? 0 : min_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kSubBits = 4;
  static constexpr int kBuckets = (64 - kSubBits + 1) << kSubBits;
  static int bucketOf(uint64_t value);
  static uint64_t lowestOf(int bucket);

  std::array<std::atomic<uint32_t>, kBuckets> buckets_{};
  Counter count_;
  std::atomic<double> sum_{0};  // values near the largest int64 add up past it
  std::atomic<int64_t> max_{0};
  std::atomic<int64_t> min_{std::numeric_limits<int64_t>::max()};
};

enum class MetricKind : uint8_t { kCounter, kGauge, kMeter, kHistogram, kText };

/// One reading of one metric.
struct MetricReading {
  std::string name;
  std::string text;  // "12", "3.5/s", "p50=3 p99=17 max=21"
  double value = 0;  // count, gauge value, rate or median
  MetricKind kind = MetricKind::kText;
  /// Of a histogram: the parts that Flink reports, "count", "min", "max", "mean", "median", "p75" … "p999".
  std::vector<std::pair<std::string_view, double>> parts;
};

/// Of what is counted or measured elsewhere than in a MetricGroup.
MetricReading counterReading(std::string name, int64_t value);
MetricReading gaugeReading(std::string name, double value);
MetricReading histogramReading(std::string name, const Histogram& histogram);

/// The metrics of one operator instance. Registration and writes by the owning task; count() and read() from
/// any thread, also meanwhile.
class MetricGroup {
 public:
  /// The metric of that name and class, made on first use. Throws Error(kUser) when the name has another
  /// class.
  Counter& counter(const std::string& name);
  Gauge& gauge(const std::string& name);
  Meter& meter(const std::string& name);
  Histogram& histogram(const std::string& name);
  TextGauge& text(const std::string& name);

  /// The value of a counter; 0 when there is none of that name.
  int64_t count(std::string_view name) const;
  /// In the order of registration.
  std::vector<MetricReading> read(int64_t elapsedNanos) const;

 private:
  using Kind = MetricKind;
  struct Entry {
    std::string name;
    Kind kind;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Meter> meter;
    std::unique_ptr<Histogram> histogram;
    std::unique_ptr<TextGauge> text;
    Entry* next = nullptr;
  };
  Entry& entry(const std::string& name, Kind kind);

  // Appended to by the task while others read: nodes never move, and the link is published last.
  std::vector<std::unique_ptr<Entry>> owned_;
  std::atomic<Entry*> newest_{nullptr};
};

}  // namespace flott
