// The options of the engine, under Flink's keys and with its defaults where the concept is the same.
//
// Keys of our own begin with "flott.". Whoever reads an option includes this header and asks the
// Configuration; standardOptions() lists them all for the check of unknown keys and for the documents. A
// default that differs from Flink's says so in its description.
#pragma once

#include "flott/base/config.h"

namespace flott {

// --- the job ---

inline constexpr ConfigOption<int64_t> kDefaultParallelism{
    .key = "parallelism.default",
    .defaultText = "1",
    .description = "Parallelism of operators that were given none.",
    .minimum = 1,
    .maximum = 32768};

inline constexpr ConfigOption<int64_t> kMaxParallelism{
    .key = "pipeline.max-parallelism",
    .defaultText = "-1",
    .description =
        "Number of key groups, a power of two: the upper bound of any later parallelism. -1 derives it from "
        "the parallelism, 128 at least.",
    .minimum = -1,
    .maximum = 32768};

inline constexpr ConfigOption<std::string> kJobName{
    .key = "pipeline.name",
    .defaultText = std::nullopt,
    .description = "Name of the job where execute() gets none."};

inline constexpr ConfigOption<std::string> kRuntimeMode{
    .key = "execution.runtime-mode",
    .defaultText = "STREAMING",
    .description =
        "There is one way of execution, STREAMING, and AUTOMATIC chooses it. BATCH is refused: a bounded "
        "input gives its final results in STREAMING, too.",
    .choices = "STREAMING|AUTOMATIC"};

inline constexpr ConfigOption<bool> kOperatorChaining{
    .key = "pipeline.operator-chaining.enabled",
    .defaultText = "true",
    .description = "Operators that can be joined run in one task and hand records on by a call."};

inline constexpr ConfigOption<bool> kChainDifferentMaxParallelism{
    .key = "pipeline.operator-chaining.chain-operators-with-different-max-parallelism",
    .defaultText = "true",
    .description = "Whether operators of different max parallelism may be joined."};

inline constexpr ConfigOption<std::string> kVertexDescriptionMode{
    .key = "pipeline.vertex-description-mode",
    .defaultText = "TREE",
    .description = "How the description of joined operators is written: a line each as a tree, or one line.",
    .choices = "TREE|CASCADING"};

inline constexpr ConfigOption<bool> kVertexNameIndexPrefix{
    .key = "pipeline.vertex-name-include-index-prefix",
    .defaultText = "false",
    .description = "Whether the name of joined operators begins with their number: [vertex-0]."};

inline constexpr ConfigOption<Duration> kAutoWatermarkInterval{
    .key = "pipeline.auto-watermark-interval",
    .defaultText = "200 ms",
    .description = "How often periodic generators are asked for a watermark; 0 never asks them.",
    .minimum = 0};

inline constexpr ConfigOption<bool> kAllowUnalignedSplits{
    .key = "pipeline.watermark-alignment.allow-unaligned-source-splits",
    .defaultText = "false",
    .description =
        "With watermark alignment, splits of one reader may run away from each other where the source cannot "
        "pause them singly; otherwise that is an error."};

inline constexpr ConfigOption<bool> kObjectReuse{
    .key = "pipeline.object-reuse",
    .defaultText = "false",
    .description = "Accepted without effect: chained operators never copy a record."};

inline constexpr ConfigOption<StringMap> kGlobalJobParameters{
    .key = "pipeline.global-job-parameters",
    .defaultText = std::nullopt,
    .description = "Parameters that every user function can read."};

inline constexpr ConfigOption<StringMap> kCachedFiles{
    .key = "pipeline.cached-files",
    .defaultText = std::nullopt,
    .description = "Files and folders that user functions get by name, by their paths."};

// --- tasks and what flows between them ---

inline constexpr ConfigOption<bool> kBufferTimeoutEnabled{
    .key = "execution.buffer-timeout.enabled",
    .defaultText = "true",
    .description = "Whether unfilled batches are sent after a time; otherwise only full ones are."};

inline constexpr ConfigOption<Duration> kBufferTimeout{
    .key = "execution.buffer-timeout.interval",
    .defaultText = "100 ms",
    .description =
        "How long an unfilled batch may wait at most; 0 sends what there is at the end of each step.",
    .minimum = 0};

inline constexpr ConfigOption<int64_t> kBuffersPerChannel{
    .key = "taskmanager.network.memory.buffers-per-channel",
    .defaultText = "8",
    .description = "Batches that a channel between two tasks may hold; full means back-pressure.",
    .minimum = 1,
    .maximum = 65536};

inline constexpr ConfigOption<bool> kAdaptivePartitioner{
    .key = "taskmanager.network.adaptive-partitioner.enabled",
    .defaultText = "false",
    .description =
        "Whether rebalance and rescale choose the next subtask that has the least to do, instead of the next "
        "one."};

inline constexpr ConfigOption<int64_t> kAdaptiveMaxTraverse{
    .key = "taskmanager.network.adaptive-partitioner.max-traverse-size",
    .defaultText = "4",
    .description = "How many of the next subtasks the adaptive partitioner chooses from.",
    .minimum = 2,
    .maximum = 32768};

inline constexpr ConfigOption<Duration> kHeartbeatInterval{
    .key = "heartbeat.interval",
    .defaultText = "10 s",
    .description = "How often the master of a job and its workers tell each other that they live.",
    .minimum = 1};

inline constexpr ConfigOption<Duration> kHeartbeatTimeout{
    .key = "heartbeat.timeout",
    .defaultText = "50 s",
    .description =
        "A worker that has said nothing for so long counts as lost; more than heartbeat.interval. A worker "
        "that "
        "hears nothing of its master gives up a heartbeat.interval sooner.",
    .minimum = 1};

inline constexpr ConfigOption<Duration> kSlotRequestTimeout{
    .key = "slot.request.timeout",
    .defaultText = "5 min",
    .description = "Tasks for which no worker has had free slots for so long fail.",
    .minimum = 1};

inline constexpr ConfigOption<Duration> kCancellationInterval{
    .key = "task.cancellation.interval",
    .defaultText = "30 s",
    .description = "How often the log names a task that does not react to its cancellation.",
    .minimum = 1};

inline constexpr ConfigOption<Duration> kCancellationTimeout{
    .key = "task.cancellation.timeout",
    .defaultText = "3 min",
    .description =
        "After so long a task that does not react to its cancellation is given up; 0 waits for ever.",
    .minimum = 0};

inline constexpr ConfigOption<std::string> kStateBackend{
    .key = "state.backend.type",
    .defaultText = "hashmap",
    .description =
        "Where keyed state lives: hashmap is in memory; rocksdb is on the local disk, with a cache in "
        "memory.",
    .choices = "hashmap|rocksdb"};

inline constexpr ConfigOption<std::string> kRocksDbLocalDir{
    .key = "state.backend.rocksdb.localdir",
    .defaultText = std::nullopt,
    .description =
        "Folders for the state of the rocksdb backend, with ',', '|' or ':' between them; subtasks take them "
        "in turn. Without it those of io.tmp.dirs."};

inline constexpr ConfigOption<MemorySize> kRocksDbCache{
    .key = "flott.state.rocksdb.cache-size",
    .defaultText = "64 mb",
    .description =
        "Memory of each subtask of an operator for entries that are at hand without a look-up in RocksDB; "
        "what was changed is written when they have to make room, and by checkpoints.",
    .minimum = 1};

inline constexpr ConfigOption<bool> kRocksDbManagedMemory{
    .key = "state.backend.rocksdb.memory.managed",
    .defaultText = "true",
    .description =
        "All RocksDB databases of a process share one block cache, and their write buffers count in it; "
        "otherwise each has what the options of blocks and write buffers say."};

inline constexpr ConfigOption<MemorySize> kRocksDbFixedMemory{
    .key = "state.backend.rocksdb.memory.fixed-per-tm",
    .defaultText = std::nullopt,
    .description =
        "Size of what they share. Without it that of taskmanager.memory.managed.size. Setting it has the "
        "memory managed.",
    .minimum = 1};

inline constexpr ConfigOption<double> kRocksDbWriteBufferRatio{
    .key = "state.backend.rocksdb.memory.write-buffer-ratio",
    .defaultText = "0.5",
    .description = "The part of managed memory that write buffers may take."};

inline constexpr ConfigOption<double> kRocksDbHighPriorityRatio{
    .key = "state.backend.rocksdb.memory.high-prio-pool-ratio",
    .defaultText = "0.1",
    .description = "The part of managed memory that is kept for indexes and filters."};

inline constexpr ConfigOption<MemorySize> kRocksDbBlockCache{
    .key = "state.backend.rocksdb.block.cache-size",
    .defaultText = "8 mb",
    .description = "The block cache of each database whose memory is not managed.",
    .minimum = 1};

inline constexpr ConfigOption<MemorySize> kRocksDbBlockSize{
    .key = "state.backend.rocksdb.block.blocksize",
    .defaultText = "4 kb",
    .description = "What RocksDB reads from the disk at a time.",
    .minimum = 256};

inline constexpr ConfigOption<MemorySize> kRocksDbWriteBuffer{
    .key = "state.backend.rocksdb.writebuffer.size",
    .defaultText = "64 mb",
    .description = "What a database gathers in memory before it writes a file.",
    .minimum = 64 << 10};

inline constexpr ConfigOption<int64_t> kRocksDbWriteBuffers{
    .key = "state.backend.rocksdb.writebuffer.count",
    .defaultText = "2",
    .description =
        "Write buffers of each database: writing waits while all but one are being written to disk.",
    .minimum = 2,
    .maximum = 64};

inline constexpr ConfigOption<int64_t> kRocksDbThreads{
    .key = "state.backend.rocksdb.thread.num",
    .defaultText = "2",
    .description = "Threads that write and merge files of a database.",
    .minimum = 1,
    .maximum = 64};

inline constexpr ConfigOption<Duration> kRocksDbPeriodicCompaction{
    .key = "state.backend.rocksdb.compaction.filter.periodic-compaction-time",
    .defaultText = "30 d",
    .description =
        "Files that are older are written anew, so that what has expired in them goes though nothing else is "
        "written; 0 never does that.",
    .minimum = 0};

inline constexpr ConfigOption<MemorySize> kManagedMemory{
    .key = "taskmanager.memory.managed.size",
    .defaultText = "512 mb",
    .description =
        "Memory that the rocksdb backend shares in a process. Flink's default is four tenths of the "
        "TaskManager's memory.",
    .minimum = 1};

inline constexpr ConfigOption<MemorySize> kSortPartitionMemory{
    .key = "execution.sort-partition.memory",
    .defaultText = "128 mb",
    .description =
        "Memory of each subtask that sorts or maps a full window of a stream without keys; what does not fit "
        "goes to io.tmp.dirs.",
    .minimum = 1 << 10};

inline constexpr ConfigOption<MemorySize> kSortKeyedPartitionMemory{
    .key = "execution.sort-keyed-partition.memory",
    .defaultText = "128 mb",
    .description = "The same for streams with keys.",
    .minimum = 1 << 10};

inline constexpr ConfigOption<std::string> kTmpDirs{
    .key = "io.tmp.dirs",
    .defaultText = "/tmp",
    .description = "Folders for records that memory cannot hold, with ',', '|' or ':' between them."};

inline constexpr ConfigOption<int64_t> kLanes{
    .key = "flott.lanes",
    .defaultText = "0",
    .description = "Threads that run tasks; 0 takes as many as there are slots, but not more than cores.",
    .minimum = 0,
    .maximum = 1024};

inline constexpr ConfigOption<Duration> kBlockedWarning{
    .key = "flott.task.blocked-warning",
    .defaultText = "10 s",
    .description = "The log names a user function that has kept its lane for so long; 0 never warns.",
    .minimum = 0};

inline constexpr ConfigOption<MemorySize> kOutputOverrunCap{
    .key = "flott.output.overrun-cap",
    .defaultText = "256 mb",
    .description =
        "One call of a user function may put out so much beyond what its channels hold; more fails the job.",
    .minimum = 1 << 20};

inline constexpr ConfigOption<int64_t> kOffloadThreads{
    .key = "flott.offload.threads",
    .defaultText = "16",
    .description =
        "At most so many threads for blocking work, such as reading files; they start when needed.",
    .minimum = 1,
    .maximum = 1024};

inline constexpr ConfigOption<int64_t> kOffloadQueue{
    .key = "flott.offload.queue",
    .defaultText = "1024",
    .description = "Blocking works that may wait for a thread.",
    .minimum = 1,
    .maximum = 1 << 20};

// --- restarts ---

inline constexpr ConfigOption<std::string> kRestartStrategy{
    .key = "restart-strategy.type",
    .defaultText = std::nullopt,
    .description =
        "What follows a failure. Without it exponential-delay for jobs with "
        "execution.checkpointing.interval, "
        "none for others.",
    .choices =
        "none|off|disable|fixed-delay|fixeddelay|failure-rate|failurerate|exponential-delay|"
        "exponentialdelay"};

inline constexpr ConfigOption<std::string> kFailoverStrategy{
    .key = "jobmanager.execution.failover-strategy",
    .defaultText = "region",
    .description =
        "What begins anew after a failure: region, the tasks that exchange records with the one that failed, "
        "directly or by way of others; or full, all tasks of the job.",
    .choices = "region|full"};

inline constexpr ConfigOption<int64_t> kFixedDelayAttempts{
    .key = "restart-strategy.fixed-delay.attempts",
    .defaultText = "1",
    .description = "So many restarts in all; the failure after them ends the job.",
    .minimum = 0};

inline constexpr ConfigOption<Duration> kFixedDelay{.key = "restart-strategy.fixed-delay.delay",
                                                    .defaultText = "1 s",
                                                    .description = "Time between a failure and the restart.",
                                                    .minimum = 0};

inline constexpr ConfigOption<int64_t> kFailureRateMost{
    .key = "restart-strategy.failure-rate.max-failures-per-interval",
    .defaultText = "1",
    .description = "So many failures within the interval end the job, the last of them included.",
    .minimum = 1,
    .maximum = 1 << 20};

inline constexpr ConfigOption<Duration> kFailureRateInterval{
    .key = "restart-strategy.failure-rate.failure-rate-interval",
    .defaultText = "1 min",
    .description = "The interval in which failures are counted.",
    .minimum = 0};

inline constexpr ConfigOption<Duration> kFailureRateDelay{
    .key = "restart-strategy.failure-rate.delay",
    .defaultText = "1 s",
    .description = "Time between a failure and the restart.",
    .minimum = 0};

inline constexpr ConfigOption<Duration> kExponentialInitialBackoff{
    .key = "restart-strategy.exponential-delay.initial-backoff",
    .defaultText = "1 s",
    .description = "Time between the first failure and the restart.",
    .minimum = 1};

inline constexpr ConfigOption<Duration> kExponentialMaxBackoff{
    .key = "restart-strategy.exponential-delay.max-backoff",
    .defaultText = "1 min",
    .description = "The longest time between a failure and the restart.",
    .minimum = 1};

inline constexpr ConfigOption<double> kExponentialMultiplier{
    .key = "restart-strategy.exponential-delay.backoff-multiplier",
    .defaultText = "1.5",
    .description = "What each further failure multiplies the time by."};

inline constexpr ConfigOption<double> kExponentialJitter{
    .key = "restart-strategy.exponential-delay.jitter-factor",
    .defaultText = "0.1",
    .description = "The time is longer or shorter by up to this part of it, at random."};

inline constexpr ConfigOption<Duration> kExponentialResetThreshold{
    .key = "restart-strategy.exponential-delay.reset-backoff-threshold",
    .defaultText = "1 h",
    .description = "After so long without a failure the next one counts as the first.",
    .minimum = 0};

inline constexpr ConfigOption<int64_t> kExponentialAttempts{
    .key = "restart-strategy.exponential-delay.attempts-before-reset-backoff",
    .defaultText = std::nullopt,
    .description =
        "So many restarts in a row that the threshold above does not part; the failure after them ends the "
        "job. "
        "Without it there is no limit.",
    .minimum = 0};

// --- checkpoints ---

inline constexpr ConfigOption<Duration> kCheckpointInterval{
    .key = "execution.checkpointing.interval",
    .defaultText = std::nullopt,
    .description = "How often a checkpoint is triggered; without it only those that are asked for are.",
    .minimum = 10};

inline constexpr ConfigOption<Duration> kCheckpointIntervalDuringBacklog{
    .key = "execution.checkpointing.interval-during-backlog",
    .defaultText = std::nullopt,
    .description =
        "The interval while a source says that it works off a backlog; 0 for none at intervals. Without it "
        "the "
        "interval stays as it is.",
    .minimum = 0};

inline constexpr ConfigOption<std::string> kCheckpointMode{
    .key = "execution.checkpointing.mode",
    .defaultText = "EXACTLY_ONCE",
    .description =
        "With EXACTLY_ONCE a channel that has delivered a barrier waits for the others. With AT_LEAST_ONCE "
        "none "
        "waits, and records may count twice after a failure.",
    .choices = "EXACTLY_ONCE|AT_LEAST_ONCE"};

inline constexpr ConfigOption<Duration> kCheckpointTimeout{
    .key = "execution.checkpointing.timeout",
    .defaultText = "10 min",
    .description = "A checkpoint that is not complete after so long is given up.",
    .minimum = 10};

inline constexpr ConfigOption<Duration> kCheckpointMinPause{
    .key = "execution.checkpointing.min-pause",
    .defaultText = "0 ms",
    .description =
        "Pause between the end of one checkpoint and the trigger of the next; then there is only one at a "
        "time.",
    .minimum = 0};

inline constexpr ConfigOption<int64_t> kMaxConcurrentCheckpoints{
    .key = "execution.checkpointing.max-concurrent-checkpoints",
    .defaultText = "1",
    .description = "How many checkpoints may be under way at once.",
    .minimum = 1,
    .maximum = 16};

inline constexpr ConfigOption<int64_t> kTolerableFailedCheckpoints{
    .key = "execution.checkpointing.tolerable-failed-checkpoints",
    .defaultText = "0",
    .description = "So many checkpoints in a row may fail; one more fails the job.",
    .minimum = 0,
    .maximum = 1 << 30};

inline constexpr ConfigOption<bool> kUnalignedCheckpoints{
    .key = "execution.checkpointing.unaligned.enabled",
    .defaultText = "false",
    .description =
        "Barriers pass the records that wait in channels, which are then part of the checkpoint, so that it "
        "is complete soon also under back-pressure. Only with EXACTLY_ONCE and one checkpoint at a time."};

inline constexpr ConfigOption<Duration> kAlignedCheckpointTimeout{
    .key = "execution.checkpointing.aligned-checkpoint-timeout",
    .defaultText = "0 ms",
    .description =
        "With unaligned checkpoints: so long after its trigger a barrier keeps its place among the records, "
        "and passes them only then.",
    .minimum = 0};

inline constexpr ConfigOption<bool> kForcedUnaligned{
    .key = "execution.checkpointing.unaligned.forced",
    .defaultText = "false",
    .description =
        "With unaligned checkpoints: barriers also pass records on their way through a partitioner of the "
        "program's own, which is asked again where they go when the parallelism has changed."};

inline constexpr ConfigOption<std::string> kCheckpointDir{
    .key = "execution.checkpointing.dir",
    .defaultText = std::nullopt,
    .description =
        "Folder for checkpoints: a path, or a URI such as file:///path or s3://bucket/path; without it they "
        "are "
        "kept in the master's memory."};

inline constexpr ConfigOption<std::string> kSavepointDir{
    .key = "execution.checkpointing.savepoint-dir",
    .defaultText = std::nullopt,
    .description =
        "Folder in which a savepoint gets a folder of its own where its trigger names none: a path or a URI, "
        "as for checkpoints."};

inline constexpr ConfigOption<bool> kCheckpointSubdir{
    .key = "execution.checkpointing.create-subdir",
    .defaultText = "true",
    .description =
        "Whether each job has a folder of its own in execution.checkpointing.dir. Without it jobs must not "
        "share "
        "the folder."};

inline constexpr ConfigOption<MemorySize> kCheckpointInlineThreshold{
    .key = "execution.checkpointing.data-inline-threshold",
    .defaultText = "20 kb",
    .description = "State of a task that is not larger is kept in the checkpoint's _metadata.",
    .minimum = 0};

inline constexpr ConfigOption<bool> kIncrementalCheckpoints{
    .key = "execution.checkpointing.incremental",
    .defaultText = "false",
    .description =
        "Whether a checkpoint refers to files of earlier ones for state that has not changed: to those of "
        "the "
        "database with rocksdb, to segments of its tables with hashmap. Needs execution.checkpointing.dir."};

inline constexpr ConfigOption<int64_t> kRetainedCheckpoints{
    .key = "execution.checkpointing.num-retained",
    .defaultText = "1",
    .description = "How many completed checkpoints are kept.",
    .minimum = 1,
    .maximum = 1 << 20};

inline constexpr ConfigOption<std::string> kCheckpointRetention{
    .key = "execution.checkpointing.externalized-checkpoint-retention",
    .defaultText = "NO_EXTERNALIZED_CHECKPOINTS",
    .description =
        "Whether the last checkpoints outlive a job that failed (DELETE_ON_CANCELLATION), or one that was "
        "cancelled as well (RETAIN_ON_CANCELLATION).",
    .choices = "NO_EXTERNALIZED_CHECKPOINTS|DELETE_ON_CANCELLATION|RETAIN_ON_CANCELLATION"};

inline constexpr ConfigOption<int64_t> kCheckpointHistory{
    .key = "web.checkpoints.history",
    .defaultText = "10",
    .description = "How many checkpoints a job remembers for those who ask.",
    .minimum = 0,
    .maximum = 10000};

inline constexpr ConfigOption<std::string> kRecoveryPath{
    .key = "execution.state-recovery.path",
    .defaultText = std::nullopt,
    .description =
        "Folder of the savepoint or checkpoint that the job starts from, or its _metadata: a path, or a URI "
        "such as file:///path or s3://bucket/path. On the command line: --from-savepoint PATH, or -s PATH."};

inline constexpr ConfigOption<bool> kIgnoreUnclaimedState{
    .key = "execution.state-recovery.ignore-unclaimed-state",
    .defaultText = "false",
    .description =
        "Whether state of operators that the job does not have any more is dropped; else it is an error. On "
        "the command line: --allow-non-restored-state, or -n."};

inline constexpr ConfigOption<std::string> kClaimMode{
    .key = "execution.state-recovery.claim-mode",
    .defaultText = "NO_CLAIM",
    .description =
        "Whether the savepoint or checkpoint that the job starts from becomes its own (CLAIM): it goes when "
        "execution.checkpointing.num-retained newer ones are complete, and what else of its old job is not "
        "complete goes at once. That job must not run any more.",
    .choices = "NO_CLAIM|CLAIM"};

inline constexpr ConfigOption<int64_t> kWithoutChannelState{
    .key = "execution.state-recovery.without-channel-state.checkpoint-id",
    .defaultText = "-1",
    .description =
        "Number of an unaligned checkpoint from which the job starts without the records that were in "
        "channels, which are lost: where one of them fails the job again and again.",
    .minimum = -1};

// --- stores ---

inline constexpr ConfigOption<std::string> kS3Endpoint{
    .key = "s3.endpoint",
    .defaultText = std::nullopt,
    .description = "Address of a store that speaks S3, as http://host:9000; without it that of AWS."};

inline constexpr ConfigOption<std::string> kS3Region{
    .key = "s3.endpoint.region",
    .defaultText = std::nullopt,
    .description = "Region of the bucket; without it AWS is asked, and us-east-1 taken for other stores."};

inline constexpr ConfigOption<std::string> kS3AccessKey{
    .key = "s3.access-key",
    .defaultText = std::nullopt,
    .description =
        "Access key for s3: URIs; without it what AWS's own tools would use: environment variables, profile, "
        "role of the machine."};

inline constexpr ConfigOption<std::string> kS3SecretKey{
    .key = "s3.secret-key",
    .defaultText = std::nullopt,
    .description = "The secret that belongs to s3.access-key."};

inline constexpr ConfigOption<bool> kS3PathStyle{
    .key = "s3.path.style.access",
    .defaultText = "false",
    .description =
        "Known since configurations for Flink have it; nothing depends on it: requests to an s3.endpoint "
        "always "
        "have the bucket in their path, those to AWS in the host name."};

// --- what it tells ---

inline constexpr ConfigOption<Duration> kLatencyInterval{
    .key = "metrics.latency.interval",
    .defaultText = "0 ms",
    .description = "How often sources send a marker that measures the time to each operator; 0 never does.",
    .minimum = 0};

inline constexpr ConfigOption<std::string> kLatencyGranularity{
    .key = "metrics.latency.granularity",
    .defaultText = "operator",
    .description =
        "What latencies are told apart by: nothing, the source they come from, or its subtask as well.",
    .choices = "single|operator|subtask"};

inline constexpr ConfigOption<Duration> kStallWarning{
    .key = "flott.watermark.stall-warning",
    .defaultText = "1 min",
    .description =
        "The log says who holds a watermark back that has not moved for so long, and why; 0 never does.",
    .minimum = 0};

// --- REST and the web page ---

inline constexpr ConfigOption<bool> kWebUi{
    .key = "flott.web-ui.enabled",
    .defaultText = "false",
    .description =
        "Whether a program that runs its jobs in its own process serves REST and a web page about them, from "
        "its first job on. createLocalEnvironmentWithWebUI() sets it."};

inline constexpr ConfigOption<int64_t> kRestPort{
    .key = "rest.port",
    .defaultText = "8081",
    .description = "Port of REST and the web page where rest.bind-port gives none; 0 takes a free one.",
    .minimum = 0,
    .maximum = 65535};

inline constexpr ConfigOption<std::string> kRestBindPort{
    .key = "rest.bind-port",
    .defaultText = std::nullopt,
    .description =
        "Ports of which the first free one is taken: one, a list or ranges, as 50100-50200,50300; 0 takes "
        "any "
        "free one. Without it the one of rest.port."};

inline constexpr ConfigOption<std::string> kRestBindAddress{
    .key = "rest.bind-address",
    .defaultText = "127.0.0.1",
    .description =
        "Address that REST and the web page are served on; one that other machines reach needs "
        "flott.rest.insecure. Flink's default is that of rest.address."};

inline constexpr ConfigOption<bool> kRestInsecure{
    .key = "flott.rest.insecure",
    .defaultText = "false",
    .description =
        "Allows a rest.bind-address that other machines reach: whoever reaches it sees the jobs and may "
        "cancel them."};

inline constexpr ConfigOption<Duration> kWebRefreshInterval{
    .key = "web.refresh-interval",
    .defaultText = "3 s",
    .description = "How often the web page asks for news.",
    .minimum = 100};

inline constexpr ConfigOption<int64_t> kWebHistory{
    .key = "web.history",
    .defaultText = "5",
    .description = "How many jobs that have ended are still shown.",
    .minimum = 0,
    .maximum = 10'000};

inline constexpr ConfigOption<int64_t> kExceptionHistory{
    .key = "web.exception-history-size",
    .defaultText = "16",
    .description = "How many failures a job remembers for those who ask.",
    .minimum = 0,
    .maximum = 10'000};

inline constexpr ConfigOption<std::string> kLogLevel{.key = "env.log.level",
                                                     .defaultText = "INFO",
                                                     .description = "Lines below this level are not logged.",
                                                     .choices = "TRACE|DEBUG|INFO|WARN|ERROR|OFF"};

inline constexpr ConfigOption<std::string> kLogFormat{
    .key = "flott.log.format",
    .defaultText = "text",
    .description = "Lines for people, or one JSON object a line.",
    .choices = "text|json"};

inline constexpr ConfigOption<std::string> kLogFile{
    .key = "flott.log.file",
    .defaultText = std::nullopt,
    .description = "A file that gets the log besides standard error."};

/// All of the above.
OptionRegistry standardOptions();

}  // namespace flott
