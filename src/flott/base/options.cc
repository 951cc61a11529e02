#include "flott/base/options.h"

#include "flott/base/client_options.h"
#include "flott/base/cluster_options.h"
#include "flott/base/log_options.h"
#include "flott/base/manager_options.h"
#include "flott/base/metric_options.h"
#include "flott/base/network_options.h"
#include "flott/base/rest_options.h"

namespace flott {

OptionRegistry standardOptions() {
  OptionRegistry all;
  all.add(kDefaultParallelism).add(kMaxParallelism).add(kJobName).add(kRuntimeMode);
  all.add(kOperatorChaining).add(kChainDifferentMaxParallelism).add(kAutoWatermarkInterval);
  all.add(kVertexDescriptionMode).add(kVertexNameIndexPrefix).add(kAllowUnalignedSplits);
  all.add(kObjectReuse).add(kGlobalJobParameters).add(kCachedFiles);
  all.add(kBufferTimeoutEnabled).add(kBufferTimeout).add(kBuffersPerChannel);
  all.add(kMaxFrameSize).add(kNetworkCompression).add(kNetworkConnectTimeout).add(kNetworkSilence);
  all.add(kAdaptivePartitioner).add(kAdaptiveMaxTraverse);
  all.add(kHeartbeatInterval).add(kHeartbeatTimeout).add(kSlotRequestTimeout).add(kEvenlySpreadOutSlots);
  all.add(kFromLocal).add(kLocalBackup).add(kLocalBackupDirs);
  all.add(kJobManagerAddress).add(kJobManagerPort).add(kJobManagerBindHost);
  all.add(kRpcInsecure).add(kJobManagerWorkingDir).add(kTaskManagerWorkingDir).add(kTaskSlots);
  all.add(kTaskManagerHost).add(kTaskManagerId).add(kRegistrationTimeout).add(kProgramStartTimeout);
  all.add(kEndedJobs).add(kKeptLogs);
  all.add(kCancellationInterval).add(kCancellationTimeout).add(kStateBackend);
  all.add(kRocksDbLocalDir).add(kRocksDbCache).add(kRocksDbManagedMemory).add(kRocksDbFixedMemory);
  all.add(kRocksDbWriteBufferRatio).add(kRocksDbHighPriorityRatio).add(kRocksDbBlockCache);
  all.add(kRocksDbBlockSize)
      .add(kRocksDbWriteBuffer)
      .add(kRocksDbWriteBuffers)
      .add(kRocksDbThreads)
      .add(kRocksDbPeriodicCompaction);
  all.add(kManagedMemory);
  all.add(kSortPartitionMemory).add(kSortKeyedPartitionMemory).add(kTmpDirs);
  all.add(kLanes).add(kBlockedWarning).add(kOutputOverrunCap).add(kOffloadThreads).add(kOffloadQueue);
  all.add(kLogLevel).add(kLogFormat).add(kLogFile).add(kLogDir).add(kLogFilesKept);
  all.add(kLogFileSize).add(kLogStandardError).add(kCrashReport);
  all.add(kRestartStrategy).add(kFailoverStrategy).add(kFixedDelayAttempts).add(kFixedDelay);
  all.add(kFailureRateMost).add(kFailureRateInterval).add(kFailureRateDelay);
  all.add(kExponentialInitialBackoff).add(kExponentialMaxBackoff).add(kExponentialMultiplier);
  all.add(kExponentialJitter).add(kExponentialResetThreshold).add(kExponentialAttempts);
  all.add(kCheckpointInterval)
      .add(kCheckpointIntervalDuringBacklog)
      .add(kCheckpointMode)
      .add(kCheckpointTimeout)
      .add(kCheckpointMinPause);
  all.add(kMaxConcurrentCheckpoints).add(kTolerableFailedCheckpoints).add(kCheckpointDir);
  all.add(kUnalignedCheckpoints).add(kAlignedCheckpointTimeout).add(kForcedUnaligned);
  all.add(kWithoutChannelState).add(kSavepointDir).add(kIncrementalCheckpoints);
  all.add(kCheckpointSubdir).add(kCheckpointInlineThreshold).add(kRetainedCheckpoints);
  all.add(kCheckpointRetention).add(kCheckpointHistory).add(kRecoveryPath).add(kIgnoreUnclaimedState);
  all.add(kClaimMode).add(kS3Endpoint).add(kS3Region).add(kS3AccessKey).add(kS3SecretKey).add(kS3PathStyle);
  all.add(kLatencyInterval).add(kLatencyGranularity).add(kStallWarning);
  all.add(kPrometheusPort).add(kPrometheusBindAddress).add(kPrometheusPrefix).add(kPrometheusFilterLabels);
  all.add(kStateLatency).add(kStateLatencySample).add(kStateLatencyNames);
  all.add(kWebUi).add(kRestPort).add(kRestBindPort).add(kRestBindAddress).add(kRestInsecure);
  all.add(kRestAddress).add(kClientTimeout).add(kRestMaxContentLength);
  all.add(kWebRefreshInterval).add(kWebHistory).add(kExceptionHistory);
  return all;
}

}  // namespace flott
