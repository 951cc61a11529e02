// The options of the processes of a cluster: JobManager and TaskManagers. As those of options.h, which does
// not include them: only standardOptions() and these processes need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<std::string> kJobManagerAddress{
    .key = "jobmanager.rpc.address",
    .defaultText = "127.0.0.1",
    .description = "Numeric address by which TaskManagers and workers reach the JobManager and its jobs."};

inline constexpr ConfigOption<int64_t> kJobManagerPort{
    .key = "jobmanager.rpc.port",
    .defaultText = "6123",
    .description = "Port that the JobManager listens on for TaskManagers; 0 takes a free one.",
    .minimum = 0,
    .maximum = 65535};

inline constexpr ConfigOption<std::string> kJobManagerBindHost{
    .key = "jobmanager.bind-host",
    .defaultText = "127.0.0.1",
    .description =
        "Numeric address that the JobManager and the masters of its jobs listen on. One that other machines "
        "reach needs flott.rpc.insecure."};

inline constexpr ConfigOption<bool> kRpcInsecure{
    .key = "flott.rpc.insecure",
    .defaultText = "false",
    .description =
        "Allows addresses that other machines reach for the processes of a cluster: whoever reaches them may "
        "run programs there."};

inline constexpr ConfigOption<std::string> kJobManagerWorkingDir{
    .key = "process.jobmanager.working-dir",
    .defaultText = std::nullopt,
    .description =
        "Folder of the JobManager: programs that were uploaded, the jobs that run, which a JobManager that "
        "comes back takes up again, and those that have ended. Without it flott-jobmanager-<port> below the "
        "first of io.tmp.dirs."};

inline constexpr ConfigOption<std::string> kTaskManagerWorkingDir{
    .key = "process.taskmanager.working-dir",
    .defaultText = std::nullopt,
    .description =
        "Folder of a TaskManager: programs that it has fetched. Without it flott-taskmanager-<id> below the "
        "first of io.tmp.dirs."};

inline constexpr ConfigOption<int64_t> kTaskSlots{
    .key = "taskmanager.numberOfTaskSlots",
    .defaultText = "0",
    .description = "Slots that a TaskManager offers; 0: as many as it may use processors.",
    .minimum = 0,
    .maximum = 4096};

inline constexpr ConfigOption<std::string> kTaskManagerHost{
    .key = "taskmanager.host",
    .defaultText = "127.0.0.1",
    .description = "Numeric address by which other workers and the JobManager reach this TaskManager."};

inline constexpr ConfigOption<std::string> kTaskManagerId{
    .key = "taskmanager.resource-id",
    .defaultText = std::nullopt,
    .description = "Name of a TaskManager, of no other of its cluster. Without it one is drawn."};

inline constexpr ConfigOption<Duration> kRegistrationTimeout{
    .key = "taskmanager.registration.timeout",
    .defaultText = "5 min",
    .description = "A TaskManager that has found no JobManager for so long ends.",
    .minimum = 1};

inline constexpr ConfigOption<Duration> kProgramStartTimeout{
    .key = "flott.jobmanager.program-start-timeout",
    .defaultText = "60 s",
    .description = "How long a program may take until it starts its job.",
    .minimum = 1};

inline constexpr ConfigOption<int64_t> kEndedJobs{
    .key = "jobstore.max-capacity",
    .defaultText = "200",
    .description = "How many jobs that have ended the JobManager keeps and shows.",
    .minimum = 0,
    .maximum = 100000};

inline constexpr ConfigOption<int64_t> kKeptLogs{
    .key = "flott.log.max-job-files",
    .defaultText = "400",
    .description =
        "How many files with what programs have written a JobManager or TaskManager keeps: the oldest go "
        "when there are more.",
    .minimum = 1,
    .maximum = 1000000};

}  // namespace flott
