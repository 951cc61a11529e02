#include "flott/base/options.h"

namespace flott {

OptionRegistry standardOptions() {
  OptionRegistry all;
  all.add(kDefaultParallelism).add(kMaxParallelism).add(kJobName).add(kRuntimeMode);
  all.add(kOperatorChaining).add(kChainDifferentMaxParallelism).add(kAutoWatermarkInterval);
  all.add(kAllowUnalignedSplits).add(kObjectReuse).add(kGlobalJobParameters);
  all.add(kBufferTimeoutEnabled).add(kBufferTimeout).add(kBuffersPerChannel);
  all.add(kCancellationInterval).add(kCancellationTimeout).add(kStateBackend);
  all.add(kLanes).add(kBlockedWarning).add(kOutputOverrunCap).add(kOffloadThreads).add(kOffloadQueue);
  all.add(kLogLevel).add(kLogFormat).add(kLogFile);
  all.add(kLatencyInterval).add(kLatencyGranularity).add(kStallWarning);
  return all;
}

}  // namespace flott
