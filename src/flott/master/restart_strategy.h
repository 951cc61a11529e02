// What follows the failure of an attempt: another one after a while, or the end of the job.
//
// The strategies are Flink's, with its options and numbers. They count on the monotonic clock, so that a wall
// clock that is set moves nothing, and draw their jitter from a stream of their own. Owned by a job's master,
// used on its lane.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "flott/base/config.h"
#include "flott/base/error.h"
#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/env/random.h"

namespace flott {

struct RestartDecision {
  std::optional<Duration> after;  // how long to wait before the next attempt; nothing when there is none
  std::string whyNot;             // "restart-strategy.fixed-delay.attempts = 3 are used up"

  static RestartDecision in(Duration delay) { return {delay, {}}; }
  static RestartDecision no(std::string why) { return {std::nullopt, std::move(why)}; }
};

/// Asked once for each attempt that failed, at a moment of the monotonic clock.
using RestartPolicy = MoveFunction<RestartDecision(const Error& error, int64_t nowNanos)>;

/// The one that `restart-strategy.type` names. Without it jobs with execution.checkpointing.interval have an
/// exponential delay and others none: then there is no policy. Throws Error(kUser) for options that do not
/// fit each other.
RestartPolicy restartPolicy(const Configuration& configuration, const Random& random);

}  // namespace flott
