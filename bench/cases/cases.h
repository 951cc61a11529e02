// The cases that main.cc puts into its table; each is defined in the file of its name.
#pragma once

#include "bench/harness.h"

namespace flott::bench {

Case wordcountCase();
Case keyedSumCase();
Case keyedSumCheckpointCase();
Case keyedSumRocksDbCase();
Case keyedSumRocksDbColdCase();
Case mapFilterCase();
Case tumblingCase();
Case slidingCase();
Case intervalJoinCase();
Case sessionCase();
Case countWindowCase();
Case openWindowsCase();
Case recoveryCase();
Case exchangeForwardCase();
Case exchangeHashCase();
Case networkKeyedSumCase();
Case networkForwardCase();
Case latencyCase();
Case latencyCheckpointCase();

/// The same work with two lanes, against two one-lane processes.
Case onTwoLanes(Case oneLane, std::string_view name);

}  // namespace flott::bench
