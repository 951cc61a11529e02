#include "flott/master/job_options.h"

#include "flott/base/cluster_options.h"
#include "flott/base/error.h"
#include "flott/base/options.h"

namespace flott {

JobMasterOptions masterOptions(const Configuration& configuration, const std::string& jobId) {
  return {.cancellationTimeout = configuration.get(kCancellationTimeout),
          .cancellationInterval = configuration.get(kCancellationInterval),
          .stallWarning = configuration.get(kStallWarning),
          .jobId = jobId,
          .checkpoints = checkpointOptions(configuration),
          .savepointDir = configuration.find(kSavepointDir).value_or(""),
          .recoveryPath = configuration.find(kRecoveryPath).value_or(""),
          .claims = configuration.get(kClaimMode) == "CLAIM",
          .ignoreUnclaimedState = configuration.get(kIgnoreUnclaimedState),
          .withoutChannelsOf = configuration.get(kWithoutChannelState),
          .failureHistory = static_cast<size_t>(configuration.get(kExceptionHistory)),
          .byRegion = configuration.get(kFailoverStrategy) == "region",
          .mostRead = configuration.get(kFromLocal) ? 0 : JobMasterOptions().mostRead};
}

CheckpointStorageOptions checkpointStorageOptions(const Configuration& configuration,
                                                  const std::string& jobId) {
  CheckpointStorageOptions options{.folder = {},
                                   .inlineThreshold = configuration.get(kCheckpointInlineThreshold).bytes,
                                   .stores = storeOptions(configuration)};
  const std::optional<std::string> dir = configuration.find(kCheckpointDir);
  if (!dir) return options;
  options.folder = locatedFolder(*dir);
  if (configuration.get(kCheckpointSubdir)) options.folder += "/" + jobId;
  return options;
}

namespace {

std::optional<std::string> backupFolder(const Configuration& configuration) {
  const std::optional<std::string> given = configuration.find(kLocalBackupDirs);
  if (!given) return std::nullopt;
  std::string folder = given->starts_with("file:") ? locatedFolder(*given) : *given;
  if (!folder.starts_with('/') || folder.find(',') != std::string::npos) {
    throw Error(ErrorKind::kUser, std::string(kLocalBackupDirs.key) + " = " + *given +
                                      ": give one folder of the local disk by its whole path, as /var/flott");
  }
  return folder;
}

}  // namespace

std::optional<LocalCopies::Options> localCopiesOptions(const Configuration& configuration,
                                                       const std::string& jobId, const std::string& folder) {
  const bool reads = configuration.get(kFromLocal);
  if (!configuration.find(kLocalBackup).value_or(reads)) return std::nullopt;
  const std::string root = backupFolder(configuration).value_or(folder);
  std::string checkpoints = checkpointStorageOptions(configuration, jobId).folder;
  if (root.empty() || checkpoints.empty()) return std::nullopt;
  return LocalCopies::Options{
      .folder = root + "/" + jobId, .checkpoints = std::move(checkpoints), .reads = reads};
}

WorkerOptions workerOptions(const Configuration& configuration, int attempt, const std::string& jobId,
                            CheckpointStorage& checkpoints) {
  return {.attempt = attempt,
          .jobId = jobId,
          .channelCapacity = static_cast<size_t>(configuration.get(kBuffersPerChannel)),
          .overrunCapBytes = static_cast<size_t>(configuration.get(kOutputOverrunCap).bytes),
          .adaptiveReach = configuration.get(kAdaptivePartitioner)
                               ? static_cast<uint32_t>(configuration.get(kAdaptiveMaxTraverse))
                               : 0,
          .alignedBarriers = configuration.get(kCheckpointMode) == "EXACTLY_ONCE",
          .overtakingBarriers = configuration.get(kUnalignedCheckpoints),
          .forcedOvertaking = configuration.get(kForcedUnaligned),
          .checkpoints = &checkpoints};
}

void checkJobOptions(const Configuration& configuration, const JobGraph& graph) {
  for (const auto& place : {configuration.find(kRecoveryPath), configuration.find(kSavepointDir)}) {
    if (place) locatedFolder(*place);  // refuses what is no place
  }
  backupFolder(configuration);  // refuses what is none
  if (!configuration.find(kCheckpointInterval)) return;
  if (const std::optional<Error> refusal = refusesCheckpoints(graph)) throw *refusal;
}

}  // namespace flott
