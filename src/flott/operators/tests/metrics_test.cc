#include "flott/operators/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <functional>

#include "flott/operators/runtime_context.h"
#include "flott/operators/tests/operator_driver.h"

namespace flott {
namespace {

/// Names, texts and values of a group's readings after so long.
std::vector<std::string> readings(const MetricGroup& metrics, int64_t seconds = 1) {
  std::vector<std::string> all;
  for (const MetricReading& reading : metrics.read(seconds * 1'000'000'000)) {
    char value[64];
    std::snprintf(value, sizeof value, "%g", reading.value);
    all.push_back(reading.name + " = " + reading.text + " [" + value + "]");
  }
  return all;
}

TEST(Metrics, OfAFunctionAreThoseOfItsOperator) {
  DriverContext context;
  RuntimeContext runtime(context);
  runtime.counter("errors").add(3);
  runtime.gauge("level").set(2.5);
  runtime.meter("hits").mark();
  runtime.meter("hits").mark(9);
  runtime.histogram("sizes").update(7);
  EXPECT_EQ(readings(context.metrics(), 4),
            (std::vector<std::string>{"errors = 3 [3]", "level = 2.5 [2.5]", "hits = 10 (2.5/s) [2.5]",
                                      "sizes = n=1 min=7 p50=7 p99=7 max=7 mean=7.0 [7]"}));
  EXPECT_EQ(context.metrics().count("errors"), 3);
  EXPECT_EQ(context.metrics().count("hits"), 0) << "only counters are counts";
  EXPECT_EQ(context.metrics().count("other"), 0);
}

TEST(Metrics, ANameHasOneClass) {
  MetricGroup metrics;
  Counter& errors = metrics.counter("errors");
  EXPECT_EQ(&metrics.counter("errors"), &errors);
  for (const auto& ask : std::vector<std::function<void()>>{
           [&] { metrics.gauge("errors"); }, [&] { metrics.meter("errors"); },
           [&] { metrics.histogram("errors"); }, [&] { metrics.text("errors"); }}) {
    EXPECT_EQ(failureOf(ask), "metric 'errors' exists with another class: use another name");
  }
}

TEST(Metrics, GaugesAreWholeWhereTheyCan) {
  MetricGroup metrics;
  Gauge& gauge = metrics.gauge("g");
  const auto text = [&](double value) {
    gauge.set(value);
    EXPECT_EQ(gauge.value(), value);
    return metrics.read(1).front().text;
  };
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(-12), "-12");
  EXPECT_EQ(text(1.0 / 3), "0.333333");
  EXPECT_EQ(text(0x1p63), "9223372036854775807");
  EXPECT_EQ(text(-0x1p63), "-9223372036854775808");
  EXPECT_EQ(text(1e300), "1e+300");
}

TEST(Metrics, AMeterIsTheRateSinceTheTaskBegan) {
  Meter meter;
  EXPECT_EQ(meter.rate(0), 0);
  meter.mark(30);
  EXPECT_EQ(meter.count(), 30);
  EXPECT_EQ(meter.rate(0), 0) << "no time has passed";
  EXPECT_DOUBLE_EQ(meter.rate(10'000'000'000), 3);
  EXPECT_DOUBLE_EQ(meter.rate(20'000'000'000), 1.5) << "it sinks while nothing comes";
}

TEST(Metrics, ATextHasANumberBesideIt) {
  MetricGroup metrics;
  TextGauge& hot = metrics.text("hotKeys");
  EXPECT_EQ(hot.get(), (std::pair<std::string, double>("", 0)));
  hot.set("ann 40%", 0.4);
  EXPECT_EQ(hot.get(), (std::pair<std::string, double>("ann 40%", 0.4)));
  EXPECT_EQ(readings(metrics), std::vector<std::string>{"hotKeys = ann 40% [0.4]"});
}

TEST(Histograms, OfNothing) {
  const Histogram none;
  EXPECT_EQ(none.count(), 0);
  EXPECT_EQ(none.quantile(0.5), 0);
  EXPECT_EQ(none.mean(), 0);
  EXPECT_EQ(none.min(), 0);
  EXPECT_EQ(none.max(), 0);
}

TEST(Histograms, SmallValuesAreExact) {
  Histogram histogram;
  for (int64_t value = 15; value >= 0; --value) histogram.update(value);
  for (int share = 1; share <= 16; ++share) EXPECT_EQ(histogram.quantile(share / 16.0), share - 1);
  EXPECT_EQ(histogram.quantile(0), 0);
  EXPECT_DOUBLE_EQ(histogram.mean(), 7.5);
  histogram.update(-5);
  EXPECT_EQ(histogram.min(), 0) << "negative values count as 0";
}

TEST(Histograms, QuantilesAreExactTo1In16) {
  Histogram histogram;
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 1000; ++i)
    values.push_back(static_cast<int64_t>(std::pow(1.03, static_cast<double>(i))));
  for (const int64_t value : values) histogram.update(value);
  for (int share = 1; share <= 1000; ++share) {
    const int64_t exact = values[static_cast<size_t>(share) - 1];
    const int64_t found = histogram.quantile(share / 1000.0);
    EXPECT_LE(found, exact);
    EXPECT_GE(found, exact - exact / 16 - 1) << share;
  }
  EXPECT_EQ(histogram.count(), 1000);
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_EQ(histogram.min(), 1);
  histogram.update(std::numeric_limits<int64_t>::max());
  EXPECT_GE(histogram.quantile(1), std::numeric_limits<int64_t>::max() / 16 * 15);
}

TEST(Histograms, TheMeanOfTheLargestValuesDoesNotOverflow) {
  Histogram histogram;
  for (int i = 0; i < 4; ++i) histogram.update(std::numeric_limits<int64_t>::max());
  EXPECT_DOUBLE_EQ(histogram.mean(), 0x1p63);
}

}  // namespace
}  // namespace flott
