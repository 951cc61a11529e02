#include "flott/master/checkpoint_options.h"

#include "flott/base/options.h"
#include "flott/operators/operator.h"

namespace flott {

namespace {

void setAlignment(const Configuration& configuration, CheckpointOptions& options) {
  options.unaligned = configuration.get(kUnalignedCheckpoints);
  options.alignedFor = configuration.get(kAlignedCheckpointTimeout);
  if (!options.unaligned) return;
  const std::string is = "execution.checkpointing.unaligned.enabled is true, but ";
  if (configuration.get(kCheckpointMode) != "EXACTLY_ONCE") {
    throw Error(ErrorKind::kUser, is + "execution.checkpointing.mode is " +
                                      configuration.get(kCheckpointMode) +
                                      ", in which nothing waits for barriers: set one or the other back");
  }
  if (options.maxConcurrent > 1) {
    throw Error(ErrorKind::kUser, is + "execution.checkpointing.max-concurrent-checkpoints is " +
                                      std::to_string(options.maxConcurrent) +
                                      ": barriers that overtake would overtake each other; set it to 1");
  }
}

}  // namespace

CheckpointOptions checkpointOptions(const Configuration& configuration) {
  CheckpointOptions options;
  options.interval = configuration.find(kCheckpointInterval).value_or(Duration());
  options.intervalDuringBacklog =
      configuration.find(kCheckpointIntervalDuringBacklog).value_or(options.interval);
  if (options.intervalDuringBacklog < options.interval && options.intervalDuringBacklog > Duration()) {
    throw Error(ErrorKind::kUser, "execution.checkpointing.interval-during-backlog is " +
                                      toString(options.intervalDuringBacklog) +
                                      ", less than execution.checkpointing.interval, " +
                                      toString(options.interval) +
                                      ": raise it, or set it to 0 ms for no checkpoints meanwhile");
  }
  options.timeout = configuration.get(kCheckpointTimeout);
  options.minPause = configuration.get(kCheckpointMinPause);
  options.maxConcurrent = static_cast<int>(configuration.get(kMaxConcurrentCheckpoints));
  options.tolerableFailures = static_cast<int>(configuration.get(kTolerableFailedCheckpoints));
  options.retained = static_cast<size_t>(configuration.get(kRetainedCheckpoints));
  options.incremental = configuration.get(kIncrementalCheckpoints) && configuration.find(kCheckpointDir);
  options.history = static_cast<size_t>(configuration.get(kCheckpointHistory));
  const std::string retention = configuration.get(kCheckpointRetention);
  if (retention == "DELETE_ON_CANCELLATION") options.retention = CheckpointRetention::kOnFailure;
  if (retention == "RETAIN_ON_CANCELLATION") options.retention = CheckpointRetention::kOnCancellation;
  if (options.retention != CheckpointRetention::kNone && !configuration.find(kCheckpointDir)) {
    throw Error(ErrorKind::kUser, "execution.checkpointing.externalized-checkpoint-retention is " +
                                      retention +
                                      ", but checkpoints are kept in memory, which ends with the job: set "
                                      "execution.checkpointing.dir to a folder");
  }
  if (options.minPause > Duration()) options.maxConcurrent = 1;
  setAlignment(configuration, options);
  return options;
}

std::optional<Error> refusesCheckpoints(const JobGraph& graph) {
  for (const JobVertex& vertex : graph.vertices) {
    for (const ChainedOperator& op : vertex.chain) {
      const std::string why(op.op == nullptr ? std::string_view() : op.op->refusesCheckpoints());
      if (why.empty()) continue;
      return Error(ErrorKind::kUser, "operator '" + op.name + "' cannot be checkpointed: " + why +
                                         ". Run the job without execution.checkpointing.interval, or use a "
                                         "window that ends");
    }
  }
  return std::nullopt;
}

}  // namespace flott
