#include "flott/master/restart_strategy.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "flott/base/options.h"

namespace flott {
namespace {

int64_t nanosOf(Duration d) { return d.ms * 1'000'000; }

template <typename T>
std::string settingText(const ConfigOption<T>& option, const std::string& value) {
  return std::string(option.key) + " = " + value;
}

class FixedDelay {
 public:
  explicit FixedDelay(const Configuration& configuration)
      : attempts_(configuration.get(kFixedDelayAttempts)), delay_(configuration.get(kFixedDelay)) {}
  RestartDecision operator()(const Error&, int64_t) {
    if (made_ == attempts_)
      return RestartDecision::no(settingText(kFixedDelayAttempts, std::to_string(attempts_)) +
                                 " are used up");
    ++made_;
    return RestartDecision::in(delay_);
  }

 private:
  int64_t attempts_;
  Duration delay_;
  int64_t made_ = 0;
};

class FailureRate {
 public:
  explicit FailureRate(const Configuration& configuration)
      : most_(static_cast<size_t>(configuration.get(kFailureRateMost))),
        interval_(configuration.get(kFailureRateInterval)),
        delay_(configuration.get(kFailureRateDelay)) {}
  RestartDecision operator()(const Error&, int64_t nowNanos) {
    if (failures_.size() == most_) failures_.pop_front();
    failures_.push_back(nowNanos);
    if (failures_.size() == most_ && nowNanos - failures_.front() <= nanosOf(interval_)) {
      return RestartDecision::no(settingText(kFailureRateMost, std::to_string(most_)) + " within " +
                                 toString(interval_) + " is reached");
    }
    return RestartDecision::in(delay_);
  }

 private:
  size_t most_;
  Duration interval_;
  Duration delay_;
  std::deque<int64_t> failures_;  // the last `most_`
};

class ExponentialDelay {
 public:
  ExponentialDelay(const Configuration& configuration, const Random& random)
      : initial_(configuration.get(kExponentialInitialBackoff)),
        longest_(configuration.get(kExponentialMaxBackoff)),
        multiplier_(configuration.get(kExponentialMultiplier)),
        jitter_(configuration.get(kExponentialJitter)),
        quiet_(configuration.get(kExponentialResetThreshold)),
        attempts_(configuration.find(kExponentialAttempts)),
        random_(random),
        backoff_(initial_) {
    if (initial_ > longest_) {
      throw Error(ErrorKind::kUser,
                  settingText(kExponentialInitialBackoff, toString(initial_)) + " is above " +
                      settingText(kExponentialMaxBackoff, toString(longest_)) + ": make it smaller");
    }
    check(kExponentialMultiplier, multiplier_, multiplier_ >= 1, "1 or more");
    check(kExponentialJitter, jitter_, jitter_ >= 0 && jitter_ <= 1, "from 0 to 1");
  }

  RestartDecision operator()(const Error&, int64_t nowNanos) {
    const bool first = made_ == 0;
    if (first || nowNanos - lastNanos_ >= nanosOf(quiet_) + nanosOf(backoff_)) {
      backoff_ = initial_;
      made_ = 0;
    } else {
      const double next = static_cast<double>(backoff_.ms) * multiplier_;
      backoff_ = next < static_cast<double>(longest_.ms) ? Duration(static_cast<int64_t>(next)) : longest_;
    }
    lastNanos_ = nowNanos;
    if (attempts_ && made_ == *attempts_) {
      return RestartDecision::no(settingText(kExponentialAttempts, std::to_string(*attempts_)) +
                                 " are used up");
    }
    ++made_;
    return RestartDecision::in(jittered());
  }

 private:
  static void check(const ConfigOption<double>& option, double value, bool fits, const char* range) {
    if (fits) return;
    throw Error(ErrorKind::kUser,
                settingText(option, std::to_string(value)) + " is out of range: give a number " + range);
  }

  Duration jittered() {
    const auto most = static_cast<int64_t>(static_cast<double>(backoff_.ms) * jitter_);
    const auto by = static_cast<int64_t>(random_.below(static_cast<uint64_t>(2 * most + 1))) - most;
    return std::clamp(backoff_ + Duration(by), initial_, longest_);
  }

  Duration initial_;
  Duration longest_;
  double multiplier_;
  double jitter_;
  Duration quiet_;  // so long without a failure makes the next one the first
  std::optional<int64_t> attempts_;
  Random random_;
  Duration backoff_;
  int64_t made_ = 0;
  int64_t lastNanos_ = 0;
};

}  // namespace

RestartPolicy restartPolicy(const Configuration& configuration, const Random& random) {
  std::string type = configuration.find(kRestartStrategy)
                         .value_or(configuration.find(kCheckpointInterval) ? "exponential-delay" : "none");
  std::erase(type, '-');
  if (type == "fixeddelay") return FixedDelay(configuration);
  if (type == "failurerate") return FailureRate(configuration);
  if (type == "exponentialdelay") return ExponentialDelay(configuration, random.fork("restarts"));
  return {};
}

}  // namespace flott
