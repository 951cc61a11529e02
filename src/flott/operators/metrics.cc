#include "flott/operators/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <mutex>

#include "flott/base/error.h"

namespace flott {

namespace {

// Watermarks are gauges too: whole numbers are printed whole, and the two ends of time as the int64 they are.
void printGauge(char* text, size_t size, double value) {
  if (value == 0x1p63) {
    std::snprintf(text, size, "%lld", std::numeric_limits<long long>::max());
  } else if (value == -0x1p63 || (std::abs(value) < 0x1p53 && value == std::trunc(value))) {
    std::snprintf(text, size, "%lld", static_cast<long long>(value));
  } else {
    std::snprintf(text, size, "%.6g", value);
  }
}

std::vector<std::pair<std::string_view, double>> partsOf(const Histogram& histogram) {
  std::vector<std::pair<std::string_view, double>> parts{{"count", static_cast<double>(histogram.count())},
                                                         {"min", static_cast<double>(histogram.min())},
                                                         {"max", static_cast<double>(histogram.max())},
                                                         {"mean", histogram.mean()}};
  static constexpr std::pair<std::string_view, double> kQuantiles[] = {
      {"median", 0.5}, {"p75", 0.75}, {"p90", 0.9},   {"p95", 0.95},
      {"p98", 0.98},   {"p99", 0.99}, {"p999", 0.999}};
  for (const auto& [name, share] : kQuantiles)
    parts.emplace_back(name, static_cast<double>(histogram.quantile(share)));
  return parts;
}

}  // namespace

MetricReading counterReading(std::string name, int64_t value) {
  return {std::move(name), std::to_string(value), static_cast<double>(value), MetricKind::kCounter, {}};
}

MetricReading gaugeReading(std::string name, double value) {
  char text[128];
  printGauge(text, sizeof text, value);
  return {std::move(name), text, value, MetricKind::kGauge, {}};
}

MetricReading histogramReading(std::string name, const Histogram& histogram) {
  char text[128];
  std::snprintf(text, sizeof text, "n=%lld min=%lld p50=%lld p99=%lld max=%lld mean=%.1f",
                static_cast<long long>(histogram.count()), static_cast<long long>(histogram.min()),
                static_cast<long long>(histogram.quantile(0.5)),
                static_cast<long long>(histogram.quantile(0.99)), static_cast<long long>(histogram.max()),
                histogram.mean());
  return {std::move(name), text, static_cast<double>(histogram.quantile(0.5)), MetricKind::kHistogram,
          partsOf(histogram)};
}

int Histogram::bucketOf(uint64_t value) {
  if (value < (1u << kSubBits)) return static_cast<int>(value);
  const int exponent = 63 - std::countl_zero(value);
  const auto mantissa = static_cast<int>((value >> (exponent - kSubBits)) & ((1 << kSubBits) - 1));
  return ((exponent - kSubBits + 1) << kSubBits) + mantissa;
}

uint64_t Histogram::lowestOf(int bucket) {
  const int group = bucket >> kSubBits;
  const auto mantissa = static_cast<uint64_t>(bucket & ((1 << kSubBits) - 1));
  if (group == 0) return mantissa;
  return ((uint64_t{1} << kSubBits) | mantissa) << (group - 1);
}

void Histogram::update(int64_t value) {
  value = std::max<int64_t>(value, 0);
  std::atomic<uint32_t>& bucket = buckets_[static_cast<size_t>(bucketOf(static_cast<uint64_t>(value)))];
  bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  count_.add();
  sum_.store(sum_.load(std::memory_order_relaxed) + static_cast<double>(value), std::memory_order_relaxed);
  if (value > max()) max_.store(value, std::memory_order_relaxed);
  if (value < min_.load(std::memory_order_relaxed)) min_.store(value, std::memory_order_relaxed);
}

int64_t Histogram::quantile(double quantile) const {
  const auto target = static_cast<double>(count()) * quantile;
  double seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += buckets_[static_cast<size_t>(i)].load(std::memory_order_relaxed);
    if (seen > 0 && seen >= target) return static_cast<int64_t>(lowestOf(i));
  }
  return max();
}

