#include "flott/base/options.h"

namespace flott {

OptionRegistry standardOptions() {
  OptionRegistry all;
  all.add(kDefaultParallelism).add(kMaxParallelism).add(kJobName).add(kRuntimeMode);
  all.add(kOperatorChaining).add(kChainDifferentMaxParallelism).add(kAutoWatermarkInterval);
  all.add(kUnalignedSourceSplits).add(kObjectReuse).add(kAutoGenerateUids).add(kGlobalJobParameters);
  all.add(kParallelismOverrides).add(kVertexDescriptionMode).add(kVertexIndexPrefix);
  all.add(kBufferTimeoutEnabled)
      .add(kBufferTimeout)
      .add(kSegmentSize)
      .add(kBuffersPerChannel)
      .add(kTaskSlots);
  all.add(kCancellationInterval).add(kCancellationTimeout).add(kStateBackend);
  all.add(kLanes).add(kBlockedWarning).add(kOutputOverrunCap).add(kOffloadThreads).add(kOffloadQueue);
  all.add(kLatencyInterval).add(kLatencyGranularity).add(kLatencyHistory);
  all.add(kLogLevel).add(kLogFormat).add(kLogFile);
  return all;
}

}  // namespace flott
