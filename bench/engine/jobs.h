// The cases as jobs of the engine, written as a user would.
#pragma once

#include "bench/harness.h"

namespace flott::bench {

Outcome wordcountJob(const Load& load);
Outcome keyedSumJob(const Load& load);
Outcome keyedSumCheckpointJob(const Load& load);
Outcome keyedSumRocksDbJob(const Load& load);
Outcome keyedSumRocksDbColdJob(const Load& load);
Outcome mapFilterJob(const Load& load);
Outcome tumblingJob(const Load& load);
Outcome slidingJob(const Load& load);
Outcome intervalJoinJob(const Load& load);
Outcome sessionJob(const Load& load);
Outcome countWindowJob(const Load& load);
Outcome openWindowsJob(const Load& load);
Outcome recoveryJob(const Load& load);
Outcome exchangeForwardJob(const Load& load);
Outcome exchangeHashJob(const Load& load);
Outcome networkKeyedSumJob(const Load& load);
Outcome twoLaneKeyedSumJob(const Load& load);
Outcome networkForwardJob(const Load& load);
Outcome latencyJob(const Load& load);
Outcome latencyWithStateJob(const Load& load);
Outcome latencyCheckpointJob(const Load& load);

}  // namespace flott::bench