double Histogram::mean() const {
  return count() == 0 ? 0 : sum_.load(std::memory_order_relaxed) / static_cast<double>(count());
}

struct TextGauge::Shared {
  std::mutex mutex;
  std::string text;
  double value = 0;
};

TextGauge::TextGauge() : shared_(std::make_unique<Shared>()) {}
TextGauge::~TextGauge() = default;

void TextGauge::set(std::string text, double value) {
  const std::lock_guard lock(shared_->mutex);
  shared_->text = std::move(text);
  shared_->value = value;
}

std::pair<std::string, double> TextGauge::get() const {
  const std::lock_guard lock(shared_->mutex);
  return {shared_->text, shared_->value};
}

MetricGroup::Entry& MetricGroup::entry(const std::string& name, Kind kind) {
  for (const auto& known : owned_) {
    if (known->name != name) continue;
    if (known->kind != kind) {
      throw Error(ErrorKind::kUser, "metric '" + name + "' exists with another class: use another name");
    }
    return *known;
  }
  auto fresh = std::make_unique<Entry>();
  fresh->name = name;
  fresh->kind = kind;
  switch (kind) {
    case Kind::kCounter:
      fresh->counter = std::make_unique<Counter>();
      break;
    case Kind::kGauge:
      fresh->gauge = std::make_unique<Gauge>();
      break;
    case Kind::kMeter:
      fresh->meter = std::make_unique<Meter>();
      break;
    case Kind::kHistogram:
      fresh->histogram = std::make_unique<Histogram>();
      break;
    case Kind::kText:
      fresh->text = std::make_unique<TextGauge>();
      break;
  }
  fresh->next = newest_.load(std::memory_order_relaxed);
  newest_.store(fresh.get(), std::memory_order_release);
  return *owned_.emplace_back(std::move(fresh));
}

Counter& MetricGroup::counter(const std::string& name) { return *entry(name, Kind::kCounter).counter; }
Gauge& MetricGroup::gauge(const std::string& name) { return *entry(name, Kind::kGauge).gauge; }
Meter& MetricGroup::meter(const std::string& name) { return *entry(name, Kind::kMeter).meter; }
Histogram& MetricGroup::histogram(const std::string& name) {
  return *entry(name, Kind::kHistogram).histogram;
}

TextGauge& MetricGroup::text(const std::string& name) { return *entry(name, Kind::kText).text; }

int64_t MetricGroup::count(std::string_view name) const {
  for (const Entry* e = newest_.load(std::memory_order_acquire); e != nullptr; e = e->next) {
    if (e->kind == Kind::kCounter && e->name == name) return e->counter->value();
  }
  return 0;
}

std::vector<MetricReading> MetricGroup::read(int64_t elapsedNanos) const {
  std::vector<MetricReading> readings;
  char text[128];
  for (const Entry* e = newest_.load(std::memory_order_acquire); e != nullptr; e = e->next) {
    if (e->kind == Kind::kText) {
      auto [words, number] = e->text->get();
      readings.push_back({e->name, std::move(words), number, e->kind, {}});
      continue;
    }
    if (e->kind == Kind::kHistogram) {
      readings.push_back(histogramReading(e->name, *e->histogram));
      continue;
    }
    double value = 0;
    switch (e->kind) {
      case Kind::kCounter:
        value = static_cast<double>(e->counter->value());
        std::snprintf(text, sizeof text, "%lld", static_cast<long long>(e->counter->value()));
        break;
      case Kind::kGauge:
        value = e->gauge->value();
        printGauge(text, sizeof text, value);
        break;
      case Kind::kMeter:
        value = e->meter->rate(elapsedNanos);
        std::snprintf(text, sizeof text, "%lld (%.1f/s)", static_cast<long long>(e->meter->count()), value);
        break;
      case Kind::kHistogram:  // above
      case Kind::kText:
        break;
    }
    readings.push_back({e->name, text, value, e->kind, {}});
  }
  std::reverse(readings.begin(), readings.end());
  return readings;
}

}  // namespace flott
